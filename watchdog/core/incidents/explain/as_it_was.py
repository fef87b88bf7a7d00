"""What is stored, as it was at an earlier time: an incident from its transitions, and what a receiver was notified of from its messages.

Silences, deploys, acknowledgements and mute windows carry their own times. Whether an incident could be seen at that moment is not stored:
one that fired is taken as seen.

Input: an incident as it is stored now, its transitions and messages, a time. Output: the incident and the notifications of that time.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from msgspec import Struct
from msgspec.structs import replace

from watchdog.core.incidents.lifecycle import OPEN, Incident, State, Transition
from watchdog.core.incidents.messages import DROPPED, Event, Notified
from watchdog.core.incidents.quiet.acknowledgements import Acknowledgement
from watchdog.core.judging.findings import Verdict
from watchdog.core.model.severity import Severity

__all__ = ["Sent", "acknowledged_then", "as_it_was", "last_moment", "notified_then"]

_ESCALATED = re.compile(r"escalated from (\w+) to ")
"""The reason that `lifecycle.step` gives an escalation."""


class Sent(Struct, frozen=True):
    """One message about one incident, and what became of it. `state`: `waiting`, `sending`, `delivered`, `dead`, `retried`, `dropped`."""

    receiver: str
    event: Event
    severity: Severity
    sequence: int
    state: str
    created_at: float
    attempts: int = 0
    last_attempt_at: float | None = None
    delivered_at: float | None = None
    last_error: str | None = None


def as_it_was(incident: Incident, transitions: Sequence[Transition], at: float) -> Incident | None:
    """Return an incident as it was; None if it had not begun or was over."""
    made = [one for one in transitions if one.at <= at]
    if not made or made[-1].after not in OPEN:
        return None
    state = State(made[-1].after)
    since = next((one.at for one in reversed(made) if one.before != one.after), incident.started_at)
    return replace(
        incident,
        state=state,
        severity=_severity(incident, [one for one in transitions if one.at > at]),
        fired_at=incident.fired_at if incident.fired_at is not None and incident.fired_at <= at else None,
        resolved_at=None,
        ended=None,
        held_s=at - incident.started_at if state is State.PENDING else incident.held_s,
        quiet_s=at - since if state is State.RECOVERING else 0.0,
        verdict=(Verdict.CLEAR if state is State.RECOVERING else Verdict.BREACH).value,
        closed_by="",
        closed_because="",
        held_back=incident.held_back or incident.let_go_at > at,
        let_go_at=incident.let_go_at if incident.let_go_at <= at else 0.0,
        remedy="",
    )


def last_moment(transitions: Sequence[Transition], at: float) -> float:
    """Return the moment at which an incident that was not open at `at` says most: the last before it ended, or when it fired after `at`."""
    if transitions[0].at > at:
        return next((one.at for one in transitions if one.after == State.FIRING), transitions[0].at)
    firing_until = [later.at for one, later in pairwise(transitions) if one.after == State.FIRING]
    return (firing_until[-1] if firing_until else transitions[-1].at) - 0.001


def notified_then(sent: Iterable[Sent], incident: str, receiver: str, at: float) -> Notified | None:
    """Return what a receiver had been notified of, by the messages that had been made for it."""
    mine = [one for one in sent if one.receiver == receiver and one.created_at <= at and one.state != "retried"]
    if not mine:
        return None
    last, arrived = mine[-1], next((one for one in reversed(mine) if one.state not in ("dead", "dropped")), None)
    refused = last.event if last is not arrived else None
    counted = arrived or last
    return Notified(
        incident,
        receiver,
        arrived.event if arrived else None,
        counted.severity,
        arrived.sequence if arrived else 0,
        last.last_attempt_at if refused and last.last_attempt_at else counted.created_at,
        refused,
        DROPPED if refused else "",
    )


def acknowledged_then(given: Iterable[Acknowledgement], at: float) -> Mapping[str, Acknowledgement]:
    """Return incident id -> the acknowledgement that held."""
    return {one.incident: replace(one, until=None) for one in given if one.at <= at and (one.until is None or at < one.until)}


def _severity(incident: Incident, later: Iterable[Transition]) -> Severity:
    """The severity before the first escalation that followed."""
    before = next((found[1] for one in later if (found := _ESCALATED.match(one.reason))), None)
    return Severity(before) if before in set(Severity) else incident.severity
