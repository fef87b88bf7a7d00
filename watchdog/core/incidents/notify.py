"""Decide which receivers are sent what: the wishes of all incidents (`wanted`), put together in groups (`groups`), as messages.

Input: a target's incidents after this cycle, what receivers were notified of, what still waits for them. Output: new messages, and the
waiting messages that they replace. A first notification that was never sent is cancelled by the end of its incident.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec.structs import replace

from watchdog.core.incidents.groups import Member, Wish, due_groups, held_until
from watchdog.core.incidents.lifecycle import Ended, Incident, State
from watchdog.core.incidents.messages import FIRE, Event, Message, Notice, Notified
from watchdog.core.incidents.payload import fitting
from watchdog.core.incidents.plan import Loaded
from watchdog.core.incidents.quiet.deploys import deploy_before
from watchdog.core.incidents.quiet.reasons import NOT_QUIET, Quiet
from watchdog.core.incidents.routing import NO_ROUTES, Recipient, Routing, Terms
from watchdog.core.incidents.wanted import Decision, JudgedIncident, Why, decision, quiet_reason, reminded_along, terms_of
from watchdog.core.judging.findings import Verdict
from watchdog.core.model.identity import message_id

__all__ = ["decide_notifications", "final_notification", "held_for_group", "notice_of"]

MOST_NOTICES = 100
"""Most incidents in one message for machines; more are split. (A message for people is shortened by its receiver.)"""
UNDECIDED = frozenset({Why.NOT_FIRING, Why.NOT_SEEN, Why.KNOWN, Why.REFUSED})
"""Of an incident that is open: nothing new is to be said, and what waits to be said stays."""


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
    routing: Routing = NO_ROUTES,
) -> tuple[tuple[Message, ...], tuple[str, ...]]:
    """Return (new messages, ids of waiting messages that are replaced or cancelled) for one target.

    `again`: whether a refused notification may be repeated after its hour. `quiet`: why some are not to be notified of.
    """
    new: list[Message] = []
    withdrawn: list[str] = []
    for recipient in recipients:
        waiting = _waiting(loaded, recipient)
        decided = _Decided(judged, loaded, recipient, now, routing, quiet, again=again and recipient.name not in loaded.off)
        due = decided.groups(waiting)
        for group in [*waiting, *(name for name in due if name not in waiting)]:
            before, notices = waiting.get(group, []), due.get(group, [])
            if _said_by(before) == [_content_key(notice) for notice in notices]:
                continue
            withdrawn += [message.id for message in before]
            since = min((message.since or message.created_at for message in before), default=now) if notices else now
            not_before = max((message.not_before for message in before), default=0.0)
            for part in _split(notices, recipient):
                number = _id(recipient, target, now, part, loaded.last_message)
                new.append(Message(number, recipient.name, target, now, part, not_before, since, service, group))
    return tuple(new), tuple(withdrawn)


def final_notification(
    loaded: Loaded, recipient: Recipient, target: str, now: float, service: str
) -> tuple[tuple[Message, ...], tuple[str, ...]]:
    """Like `decide_notifications`, for a removed receiver: every incident it believes to be firing is reported as ended, once."""
    over = [replace(i, state=State.RESOLVED, ended=Ended.RECEIVER_REMOVED, resolved_at=now) for i in loaded.open]
    judged = [JudgedIncident(incident, Verdict.NONE) for incident in (*over, *loaded.unsettled)]
    return decide_notifications(judged, loaded, [recipient], target, now, service, again=False)


def held_for_group(
    judged: Sequence[JudgedIncident], loaded: Loaded, recipient: Recipient, now: float, *, quiet: Quiet, routing: Routing
) -> dict[str, float]:
    """Return incident id -> until when it is not told to a receiver, because its group waits for more."""
    decided = _Decided(judged, loaded, recipient, now, routing, quiet, again=recipient.name not in loaded.off)
    return held_until(*decided.wanted(_waiting(loaded, recipient)), now)


def _waiting(loaded: Loaded, recipient: Recipient) -> dict[str, list[Message]]:
    """Return group -> what waits for a receiver."""
    waiting: dict[str, list[Message]] = {}
    for message in loaded.waiting:
        if message.receiver == recipient.name:
            waiting.setdefault(message.group_id, []).append(message)
    return waiting


class _Decided:
    """What one receiver should be told now."""

    def __init__(
        self,
        judged: Sequence[JudgedIncident],
        loaded: Loaded,
        recipient: Recipient,
        now: float,
        routing: Routing,
        quiet: Quiet,
        *,
        again: bool,
    ) -> None:
        self._judged, self._loaded, self._recipient, self._now = judged, loaded, recipient, now
        self._routing, self._quiet, self._again = routing, quiet, again

    def groups(self, waiting: Mapping[str, Sequence[Message]]) -> dict[str, list[Notice]]:
        """Return group id -> its notices, for each group that has something to say. `waiting`: by group, what has not left."""
        return due_groups(*self.wanted(waiting), self._now)

    def wanted(
        self, waiting: Mapping[str, Sequence[Message]]
    ) -> tuple[Sequence[Wish], Iterable[Member], Mapping[str, float], Iterable[str]]:
        """Return what should be told, the members of this receiver's groups, when each was last told of, and which have a message."""
        queued: dict[str, list[Notice]] = {}
        group_of: dict[str, str] = {}
        for group, messages in waiting.items():
            for notice in (notice for message in messages for notice in message.notices):
                queued.setdefault(notice.incident, []).append(notice)
                group_of[notice.incident] = group
        wishes = list(self._wishes(queued))
        wishes += self._taken_along(wishes, queued)
        name = self._recipient.name
        said_at = {group: at for (receiver, group), at in self._loaded.said_at.items() if receiver == name}
        return wishes, self._members(group_of) if wishes else (), said_at, filter(None, waiting)

    def _wishes(self, queued: Mapping[str, list[Notice]]) -> Iterator[Wish]:
        """Yield what is to be told of each incident. A waiting notice with the same content keeps its snapshot."""
        name, notified_of = self._recipient.name, self._loaded.notified
        for one in self._judged:
            incident, notified = one.incident, notified_of.get((one.incident.id, name))
            decided = self._decide(one, notified)
            if decided.event is None and incident.id not in queued:
                continue
            olds = queued.get(incident.id, [])
            notices: list[Notice] = []
            if decided.event is not None:
                notices = [self._notice(one, decided.event, (notified.sequence if notified else 0) + 1, olds)]
            elif olds and incident.open and decided.why in UNDECIDED and self._may_hear(one):
                notices = _still_to_say(olds, notified)
            for notice in notices:
                yield Wish(incident, notice, decided.terms or self._terms(one))

    def _taken_along(self, wishes: Sequence[Wish], queued: Mapping[str, list[Notice]]) -> Iterator[Wish]:
        """Yield reminders that would come soon, of groups that are reminded of now: not one message for each member."""
        name, wished = self._recipient.name, {wish.incident.id for wish in wishes}
        reminded = [wish.incident.id for wish in wishes if wish.notice.event is Event.REMINDER]
        groups = {self._loaded.notified[number, name].group_id for number in reminded} - {""}
        for one in self._judged if groups else ():
            notified = self._loaded.notified.get((one.incident.id, name))
            if notified is None or notified.group_id not in groups or one.incident.id in wished:
                continue
            terms = reminded_along(one, notified, self._recipient, self._now, routing=self._routing, quiet=self._quiet)
            if terms is not None:
                notice = self._notice(one, Event.REMINDER, notified.sequence + 1, queued.get(one.incident.id, []))
                yield Wish(one.incident, notice, terms)

    def _notice(self, one: JudgedIncident, event: Event, sequence: int, olds: Sequence[Notice]) -> Notice:
        """Return a snapshot for one receiver; that of the waiting notice (`olds`) with the same content, if there is one."""
        incident, deploy = one.incident, deploy_before(one.incident, self._loaded.deploys) or ""
        because = self._quiet.because(incident) if incident.open else ()  # what explains a failure does not explain its end
        notice = notice_of(incident, event, sequence, because=because, deploy=deploy, targets=one.targets)
        return next((old for old in olds if _content_key(old) == _content_key(notice)), notice)

    def _decide(self, one: JudgedIncident, notified: Notified | None) -> Decision:
        return decision(one, notified, self._recipient, self._now, routing=self._routing, quiet=self._quiet, again=self._again)

    def _may_hear(self, one: JudgedIncident) -> bool:
        """Whether nothing but this cycle's verdict is against saying what waits to be said."""
        terms = terms_of(one, self._recipient, self._routing)
        if one.about == self._recipient.name or terms is None:
            return False
        return quiet_reason(one.incident, self._recipient, terms, self._now, routing=self._routing, quiet=self._quiet) is None

    def _members(self, group_of: Mapping[str, str]) -> Iterator[Member]:
        """Yield the members of this receiver's groups: what it was told of, and what is in messages that have not left."""
        for one in self._judged:
            notified = self._loaded.notified.get((one.incident.id, self._recipient.name))
            told = notified is not None and notified.event in FIRE and not self._end_refused(one, notified)
            group = (notified.group_id if notified is not None and told else "") or group_of.get(one.incident.id, "")
            if told or group:
                yield Member(one.incident, group, self._terms(one), told)

    def _end_refused(self, one: JudgedIncident, notified: Notified) -> bool:
        """Whether the receiver refuses to hear that it is over. A group must not wait, or live on, for an end that is not said."""
        return not one.incident.open and notified.refused is not None and self._decide(one, notified).why is Why.REFUSED

    def _terms(self, one: JudgedIncident) -> Terms:
        return terms_of(one, self._recipient, self._routing) or self._recipient.terms


