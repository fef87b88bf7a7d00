"""Why each receiver is, or is not, notified of an incident: what `wanted` decides, with until when, and what would be said next.

Input: what a cycle decides on (see `notify`). Output: for an incident and a receiver, an `Explained`.
"""

from collections.abc import Iterable, Iterator, Sequence

from watchdog.core.incidents.explain.explained import GROUP, Explained, Made
from watchdog.core.incidents.lifecycle import State
from watchdog.core.incidents.messages import DROPPED, FIRE, Event, Message, Notified
from watchdog.core.incidents.notify import held_for_group
from watchdog.core.incidents.plan import Loaded
from watchdog.core.incidents.quiet.reasons import Quiet
from watchdog.core.incidents.routing import Recipient, Routing
from watchdog.core.incidents.wanted import REFUSED_AGAIN_S, Decision, JudgedIncident, Why, decision, quiet_reason, terms_of

__all__ = ["Explainer", "decisions_made"]


class Explainer:
    """What one receiver is told now, and why not. `again`: as for `decision`."""

    def __init__(self, recipient: Recipient, now: float, routing: Routing, quiet: Quiet, *, again: bool = True) -> None:
        self._recipient, self._now, self._routing, self._quiet, self._again = recipient, now, routing, quiet, again

    def explain(self, one: JudgedIncident, notified: Notified | None, held_until: float | None = None) -> Explained:
        """Explain the decision about one incident. `held_until`: when its group has waited long enough."""
        made = decision(one, notified, self._recipient, self._now, routing=self._routing, quiet=self._quiet, again=self._again)
        if made.event is not None:
            return Explained(made.event) if held_until is None else Explained(why=GROUP, until=held_until, next=made.event)
        if made.reason is not None:
            return Explained(why=made.reason.word, reason=made.reason, until=made.reason.until, next=_beginning(one, notified))
        match made.why:
            case Why.LATER:
                terms = terms_of(one, self._recipient, self._routing)
                return Explained(why=_word(made), until=made.at, next=Event.FIRST, for_s=terms.after_s if terms else 0.0)
            case Why.REFUSED:
                return _refused(one, made, notified)
            case Why.KNOWN:
                return self._known(one, made, notified)
            case Why.NOT_FIRING:
                return Explained(why=_word(made), next=self._after_this_state(one, notified))
        return Explained(why=_word(made), next=_beginning(one, notified) if made.why is Why.NOT_SEEN else None)

    def _known(self, one: JudgedIncident, made: Decision, notified: Notified | None) -> Explained:
        """Of what a receiver was notified of, the next thing said is a reminder, or the end."""
        terms = terms_of(one, self._recipient, self._routing)
        may = terms is not None and notified is not None and notified.refused is None and self._again
        due_at = terms.reminder_due_at(one.incident, notified) if may and terms and notified else None
        if terms is None or due_at is None:
            return Explained(why=_word(made), next=Event.RESOLVED)
        reason = quiet_reason(one.incident, self._recipient, terms, self._now, routing=self._routing, quiet=self._quiet)
        until = due_at if reason is None else None if reason.until is None else max(due_at, reason.until)
        return Explained(why=_word(made), reason=reason, until=until, next=Event.REMINDER)

    def _after_this_state(self, one: JudgedIncident, notified: Notified | None) -> Event | None:
        """What is said when an incident that does not fire now does so, or ends."""
        if one.incident.state is State.RECOVERING:
            return Event.RESOLVED if notified is not None and notified.event in FIRE else None
        return Event.FIRST if one.about != self._recipient.name and terms_of(one, self._recipient, self._routing) is not None else None


def decisions_made(
    judged: Sequence[JudgedIncident],
    loaded: Loaded,
    recipients: Iterable[Recipient],
    messages: Sequence[Message],
    now: float,
    *,
    quiet: Quiet,
    routing: Routing,
) -> Iterator[Made]:
    """Yield every decision of one cycle. `messages`: those that it made. What is in none, and should be said, waits for its group."""
    of_receiver: dict[str, set[str]] = {}
    for message in (*messages, *loaded.waiting):
        of_receiver.setdefault(message.receiver, set()).update(notice.incident for notice in message.notices)
    reminded = {(message.receiver, one.incident) for message in messages for one in message.notices if one.event is Event.REMINDER}
    for recipient in recipients:
        said = of_receiver.get(recipient.name, set())
        explainer = Explainer(recipient, now, routing, quiet, again=recipient.name not in loaded.off)
        known = [explainer.explain(one, loaded.notified.get((one.incident.id, recipient.name))) for one in judged]
        held: dict[str, float] = {}
        if any(its.said is not None and one.incident.id not in said for its, one in zip(known, judged, strict=True)):
            held = held_for_group(judged, loaded, recipient, now, quiet=quiet, routing=routing)
        for its, one in zip(known, judged, strict=True):
            until = held.get(one.incident.id) if its.said is not None else None
            its = its if until is None else Explained(why=GROUP, until=until, next=its.said)  # noqa: PLW2901
            if its.said is None and (recipient.name, one.incident.id) in reminded:  # together with others of its group
                its = Explained(Event.REMINDER)  # noqa: PLW2901
            yield Made(one.incident, one.verdict.value, recipient.name, its)


def _word(made: Decision) -> str:
    return made.why.name.lower() if made.why is not None else ""


def _beginning(one: JudgedIncident, notified: Notified | None) -> Event | None:
    """What is said of an incident that fires, as soon as nothing is against it."""
    if notified is None or notified.event not in FIRE:
        return Event.FIRST
    return Event.ESCALATED if one.incident.severity.rank > notified.severity.rank else Event.REMINDER


def _refused(one: JudgedIncident, made: Decision, notified: Notified | None) -> Explained:
    if notified is None or notified.settings == DROPPED or not one.incident.open:
        return Explained(why=_word(made))
    return Explained(why=_word(made), until=notified.at + REFUSED_AGAIN_S, next=notified.refused)
