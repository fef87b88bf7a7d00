"""What is said of one incident: its state, how long it lasts, what is known of it; on a terminal and on the page.

In: incidents as the store returns them, now (epoch seconds). Out: labels and pieces of text.
"""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from watchdog.core.incidents.lifecycle import Ended, Incident, State
from watchdog.core.incidents.payload import iso
from watchdog.core.incidents.quiet.acknowledgements import Acknowledgement
from watchdog.core.incidents.quiet.reasons import Reason
from watchdog.core.text.durations import format_duration
from watchdog.core.text.wording import key_text, values_text
from watchdog.status.documents.incidents import holding
from watchdog.status.panel import Ink, Piece
from watchdog.status.quiet_wording import acknowledged_text, held_back_by, quiet_verb

if TYPE_CHECKING:
    from watchdog.store import IncidentShown, Watched

Clock = Callable[[float], str]

__all__ = ["duration_text", "facts", "flapping_text", "known_until", "lasts_text", "state_ink", "unseen_text", "worst_first"]


def known_until(watched: "Watched", now: float) -> float:
    """Until when open incidents are known to have lasted."""
    return max(watched.last.values()) if watched.now is False and watched.last else now


def worst_first(incident: Incident) -> tuple[bool, bool, int, str]:
    """The order in which people read them: what is open and most severe first."""
    return not incident.open, incident.state is State.PENDING, -incident.severity.rank, incident.id


def flapping_text(incident: Incident, clock: Clock = iso) -> str:
    """How often it fired, if it flaps."""
    since = clock(incident.first_fire_at or incident.started_at)
    return f", flapping: fired {incident.fires} times since {since}" if incident.flapping else ""


def unseen_text(incident: Incident) -> str:
    """What keeps an open incident as it is, if its rule could not say in the last cycle whether it still fires."""
    return {"unknown": "cannot be seen now", "none": "cannot be judged now"}.get(incident.verdict, "") if incident.open else ""


def state_ink(incident: Incident) -> Ink:
    """Its state, or why it ended."""
    if incident.state is State.RESOLVED:
        return Ink(str(incident.ended or "resolved"), "good" if incident.ended is Ended.RECOVERED else "odd")
    return Ink(incident.state.value, "bad" if incident.state is State.FIRING else "odd")


def lasts_text(incident: Incident, now: float) -> str:
    """`lasts 2m`, or `lasted 2m`."""
    return f"{'lasts' if incident.open else 'lasted'} {duration_text(incident, now)}"


def duration_text(incident: Incident, now: float) -> str:
    """How long it lasts, or lasted."""
    return format_duration(max(round((incident.resolved_at or now) - incident.started_at), 0))


def _now(incident: Incident, reason: Reason | None, known: Acknowledgement | None, clock: Clock) -> Iterator[tuple[str, Piece]]:
    if unseen_text(incident):
        yield "now", Ink(unseen_text(incident), "odd")
    if held := held_back_by(reason, clock):
        yield quiet_verb(reason), held
    if known is not None:
        yield "known", acknowledged_text(known, clock)


def facts(shown: "IncidentShown", now: float, reason: Reason | None, after: str | None, clock: Clock = iso) -> Iterator[tuple[str, Piece]]:
    """What is known of it, each with its label. `after`: the deploy that it began after."""
    incident, known = shown.incident, holding(shown)
    yield "id", incident.id
    yield "fingerprint", incident.fingerprint
    yield "rule", incident.rule
    yield "target", incident.target
    if incident.key:
        yield "key", key_text(incident.key)
    yield "state", state_ink(incident)
    yield from _now(incident, reason, known, clock)
    yield "began", f"{clock(incident.started_at)}, {lasts_text(incident, now)}{f', {after}' if after else ''}"
    if incident.fired_at is not None:
        yield "fired", clock(incident.fired_at) + flapping_text(incident, clock)
    if incident.resolved_at is not None:
        yield "ended", clock(incident.resolved_at)
    if incident.closed_because:
        yield "closed", f"by {incident.closed_by}: {incident.closed_because}" if incident.closed_by else incident.closed_because
    if incident.remedy:
        yield "remedy", incident.remedy
    if incident.link:
        yield "link", incident.link
    if incident.values:
        yield "values", values_text(incident.values)
    if incident.labels:
        yield "labels", key_text(incident.labels)
