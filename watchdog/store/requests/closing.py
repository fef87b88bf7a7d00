"""Incidents closed by hand, and why an incident cannot be closed or acknowledged.

An incident that is in breach cannot be closed: the next cycle would begin it again. The caller holds the write lock, so that no cycle
changes the verdict in between.
"""

from collections.abc import Container, Sequence

from watchdog.core.incidents.lifecycle import Incident
from watchdog.core.incidents.lifecycle import close as closed
from watchdog.core.incidents.payload import iso
from watchdog.store import cycles
from watchdog.store.refusals import ConflictError
from watchdog.store.sql import Connection

__all__ = ["close", "refuse_ended", "refuse_unacknowledged"]


def close(connection: Connection, incidents: Sequence[Incident], because: str, author: str, now: float) -> list[Incident]:
    """End these incidents, and return them as they ended; `ConflictError` if one has ended or is in breach."""
    refuse_ended(incidents, "closed")
    _refuse([_why_not(one) for one in incidents if one.breaching])
    ended = [closed(one, author, because, now) for one in incidents]
    cycles.write_incidents(connection, [one for one, _ in ended], [move for _, made in ended for move in made])
    return [one for one, _ in ended]


def refuse_ended(incidents: Sequence[Incident], what: str) -> None:
    """`ConflictError` if one of them has ended. `what` is not possible then, as in "closed"."""
    _refuse([
        f"{one.id} ({one.rule}) cannot be {what}: it has ended, {one.ended or one.state} at {iso(one.resolved_at or one.started_at)}"
        for one in incidents
        if not one.open
    ])  # fmt: skip


def refuse_unacknowledged(incidents: Sequence[Incident], acknowledged: Container[str]) -> None:
    """`ConflictError` if nobody has acknowledged one of them."""
    what = "is not acknowledged; `watchdog incidents` shows what is"
    _refuse([f"{one.id} ({one.rule}) {what}" for one in incidents if one.id not in acknowledged])


def _why_not(incident: Incident) -> str:
    matchers = " ".join([f"rule={incident.rule}", *(f"'{column}=\"{value}\"'" for column, value in incident.key.items())])
    return (
        f"{incident.id} ({incident.rule}) cannot be closed: it was in breach when last seen, and would begin again. Fix its cause, or "
        f'`watchdog ack {incident.id} --comment "…"` for no more reminders, or `watchdog silence add {matchers} --for 2h`'
    )


def _refuse(faults: Sequence[str]) -> None:
    if faults:
        raise ConflictError("\n".join(faults))