def _still_to_say(olds: list[Notice], heard: Notified | None) -> list[Notice]:
    """Return the newest waiting notice of an incident, as its first if none was received yet; nothing if no first one waits.

    A reminder that waits is not sent while it is not certain that the incident still fires.
    """
    fires = [old for old in olds if old.event in (Event.FIRST, Event.ESCALATED)]
    if heard is not None and heard.event in FIRE:
        return fires[-1:]
    first = next((old for old in fires if old.event is Event.FIRST), None)
    return [] if first is None else [replace(fires[-1], event=Event.FIRST, sequence=first.sequence)]


def notice_of(
    incident: Incident, event: Event, sequence: int, *, because: tuple[str, ...] = (), deploy: str = "", targets: tuple[str, ...] = ()
) -> Notice:
    """Take a snapshot of an incident for one receiver.

    `because`: what explains it, in words. `deploy`: one shortly before it began. `targets`: all that have it, if it is not its own alone.
    """
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
        closed_by=incident.closed_by,
        closed_because=incident.closed_because,
        remedy=incident.remedy,
        targets=targets or (incident.target,),
        flapping=incident.flapping,
        because=because,
        deploy=deploy,
        fires=incident.fires,
        fires_over_s=max((incident.last_fire_at or 0.0) - (incident.first_fire_at or 0.0), 0.0),
    )


def _content_key(notice: Notice) -> tuple[str, Event, str, str]:
    return notice.incident, notice.event, notice.severity, notice.remedy


def _said_by(waiting: Sequence[Message]) -> list[tuple[str, Event, str, str]]:
    notices = [n for m in waiting for n in m.notices]
    return [_content_key(n) for n in sorted(notices, key=lambda n: (n.started_at, n.incident))]


def _split(notices: list[Notice], recipient: Recipient) -> list[tuple[Notice, ...]]:
    """Split notices into messages: one for people, shortened by the receiver; for machines everything, in messages that servers accept."""
    if recipient.human:
        return [tuple(notices)] if notices else []
    return list(fitting(notices, MOST_NOTICES))


def _id(recipient: Recipient, target: str, now: float, part: tuple[Notice, ...], last_message: int) -> str:
    return message_id(recipient.name, target, now, [f"{last_message}", *(f"{n.incident}{n.event}{n.sequence}" for n in part)])
