"""One sentence for each decision, for a person who asks why a receiver was, or was not, notified.

Input: an `Explained`, what it is about, a function that writes a time. Output: a sentence, and what comes next.
"""

from collections.abc import Callable

from msgspec import Struct

from watchdog.core.incidents.explain.explained import GROUP, Explained
from watchdog.core.incidents.lifecycle import Ended, Incident, State
from watchdog.core.incidents.messages import Event
from watchdog.core.incidents.quiet.matchers import labels_of, match
from watchdog.core.incidents.quiet.reasons import Reason
from watchdog.core.incidents.routing import Recipient, Routing
from watchdog.core.text.durations import format_duration

__all__ = ["Needs", "Teller", "quiet_sentence", "state_sentence"]

Clock = Callable[[float], str]
"""Writes a time for people."""

EVENTS = {
    Event.FIRST: "its beginning",
    Event.ESCALATED: "that it got worse",
    Event.REMINDER: "a reminder",
    Event.ACKNOWLEDGED: "that somebody works on it",
    Event.RESOLVED: "its end",
}
SAID_ALWAYS = {
    "known": "has been notified of it",
    "itself": "not notified: this is the failure of this very receiver, which cannot be notified of it",
    "not_seen": "not notified now: nobody can see whether it still fires",
    "never_notified": "was never notified of it, so it does not hear of its end",
    "notified_of_end": "was notified of its end",
}
"""Why, as a word -> the sentence, where it is always the same."""
SHORT_ID = 12


class Needs(Struct, frozen=True):
    """How long an incident's rule wants a breach to last before it fires, and quiet to last before it ends (seconds)."""

    for_s: float = 0.0
    quiet_s: float = 60.0


class Teller:
    """The sentences about one incident."""

    def __init__(self, incident: Incident, routing: Routing, needs: Needs, clock: Clock) -> None:
        self._incident, self._routing, self._needs, self._clock = incident, routing, needs, clock

    def sentence(self, made: Explained, recipient: Recipient) -> str:
        """Why this receiver is, or is not, notified."""
        if made.said is not None:
            return f"{EVENTS[made.said]} is to be said now, with the next cycle"
        if made.reason is not None and made.why != "known":
            return f"not notified: {quiet_sentence(made.reason, self._clock)}"
        return self._by_word(made, recipient)

    def next(self, made: Explained) -> str:
        """What would be said next, and when; empty if nothing would."""
        if made.next is None or (made.why == "known" and made.next is Event.RESOLVED):
            return "its end" if made.next is not None else ""
        what = EVENTS[made.next]
        if made.why == "not_firing":
            return f"{what}, {self._once_it_moves()}"
        if made.why == "known" and made.reason is not None and made.until is None:
            return f"no reminder: {quiet_sentence(made.reason, self._clock)}; then its end"
        if made.until is not None:
            return f"{what} at {self._clock(made.until)}, if it still fires then" + (" unacknowledged" if made.why == "later" else "")
        if made.reason is not None and made.reason.acknowledged is not None:
            return "that it got worse, if it does; otherwise nothing before it ends"
        if made.why == "not_seen":
            return f"{what}, when it is seen to fire"
        after = {"inhibited": "when that is over", "shared": "when that is over", "trial": "when it is no longer on trial"}
        return f"{what} {after.get(made.why or '', 'when that has passed')}, if it still fires then"

    def _by_word(self, made: Explained, recipient: Recipient) -> str:
        if made.why in SAID_ALWAYS:
            return SAID_ALWAYS[made.why]
        until = "" if made.until is None else f" until {self._clock(made.until)}"
        match made.why:
            case "later":
                return f"not notified yet: this receiver hears of {self._lasting(made)} without being acknowledged"
            case word if word == GROUP:
                return f"not notified yet: the message waits for others of its group{until}"
            case "not_routed":
                return f"not notified: {self._not_for(recipient)}"
            case "not_firing":
                return f"not notified now: {self._before_it_moves()}"
            case "refused" if made.until is not None:
                return f"not notified: this receiver refused the message, and is not asked again{until}"
        return "not notified: the message was given up; `watchdog outbox` shows why, `outbox retry` sends it again"

    def _lasting(self, made: Explained) -> str:
        """What the next in line hears of; since when it counts, if that is not since it fired."""
        what = f"what has fired for {format_duration(made.for_s)}"
        since = 0.0 if made.until is None else made.until - made.for_s
        late = since - (self._incident.fired_at or since) >= 1.0
        return f"{what}, counted from {self._clock(since)}, when it could be sent," if late else what

    def _not_for(self, recipient: Recipient) -> str:
        incident = self._incident
        if not incident.severity.at_least(recipient.min_severity):
            return f"this receiver hears of min_severity {recipient.min_severity.value} and up; this is {incident.severity.value}"
        failing = [one for one in recipient.matchers if not match([one], labels_of(incident))]
        if failing:
            return f"its match asks for {failing[0]}, which this is not"
        if not self._routing.routes:
            return "it is not for this receiver"
        return "no route leads to this receiver; `watchdog routes test` says which ones do"

    def _before_it_moves(self) -> str:
        incident, needs = self._incident, self._needs
        if incident.state is State.PENDING:
            return f"in breach for {_seconds(incident.held_s)} of the {format_duration(needs.for_s)} that its `for` asks"
        return f"it recovers, quiet for {_seconds(incident.quiet_s)} of {format_duration(needs.quiet_s)}"

    def _once_it_moves(self) -> str:
        if self._incident.state is State.PENDING:
            return f"if the breach lasts {_seconds(max(self._needs.for_s - self._incident.held_s, 0.0))} more"
        return f"if it stays quiet for {_seconds(max(self._needs.quiet_s - self._incident.quiet_s, 0.0))} more"


