"""What one receiver should be notified of about one incident now: all stages of that decision, in one order.

The level counts, not the edge: what is true is compared with what the receiver was last notified of. So nothing is lost by a restart, and
what was kept quiet is said as soon as the reason is gone, if it is still true.

Input: an incident with its verdict in this cycle, what the receiver was notified of, the routes, the reasons to be quiet, the time.
Output: an event, or why there is none.
"""

from collections.abc import Container, Iterable
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from watchdog.core.incidents.lifecycle import FIRING, Incident
from watchdog.core.incidents.messages import DROPPED, FIRE, Event, Notified
from watchdog.core.incidents.quiet.announcements import Announced, affects
from watchdog.core.incidents.quiet.inhibition import Cause
from watchdog.core.incidents.quiet.reasons import Quiet, Reason
from watchdog.core.incidents.quiet.silences import is_announcement
from watchdog.core.incidents.quiet.windows import window_of
from watchdog.core.incidents.routing import Recipient, Routing, Terms
from watchdog.core.judging.findings import BREACH, Verdict
from watchdog.core.model.target import SELF

__all__ = [
    "REFUSED_AGAIN_S",
    "Decision",
    "JudgedIncident",
    "Why",
    "about_receiver",
    "decision",
    "held_back",
    "quiet_reason",
    "reminded_along",
    "terms_of",
]

REFUSED_AGAIN_S = 3600.0
"""Seconds after which a refused notification of a still firing incident is tried again: the receiver may accept it by then."""


class JudgedIncident(Struct, frozen=True, gc=False):
    """An incident with its verdict in this cycle. `about`: the receiver whose own failure the incident reports, or empty.

    `announces`: the silence or deploy of which the incident tells, if it does. `targets`: all that have it; empty: its own alone.
    """

    incident: Incident
    verdict: Verdict
    about: str = ""
    announces: Announced | None = None
    targets: tuple[str, ...] = ()


def about_receiver(incident: Incident, tables: Container[str]) -> str:
    """Return the receiver whose failure an incident reports: one found by a rule on `receivers`."""
    return incident.key.get("name", "") if incident.target == SELF and "receivers" in tables else ""


def terms_of(one: JudgedIncident, recipient: Recipient, routing: Routing) -> Terms | None:
    """Return the terms on which a recipient is notified of an incident; None if it is not.

    The announcement of a silence is for those who ask for it and to whom something leads that it may hide; it is not repeated.
    """
    if not is_announcement(one.incident):
        return routing.terms(one.incident, recipient)
    if not recipient.tell_silences or one.announces is None:
        return None
    affected = any(affects(one.announces, *selection) for selection in routing.selections(recipient))
    return replace(recipient.terms, after_s=0.0, repeat_s=0.0) if affected else None


class Why(StrEnum):
    """Why a receiver is not notified of an incident now."""

    NEVER_NOTIFIED = "it is over, and this receiver had not been notified of it"
    NOTIFIED_OF_END = "this receiver was notified of its end"
    NOT_FIRING = "it does not fire now"
    NOT_SEEN = "it cannot be seen now"
    ITSELF = "it is about this receiver itself"
    NOT_ROUTED = "no route leads to this receiver"
    QUIET = "there is a reason to be quiet"
    LATER = "this receiver is notified of what fires for longer"
    REFUSED = "this receiver refused it"
    KNOWN = "this receiver has been notified of it"


class Decision(Struct, frozen=True):
    """What to say, or why nothing. `at`: when that may change by itself (epoch seconds)."""

    event: Event | None = None
    why: Why | None = None
    reason: Reason | None = None
    at: float | None = None
    terms: Terms | None = None


KNOWN = Decision(why=Why.KNOWN)


def decision(
    one: JudgedIncident,
    notified: Notified | None,
    recipient: Recipient,
    now: float,
    *,
    routing: Routing,
    quiet: Quiet,
    again: bool = True,
) -> Decision:
    """Decide about one incident and one receiver. `again`: whether what was refused may be repeated, and what fires be reminded of."""
    incident = one.incident
    refused = notified.refused if notified and notified.refused and _still_refused(notified, recipient, now, again=again) else None
    # 1. Everybody who was notified hears the end, whatever the reasons below say by then.
    if not incident.open:
        return _of_the_end(notified, refused)
    # 2. Only what is seen to fire is said, and no receiver is told of its own failure.
    if unseen := _unseen(one, recipient):
        return Decision(why=unseen)
    # 3. Does somebody work on it now, and does this receiver want to know?
    if recipient.tell_acknowledgements and _newly_acknowledged(incident, notified, quiet):
        return Decision(why=Why.REFUSED) if refused is Event.ACKNOWLEDGED else Decision(Event.ACKNOWLEDGED)
    # 4. Is there anything new, or may it be time for a reminder?
    event = _news(incident, notified)
    if (
        event is None
        and not _remedy_failed(incident, notified)
        and (notified is None or not again or now < notified.at + routing.soonest_reminder_s(recipient))
    ):
        return KNOWN
    # 5. Is it for this receiver?
    terms = terms_of(one, recipient, routing)
    if terms is None:
        return Decision(why=Why.NOT_ROUTED)
    # 6. Is there a reason to be quiet?
    reason = quiet_reason(incident, recipient, terms, now, routing=routing, quiet=quiet)
    if reason is not None:
        return Decision(why=Why.QUIET, reason=reason)
    # 7. Has it fired for long enough, or is a reminder due?
    if event is None:
        return _reminder(incident, notified, terms, now)
    since = _since(incident, recipient, now, routing, quiet) if event is Event.FIRST and terms.after_s else None
    if since is not None and abs(now - since) < terms.after_s:  # a shared server's incident may fire a moment from now
        return Decision(why=Why.LATER, at=since + terms.after_s)
    # 8. Was just this refused?
    return Decision(why=Why.REFUSED) if refused is event else Decision(event, terms=terms)


