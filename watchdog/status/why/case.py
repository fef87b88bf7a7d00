"""What `watchdog why` has found out about one row, as values."""

from collections.abc import Callable, Mapping

from msgspec import Struct

from watchdog.core.incidents.explain.as_it_was import Sent
from watchdog.core.incidents.explain.explained import Explained
from watchdog.core.incidents.explain.sentences import EVENTS
from watchdog.core.incidents.lifecycle import Incident
from watchdog.core.judging.parts import RowLook

__all__ = ["Answer", "Case", "Told", "message_text"]


class Told(Struct, frozen=True):
    """One receiver: what it is told, or why nothing; what would be said next; what it was sent until then, and `later`."""

    receiver: str
    explained: Explained
    sentence: str
    next: str = ""
    sent: tuple[Sent, ...] = ()
    later: tuple[Sent, ...] = ()


class Case(Struct, frozen=True):
    """One row of one target at one time (epoch seconds)."""

    target: str
    key: Mapping[str, str]
    at: float
    verdict: str
    """For people: `breach`, or why there is none."""
    look: RowLook | None = None
    """What was seen of it just now."""
    incident: Incident | None = None
    """As it was at that time."""
    state: str = ""
    told: tuple[Told, ...] = ()
    notes: tuple[str, ...] = ()


class Answer(Struct, frozen=True):
    """Everything about one rule. `at`: the time that was asked about; None: now."""

    rule: str
    now: float
    at: float | None
    cases: tuple[Case, ...]
    notes: tuple[str, ...] = ()
    """What holds for all of it, or is left out."""
    database: str = ""


def message_text(one: Sent, clock: Callable[[float], str]) -> str:
    """`its beginning, 03:10:42 CET: delivered 03:10:43 CET`."""
    if one.state == "delivered" and one.delivered_at is not None:
        fate = f"delivered {clock(one.delivered_at)}"
    else:
        fate = {"dead": "given up", "retried": "given up, then retried", "dropped": "dropped by hand"}.get(one.state, "not delivered yet")
        fate += f" after {one.attempts} attempt{'s' if one.attempts != 1 else ''}" if one.attempts else ""
        fate += f": {one.last_error}" if one.last_error else ""
    return f"{EVENTS[one.event]}, {clock(one.created_at)}: {fate}"
