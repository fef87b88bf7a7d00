"""Reads for the command line: incidents, and all that is known of one; whether a daemon works."""

from collections.abc import Mapping, Sequence

from msgspec import Struct, field

from watchdog.core.incidents.lifecycle import Incident, Transition
from watchdog.core.incidents.messages import Event
from watchdog.core.incidents.quiet.acknowledgements import Acknowledgement
from watchdog.core.model.severity import Severity
from watchdog.store.migrations import OPEN_STATES
from watchdog.store.records import incident_from, transition_from
from watchdog.store.refusals import NotFoundError
from watchdog.store.requests import acknowledgements
from watchdog.store.sql import Database, Row

__all__ = ["IncidentShown", "MessageShown", "Watched", "incidents", "named_incident", "notified", "show", "watched"]


class MessageShown(Struct, frozen=True):
    """One message about an incident: its event, its receiver, and its delivery state. Times are epoch seconds."""

    id: str
    receiver: str
    event: Event
    sequence: int
    state: str
    """`waiting`, `sending`, `delivered` or `dead`; `retried` or `dropped` if an operator handled a dead letter."""
    created_at: float
    not_before: float
    attempts: int
    last_attempt_at: float | None
    delivered_at: float | None
    last_error: str | None
    severity: Severity = Severity.WARNING


class IncidentShown(Struct, frozen=True):
    """One incident with its transitions, its messages and its acknowledgements, oldest first."""

    incident: Incident
    transitions: tuple[Transition, ...]
    messages: tuple[MessageShown, ...]
    acknowledgements: tuple[Acknowledgement, ...] = ()


class Watched(Struct, frozen=True):
    """Whether a watchdog is running on this database (None: its lock may not be read), and each target's last cycle (epoch seconds)."""

    now: bool | None = True
    last: Mapping[str, float] = field(default_factory=dict)


_SELECT = "SELECT * FROM incidents"
_MESSAGES = """
    SELECT messages.*, coalesce(messages.handled, messages.state) AS fate, notices.event, notices.sequence, notices.severity
    FROM notices JOIN messages ON messages.id = notices.message
    WHERE notices.incident = ? ORDER BY messages.number"""
_NOTIFIED = f"""
    SELECT told.incident, told.receiver FROM incidents JOIN told ON told.incident = incidents.id
    WHERE state IN {OPEN_STATES} AND told.event IS NOT NULL ORDER BY told.incident, told.receiver"""  # noqa: S608 - our own SQL


def incidents(file: Database, ended_since: float | None = None) -> tuple[Incident, ...]:
    """Open incidents, and those that fired and ended since `ended_since` (epoch seconds; None: only open ones), oldest first."""
    open_ = _incidents(file, f"{_SELECT} WHERE state IN {OPEN_STATES}", ())
    ended = () if ended_since is None else _incidents(file, f"{_SELECT} WHERE resolved_at >= ? AND fired_at IS NOT NULL", (ended_since,))
    return tuple(sorted({incident.id: incident for incident in (*open_, *ended)}.values(), key=lambda incident: incident.id))


def watched(file: Database) -> Watched:
    """Whether a watchdog is running, and when each target was last polled."""
    with file.speaking():
        return Watched(file.is_held(), {str(row["target"]): float(row["at"]) for row in file.connection().execute("SELECT * FROM cycles")})


def notified(file: Database) -> Mapping[str, tuple[str, ...]]:
    """Id of each open incident that somebody may have heard of -> the receivers, by name."""
    heard: dict[str, tuple[str, ...]] = {}
    with file.speaking():
        for row in file.connection().execute(_NOTIFIED):
            heard[str(row["incident"])] = (*heard.get(str(row["incident"]), ()), str(row["receiver"]))
    return heard


def show(file: Database, named: str) -> IncidentShown:
    """One incident by its id, a prefix of it, or its fingerprint (then the latest); `NotFoundError` if none or several match."""
    incident = named_incident(file, named)
    with file.speaking():
        connection = file.connection()
        moves = connection.execute("SELECT * FROM transitions WHERE incident = ? ORDER BY number", [incident.id])
        messages = connection.execute(_MESSAGES, [incident.id])
        given = acknowledgements.history(connection, incident.id)
        return IncidentShown(incident, tuple(map(transition_from, moves)), tuple(map(_message_shown, messages)), given)


def named_incident(file: Database, typed: str) -> Incident:
    """The incident that was named; `NotFoundError` if none or several match."""
    named = typed.strip()
    by_fingerprint = _incidents(file, f"{_SELECT} WHERE fingerprint = ? ORDER BY id DESC LIMIT 1", (named.lower(),))
    if by_fingerprint:
        return by_fingerprint[0]
    fitting = _incidents(file, f"{_SELECT} WHERE substr(id, 1, ?) = ? ORDER BY id LIMIT 6", (len(named), named.upper())) if named else ()
    if not fitting:
        raise NotFoundError(
            f'no incident "{named}" in {file.place}; expected an id, its beginning, or a fingerprint, as `watchdog incidents` lists them'
        )
    if len(fitting) > 1:
        listed = ", ".join(incident.id for incident in fitting[:5]) + (", …" if len(fitting) > 5 else "")
        raise NotFoundError(f'several incidents begin with "{named}": {listed}; give more of the id')
    return fitting[0]


def _incidents(file: Database, sql: str, given: Sequence[object]) -> tuple[Incident, ...]:
    with file.speaking():
        return tuple(map(incident_from, file.connection().execute(sql, given)))


def _message_shown(row: Row) -> MessageShown:
    names = MessageShown.__struct_fields__
    words = {"state": row["fate"], "event": Event(str(row["event"])), "severity": Severity(str(row["severity"]))}
    return MessageShown(**{**{name: row[name] for name in names}, **words})