def quiet_reason(
    incident: Incident,
    recipient: Recipient,
    terms: Terms,
    now: float,
    *,
    routing: Routing,
    quiet: Quiet,
    above: tuple[str, ...] = (),
) -> Reason | None:
    """Return why a recipient, which an open incident is for on these terms, is not notified of it now; None if it may be.

    A cause counts if the recipient was, or may be, notified of it, or if that in turn has a reason. One that fired unheard (in quiet hours,
    say) and then cannot be seen would otherwise keep quiet what can be. `above`: what it is asked for, from which it cannot be explained.
    """

    def counts(cause: Cause) -> bool:
        if not routing.hears_of(recipient, cause, terms, now, quiet.hidden_until):
            return False
        one = cause.incident
        if not quiet.untold(one, recipient.name):
            return True
        its = routing.terms(one, recipient)
        if its is None or one.id in above:
            return False
        return quiet_reason(one, recipient, its, now, routing=routing, quiet=quiet, above=(*above, one.id)) is not None

    return quiet.reason(incident, counts, window_of(now, terms.mutes))


def held_back(one: JudgedIncident, recipients: Iterable[Recipient], now: float, *, routing: Routing, quiet: Quiet) -> bool:
    """Whether an incident that is seen to fire is for some recipients, and a reason keeps it from all of them.

    One that is told as that of another target is not: its targets are named there.
    """
    held = False
    for recipient in recipients:
        terms = None if one.about == recipient.name else terms_of(one, recipient, routing)
        if terms is None:
            continue
        reason = quiet_reason(one.incident, recipient, terms, now, routing=routing, quiet=quiet)
        if reason is None or reason.same_as is not None:
            return False
        held = True
    return held


def _since(incident: Incident, recipient: Recipient, now: float, routing: Routing, quiet: Quiet) -> float | None:
    """Return from when on `after` counts. What was held back until this moment can be told from now on."""
    return now if incident.held_back else routing.since(incident, recipient, quiet.hidden_until)


def _of_the_end(notified: Notified | None, refused: Event | None) -> Decision:
    if notified is None or notified.event not in FIRE:
        return Decision(why=Why.NEVER_NOTIFIED if notified is None or notified.event is None else Why.NOTIFIED_OF_END)
    return Decision(why=Why.REFUSED) if refused is Event.RESOLVED else Decision(Event.RESOLVED)


def _unseen(one: JudgedIncident, recipient: Recipient) -> Why | None:
    if one.incident.state is not FIRING:
        return Why.NOT_FIRING
    if one.verdict is not BREACH:
        return Why.NOT_SEEN
    return Why.ITSELF if one.about == recipient.name else None


def _reminder(incident: Incident, notified: Notified | None, terms: Terms, now: float) -> Decision:
    if _remedy_failed(incident, notified):
        return Decision(Event.REMINDER, terms=terms)
    due_at = terms.reminder_due_at(incident, notified) if notified is not None and notified.refused is None else None
    return Decision(why=Why.KNOWN, at=due_at) if due_at is None or now < due_at else Decision(Event.REMINDER, terms=terms)


def reminded_along(
    one: JudgedIncident, notified: Notified, recipient: Recipient, now: float, *, routing: Routing, quiet: Quiet
) -> Terms | None:
    """Return the terms on which a recipient is reminded of an incident together with others of its group; None if it is not yet.

    It is where half the time until its own reminder has passed. So the members of a group, which began one by one, are soon one message.
    """
    terms = terms_of(one, recipient, routing)
    if terms is None or notified.refused is not None or _unseen(one, recipient) or _news(one.incident, notified) is not None:
        return None
    due_at = terms.reminder_due_at(one.incident, notified)
    if due_at is None or now < (notified.at + due_at) / 2:
        return None
    return terms if quiet_reason(one.incident, recipient, terms, now, routing=routing, quiet=quiet) is None else None


def _remedy_failed(incident: Incident, notified: Notified | None) -> bool:
    """Whether what watchdog did by itself did not help, since a receiver was notified: it is told, whenever it wants reminders."""
    if incident.remedy_news_at is None or notified is None or notified.event not in FIRE or notified.refused is not None:
        return False
    return notified.at < incident.remedy_news_at


def _news(incident: Incident, notified: Notified | None) -> Event | None:
    """Return what the receiver does not know. One notified of the end of what still fires (it was removed, and is back) starts anew."""
    if notified is None or notified.event not in FIRE:
        return Event.FIRST
    return Event.ESCALATED if incident.severity.rank > notified.severity.rank else None


def _newly_acknowledged(incident: Incident, notified: Notified | None, quiet: Quiet) -> bool:
    """Whether somebody works on what a receiver was notified of, and it was not told so. An acknowledgement is no reason to wait."""
    given = quiet.acknowledgement(incident)
    if given is None or notified is None or notified.event not in FIRE:
        return False
    return notified.event is not Event.ACKNOWLEDGED or given.at > notified.at


def _still_refused(notified: Notified, recipient: Recipient, now: float, *, again: bool) -> bool:
    """Whether another attempt is pointless. `notified.at` is the time of the last refusal."""
    if notified.settings == DROPPED:
        return True
    return notified.settings == recipient.settings and (not again or 0 <= now - notified.at < REFUSED_AGAIN_S)
