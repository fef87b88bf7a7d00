"""Decide which receivers are notified of what: from what is true now and what each was last notified of, not from changes.

Input: a target's incidents after this cycle, what receivers were notified of, what still waits for them. Output: new messages, and the
waiting messages that they replace. A first notification that was never sent is cancelled by the end of its incident.
"""

from collections.abc import Container, Iterable, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from watchdog.core.incidents.lifecycle import Ended, Incident, State
from watchdog.core.incidents.messages import DROPPED, Event, Message, Notice, Notified
from watchdog.core.incidents.payload import fitting
from watchdog.core.incidents.plan import Loaded
from watchdog.core.incidents.quiet.inhibition import Cause
from watchdog.core.incidents.quiet.reasons import NOT_QUIET, Quiet
from watchdog.core.incidents.routing import Route
from watchdog.core.judging.findings import Verdict
from watchdog.core.model.identity import message_id
from watchdog.core.model.target import SELF

__all__ = [
    "EVERYTHING",
    "JudgedIncident",
    "Recipient",
    "about_receiver",
    "decide_notifications",
    "final_notification",
    "needed_event",
    "notice_of",
]

MOST_NOTICES = 100
"""Most incidents in one message for machines; more are split. (A message for people is shortened by its receiver.)"""
REFUSED_AGAIN_S = 3600.0
"""Seconds after which a refused notification of a still firing incident is tried again: the receiver may accept it by then."""
EVERYTHING = Route()
FIRE = (Event.FIRST, Event.ESCALATED, Event.REMINDER)


class Recipient(Struct, frozen=True):
    """A receiver as the core sees it."""

    name: str
    human: bool = False
    settings: str = ""
    route: Route = EVERYTHING

    def hears_of(self, cause: Cause) -> bool:
        """Whether it may be notified of this incident, so that what the incident explains need not be said."""
        return cause.about != self.name and self.route.takes(cause.incident)


class JudgedIncident(Struct, frozen=True, gc=False):
    """An incident with its verdict in this cycle. `about`: the receiver whose own failure the incident reports, or empty."""

    incident: Incident
    verdict: Verdict
    about: str = ""


def needed_event(one: JudgedIncident, notified: Notified | None, recipient: Recipient, now: float | None = None) -> Event | None:
    """Return the event that this receiver should be notified of now, or None.

    A receiver that was never notified of an incident is not notified of its end; one that was notified always is. A refused notification is
    repeated under the same settings once an hour while the incident fires; one dropped by hand is not repeated. If a receiver was notified
    of the end but the incident still fires (the receiver was removed and is back), it is notified as of a new incident. Without `now`
    nothing is repeated.
    """
    incident = one.incident
    heard = notified.event if notified is not None else None
    refused = notified.refused if notified is not None and _still_refused(notified, recipient, now) else None
    if not incident.open:
        return Event.RESOLVED if heard in FIRE and refused is not Event.RESOLVED else None
    if one.verdict is not Verdict.BREACH or incident.state is not State.FIRING or one.about == recipient.name:
        return None
    if not recipient.route.takes(incident):
        return None
    if notified is None or heard in (None, Event.RESOLVED):
        return None if refused is Event.FIRST else Event.FIRST
    if incident.severity.rank > notified.severity.rank and refused is not Event.ESCALATED:
        return Event.ESCALATED
    if now is not None and notified.refused is None and recipient.route.reminder_due(incident, notified, now):
        return Event.REMINDER
    return None


def _still_refused(notified: Notified, recipient: Recipient, now: float | None) -> bool:
    """Whether another attempt is pointless. `notified.at` is the time of the last refusal."""
    if notified.settings == DROPPED:
        return True
    return notified.settings == recipient.settings and (now is None or 0 <= now - notified.at < REFUSED_AGAIN_S)


def decide_notifications(  # noqa: PLR0913 - everything that the decision depends on
    judged: Sequence[JudgedIncident],
    loaded: Loaded,
    recipients: Iterable[Recipient],
    target: str,
    now: float,
    service: str,
    *,
    again: bool = True,
    quiet: Quiet = NOT_QUIET,
) -> tuple[tuple[Message, ...], tuple[str, ...]]:
    """Return (new messages, ids of waiting messages that are replaced or cancelled) for one target.

    `again`: whether a refused notification may be repeated after its hour. `quiet`: why some are not to be notified of.
    """
    new: list[Message] = []
    withdrawn: list[str] = []
    for recipient in recipients:
        waiting = [m for m in loaded.waiting if m.receiver == recipient.name]
        retry_at = now if again and recipient.name not in loaded.off else None
        notices = _notices(judged, loaded.notified, waiting, recipient, retry_at, quiet)
        if _said_by(waiting) == [_content_key(n) for n in notices]:
            continue
        withdrawn += [m.id for m in waiting]
        since = min((m.since or m.created_at for m in waiting), default=now) if notices else now
        not_before = max((m.not_before for m in waiting), default=0.0)
        new += [
            Message(_id(recipient, target, now, part, loaded.last_message), recipient.name, target, now, part, not_before, since, service)
            for part in _split(notices, recipient)
        ]
    return tuple(new), tuple(withdrawn)


