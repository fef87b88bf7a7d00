"""Fakes that keep the contracts of the real things, in memory and small enough to be read at a glance."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from watchdog.core.incidents.lifecycle import Incident, State
from watchdog.core.incidents.messages import Event, Message, Notice, Notified
from watchdog.core.incidents.plan import Loaded, Plan
from watchdog.core.incidents.quiet.acknowledgements import Acknowledgement
from watchdog.core.incidents.quiet.deploys import Deploy
from watchdog.core.incidents.quiet.silences import Silence

__all__ = ["FakeStore", "Fate"]


class Fate(StrEnum):
    """What becomes of one attempt to deliver."""

    DELIVERED = "delivered"
    NEVER_ARRIVED = "never arrived"
    MAYBE = "maybe"
    """No answer came: it arrived, or did not; it is tried again under the same id."""
    REFUSED = "refused"
    CRASHED = "crashed"
    """It arrived, and watchdog died before it could write so: it is sent again under the same id."""


@dataclass
class OutboxMessage:
    """One message on its way."""

    message: Message
    state: str = "waiting"
    frozen: bool = False
    maybe: bool = False
    settings: str = ""

    @property
    def never_left(self) -> bool:
        return self.state == "waiting" and not self.frozen


@dataclass
class FakeStore:
    """Incidents, outbox and notifications, as `watchdog.store` keeps them."""

    settings: str = "s1"
    incidents: dict[str, Incident] = field(default_factory=dict)
    outbox: list[OutboxMessage] = field(default_factory=list)
    previous_at: float | None = None
    made: int = 0
    heard: dict[tuple[str, str], list[Notice]] = field(default_factory=lambda: defaultdict(list))
    """(receiver, incident) -> notices that arrived, repeats under one id once."""
    arrived: set[str] = field(default_factory=set)
    """Ids that arrived at least once."""
    silences: tuple[Silence, ...] = ()
    deploys: tuple[Deploy, ...] = ()
    acknowledged: dict[str, Acknowledgement] = field(default_factory=dict)

    def load(self, fired_within: tuple[float, float] | None = None) -> Loaded:
        told = self.told()
        unsent = {n.incident for entry in self.outbox if entry.never_left for n in entry.message.notices}
        told_of = {i for (i, _), t in told.items() if t.event not in (None, Event.RESOLVED)}
        return Loaded(
            open=tuple(i for i in self.incidents.values() if i.open),
            unsettled=tuple(i for i in self.incidents.values() if not i.open and i.fired_at is not None and i.id in unsent | told_of),
            notified=told,
            waiting=tuple(entry.message for entry in self.outbox if entry.never_left),
            previous_cycle_at=self.previous_at,
            silences=self.silences,
            deploys=self.deploys,
            acknowledged=dict(self.acknowledged),
            said_at=self.said_at(),
            fired={} if fired_within is None else self._fired(*fired_within),
            last_message=self.made,
        )

    def said_at(self) -> dict[tuple[str, str], float]:
        messages = [entry.message for entry in self.outbox]
        return {
            (m.receiver, m.group_id): max(o.created_at for o in messages if (o.receiver, o.group_id) == (m.receiver, m.group_id))
            for m in messages
        }

    def _fired(self, since: float, until: float) -> dict[str, tuple[float, ...]]:
        """Only of what fired more than once."""
        fired: dict[str, list[float]] = defaultdict(list)
        for incident in self.incidents.values():
            if incident.state is State.RESOLVED and incident.fired_at is not None and since <= incident.fired_at <= until:
                fired[incident.fingerprint].append(incident.fired_at)
        return {fingerprint: tuple(times) for fingerprint, times in fired.items() if len(times) > 1}

    def commit(self, plan: Plan) -> None:
        self.incidents |= {incident.id: incident for incident in plan.incidents}
        for message_id in plan.withdrawn:
            entry = next(entry for entry in self.outbox if entry.message.id == message_id)
            assert entry.never_left, f"{message_id} was withdrawn though it may have arrived"
            self.outbox.remove(entry)
        ids = {entry.message.id for entry in self.outbox} | self.arrived
        assert not ids & {m.id for m in plan.messages}, "an id was used twice"
        self.outbox += [OutboxMessage(message) for message in plan.messages]
        self.made += len(plan.messages)
        self.acknowledged = {id_: given for id_, given in self.acknowledged.items() if id_ not in plan.overtaken}
        self.previous_at = plan.at

    def told(self) -> dict[tuple[str, str], Notified]:
        """Counting only what may have arrived; and the last word, where it was refused."""
        told: dict[tuple[str, str], Notified] = {}
        for entry in self.outbox:
            if entry.frozen:
                for notice in entry.message.notices:
                    key = (notice.incident, entry.message.receiver)
                    told[key] = _told(told.get(key), notice, entry)
        return told

    def deliver(self, receiver: str, fate: Fate) -> bool:
        """One attempt at the receiver's next message; False where none may go."""
        entry = self._next(receiver)
        if entry is None:
            return False
        if not entry.frozen:
            self._drop_orphans(entry)
            if not entry.message.notices:
                self.outbox.remove(entry)
                return True
            entry.frozen, entry.settings = True, self.settings
        if fate in (Fate.DELIVERED, Fate.CRASHED):
            self._arrive(entry.message)
        match fate:
            case Fate.DELIVERED:
                entry.state = "delivered"
            case Fate.REFUSED:
                entry.state = "delivered" if entry.message.id in self.arrived else "dead"  # receivers accept repeats
            case Fate.MAYBE | Fate.CRASHED:
                entry.maybe = True
            case Fate.NEVER_ARRIVED:
                entry.frozen = entry.maybe
        return True

    def deliver_all(self, receivers: Iterable[str]) -> None:
        """Everything that waits, until nothing may go any more."""
        for receiver in receivers:
            while self.deliver(receiver, Fate.DELIVERED):
                pass

    def _next(self, receiver: str) -> OutboxMessage | None:
        """The oldest that shares no incident with an unfinished one before it."""
        before: set[str] = set()
        for entry in self.outbox:
            if entry.message.receiver == receiver and entry.state == "waiting":
                incidents = {n.incident for n in entry.message.notices}
                if not incidents & before:
                    return entry
                before |= incidents
        return None

    def _drop_orphans(self, entry: OutboxMessage) -> None:
        """What rests on a beginning that was refused is not said."""
        told = self.told()
        kept = tuple(n for n in entry.message.notices if n.event is Event.FIRST or _event(told, n, entry.message.receiver) is not None)
        message = entry.message
        entry.message = Message(
            message.id, message.receiver, message.target, message.created_at, kept, message.not_before, message.since, message.service,
            message.group_id,
        )  # fmt: skip

    def _arrive(self, message: Message) -> None:
        if message.id not in self.arrived:
            self.arrived.add(message.id)
            for notice in message.notices:
                self.heard[message.receiver, notice.incident].append(notice)


def _told(before: Notified | None, notice: Notice, entry: OutboxMessage) -> Notified:
    to, group, settings = entry.message.receiver, entry.message.group_id, entry.settings
    if entry.state == "dead":
        event, severity, sequence = (before.event, before.severity, before.sequence) if before else (None, notice.severity, 0)
        return Notified(notice.incident, to, event, severity, sequence, 0.0, notice.event, settings, group)
    return Notified(notice.incident, to, notice.event, notice.severity, notice.sequence, entry.message.created_at, None, settings, group)


def _event(told: dict[tuple[str, str], Notified], notice: Notice, receiver: str) -> Event | None:
    found = told.get((notice.incident, receiver))
    return found.event if found else None