def quiet_sentence(reason: Reason, clock: Clock) -> str:
    """What keeps an incident quiet, and until when."""
    if reason.trial:
        return "it is on trial (trial = true of its rule, target or an override): nobody is notified of it"
    if reason.deploy is not None:
        return f"deploy {reason.deploy.version} goes on until {clock(reason.deploy.ends_at)}{_by(reason.deploy.author)}"
    if reason.cause is not None:
        key = f" ({', '.join(reason.cause.key.values())})" if reason.cause.key else ""
        pending = ", which is pending" if reason.cause.state is State.PENDING else ""
        return f"{reason.cause.rule}{key} explains it{pending}, and is sent instead"
    if reason.same_as is not None:
        return f"{reason.same_as.target} names the same server, and its incident is sent instead"
    if reason.silence is not None:
        given = f' ("{reason.silence.comment}")' if reason.silence.comment else ""
        name = f"silence {reason.silence.id[:SHORT_ID]}"
        return f"silenced until {clock(reason.silence.ends_at)}{_by(reason.silence.author)}{given}, {name}"
    if reason.acknowledged is not None:
        comment = f': "{reason.acknowledged.comment}"' if reason.acknowledged.comment else ""
        return f"acknowledged{_by(reason.acknowledged.author)} at {clock(reason.acknowledged.at)}{comment}"
    return "" if reason.window is None else f"muted by {reason.window.name} {reason.window.until(reason.at)}"


def state_sentence(incident: Incident, needs: Needs, now: float, clock: Clock) -> str:
    """The state of an incident, since when, and what it waits for."""
    if incident.state is State.PENDING:
        held, needed = _seconds(incident.held_s), format_duration(needs.for_s)
        return f"pending since {clock(incident.started_at)}: in breach for {held} of {needed} (`for`)"
    fired_at = incident.fired_at or incident.started_at
    often = f", flapping: fired {incident.fires} times" if incident.flapping else ""
    if incident.state is State.FIRING:
        return f"firing since {clock(fired_at)}, for {format_duration(round(max(now - fired_at, 0.0)))}{often}"
    if incident.state is State.RECOVERING:
        quiet, needed = _seconds(incident.quiet_s), format_duration(needs.quiet_s)
        return f"recovering, fired at {clock(fired_at)}: quiet for {quiet} of {needed} (`keep_firing_for`){often}"
    ended_at = incident.resolved_at or incident.started_at
    if incident.state is State.DROPPED:
        held = format_duration(round(max(ended_at - incident.started_at, 0.0)))
        return (
            f"never fired: in breach at {clock(incident.started_at)} for {held}, less than the {format_duration(needs.for_s)} of its `for`"
        )
    by = f" by {incident.closed_by}" if incident.ended is Ended.CLOSED and incident.closed_by else ""
    return f"ended at {clock(ended_at)}: {incident.ended or 'resolved'}{by}; it fired at {clock(fired_at)}{often}"


def _by(author: str) -> str:
    return f" by {author}" if author else ""


def _seconds(seconds: float) -> str:
    return format_duration(round(seconds, 1) if seconds < 10 else round(seconds))