def final_notification(
    loaded: Loaded, recipient: Recipient, target: str, now: float, service: str
) -> tuple[tuple[Message, ...], tuple[str, ...]]:
    """Like `decide_notifications`, for a removed receiver: every incident it believes to be firing is reported as ended, once."""
    over = [replace(i, state=State.RESOLVED, ended=Ended.RECEIVER_REMOVED, resolved_at=now) for i in loaded.open]
    judged = [JudgedIncident(incident, Verdict.NONE) for incident in (*over, *loaded.unsettled)]
    return decide_notifications(judged, loaded, [recipient], target, now, service, again=False)


def about_receiver(incident: Incident, tables: Container[str]) -> str:
    """Return the receiver whose failure an incident reports: one found by a rule on `receivers`."""
    return incident.key.get("name", "") if incident.target == SELF and "receivers" in tables else ""


def _notices(
    judged: Sequence[JudgedIncident],
    notified: Mapping[tuple[str, str], Notified],
    waiting: Sequence[Message],
    recipient: Recipient,
    now: float | None,
    quiet: Quiet,
) -> list[Notice]:
    """Return what this receiver should be notified of now, in a stable order. A waiting notice with the same content keeps its snapshot.

    `now` is None if refused notifications are not to be repeated yet. The end of an incident is never kept quiet.
    """
    queued: dict[str, list[Notice]] = {}
    for notice in (n for m in waiting for n in m.notices):
        queued.setdefault(notice.incident, []).append(notice)
    found: list[Notice] = []
    for one in judged:
        incident = one.incident
        heard = notified.get((incident.id, recipient.name))
        event = needed_event(one, heard, recipient, now)
        olds = queued.get(incident.id, [])
        if incident.open and (event or olds) and quiet.reason(incident, recipient.hears_of) is not None:
            continue
        if event is not None:
            notice = notice_of(incident, event, (heard.sequence if heard else 0) + 1)
            found.append(next((old for old in olds if _content_key(old) == _content_key(notice)), notice))
        elif olds and incident.open and one.about != recipient.name and recipient.route.takes(incident):
            found += _still_to_say(olds, heard)  # this cycle gave no verdict, or the incident is recovering
    return sorted(found, key=lambda n: (n.started_at, n.incident))


def _still_to_say(olds: list[Notice], heard: Notified | None) -> list[Notice]:
    """Return the newest waiting notice of an incident, as its first if none was received yet; nothing if no first one waits.

    A reminder that waits is not sent while it is not certain that the incident still fires.
    """
    fires = [old for old in olds if old.event in (Event.FIRST, Event.ESCALATED)]
    if heard is not None and heard.event in FIRE:
        return fires[-1:]
    first = next((old for old in fires if old.event is Event.FIRST), None)
    return [] if first is None else [replace(fires[-1], event=Event.FIRST, sequence=first.sequence)]


def notice_of(incident: Incident, event: Event, sequence: int) -> Notice:
    """Take a snapshot of an incident for one receiver."""
    return Notice(
        incident=incident.id,
        fingerprint=incident.fingerprint,
        event=event,
        rule=incident.rule,
        target=incident.target,
        severity=incident.severity,
        state="firing" if incident.open else "resolved",
        key=incident.key,
        started_at=incident.started_at,
        fired_at=incident.fired_at,
        sequence=sequence,
        ended=None if incident.ended is None else incident.ended.value,
        resolved_at=incident.resolved_at,
        labels=incident.labels,
        values=incident.values,
        summary=incident.summary,
        description=incident.description,
        runbook=incident.runbook,
        link=incident.link,
        targets=(incident.target,),
    )


def _content_key(notice: Notice) -> tuple[str, Event, str]:
    return notice.incident, notice.event, notice.severity


def _said_by(waiting: Sequence[Message]) -> list[tuple[str, Event, str]]:
    notices = [n for m in waiting for n in m.notices]
    return [_content_key(n) for n in sorted(notices, key=lambda n: (n.started_at, n.incident))]


def _split(notices: list[Notice], recipient: Recipient) -> list[tuple[Notice, ...]]:
    """Split notices into messages: one for people, shortened by the receiver; for machines everything, in messages that servers accept."""
    if recipient.human:
        return [tuple(notices)] if notices else []
    return list(fitting(notices, MOST_NOTICES))


def _id(recipient: Recipient, target: str, now: float, part: tuple[Notice, ...], last_message: int) -> str:
    return message_id(recipient.name, target, now, [f"{last_message}", *(f"{n.incident}{n.event}{n.sequence}" for n in part)])
