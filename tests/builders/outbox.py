"""Incidents, notices, messages and plans in one line each, and a receiver with programmed answers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from msgspec.structs import replace

from watchdog.core.incidents.lifecycle import Ended, Incident, State, Transition
from watchdog.core.incidents.messages import Event, Message, Notice
from watchdog.core.incidents.notify import decide_notifications
from watchdog.core.incidents.outcome import Delivered, Outcome
from watchdog.core.incidents.payload import encode
from watchdog.core.incidents.plan import Loaded, Plan
from watchdog.core.incidents.routing import Recipient
from watchdog.core.incidents.wanted import JudgedIncident
from watchdog.core.judging.findings import Verdict
from watchdog.core.model.severity import Severity
from watchdog.store import Store
from watchdog.store.sql import DatabasePlace

T0 = 1_795_338_900.0  # 2026-11-22T09:15:00Z


def incident(name: str = "A", *, target: str = "prod", state: State = State.FIRING, started_at: float = T0) -> Incident:
    ended = state in (State.RESOLVED, State.DROPPED)
    return Incident(
        id=f"01INCIDENT{name}",
        fingerprint=f"f00d{name.lower()}",
        rule="QueueBacklogHigh",
        identity="queues: length > :limit",
        target=target,
        key={"name": name},
        state=state,
        severity=Severity.WARNING,
        started_at=started_at,
        fired_at=None if state in (State.PENDING, State.DROPPED) else started_at,
        resolved_at=started_at + 60 if ended else None,
        ended=Ended.RECOVERED if ended else None,
        labels={"team": "data"},
        values={"length": 60.0, "drain_s": float("inf"), "declared": True, "oldest_s": None},
        summary=f"{name} holds 60 messages",
        inhibits=("QueueGrowing",),
    )


def over(burning: Incident, at: float = T0 + 60) -> Incident:
    return replace(burning, state=State.RESOLVED, ended=Ended.RECOVERED, resolved_at=at)


def notice(about: Incident | str = "A", event: Event = Event.FIRST, sequence: int = 1, severity: Severity = Severity.WARNING) -> Notice:
    of = incident(about) if isinstance(about, str) else about
    return Notice(
        incident=of.id,
        fingerprint=of.fingerprint,
        event=event,
        rule=of.rule,
        target=of.target,
        severity=severity,
        state="resolved" if event is Event.RESOLVED else "firing",
        key=of.key,
        started_at=of.started_at,
        fired_at=of.fired_at,
        sequence=sequence,
        ended="recovered" if event is Event.RESOLVED else None,
        resolved_at=of.started_at + 60 if event is Event.RESOLVED else None,
        labels=of.labels,
        values=of.values,
        summary=of.summary,
        targets=(of.target,),
    )


def message(name: str, *notices: Notice, receiver: str = "ops", at: float = T0, not_before: float = 0.0) -> Message:
    return Message(f"01MESSAGE{name}", receiver, "prod", at, notices or (notice(),), not_before)


def plan(
    *messages: Message, incidents: Sequence[Incident] = (), withdrawn: Sequence[str] = (), at: float = T0, target: str = "prod"
) -> Plan:
    moves = tuple(Transition(i.id, at, "", i.state, "breach") for i in incidents)
    return Plan(target, at, tuple(incidents), moves, tuple(messages), tuple(withdrawn))


def commit(store: Store, *plans: Plan) -> None:
    for one in plans:
        with store.cycle() as transaction:
            transaction.load(one.target)
            transaction.commit(one)


def load(store: Store, target: str = "prod") -> Loaded:
    with store.cycle() as transaction:
        return transaction.load(target)


def look(store: Store, recipients: Sequence[Recipient], *incidents: Incident, now: float = T0, target: str = "prod") -> None:
    """The notifications of one cycle: these incidents were seen in breach, the others are over."""
    with store.cycle() as transaction:
        loaded = transaction.load(target)
        judged = [JudgedIncident(one, Verdict.BREACH) for one in incidents] + [
            JudgedIncident(one, Verdict.NONE) for one in loaded.unsettled
        ]
        messages, withdrawn = decide_notifications(judged, loaded, recipients, target, now, "watchdog")
        transaction.commit(plan(*messages, incidents=incidents, withdrawn=withdrawn, at=now, target=target))


def unfinished_targets(store: Store) -> frozenset[str]:
    with store.cycle() as transaction:
        return transaction.unfinished_targets()


def attempt(store: Store, outcome: Outcome, *, now: float = T0, receiver: str = "ops", settings: str = "s1") -> str | None:
    """Claim what is next and settle it so; its id."""
    claimed = store.claim(receiver, now, settings, encode)
    if claimed is None:
        return None
    store.settle(claimed.message.id, outcome, now)
    return claimed.message.id


def opened(place: DatabasePlace, busy_timeout_s: float = 0.2) -> Store:
    """The store in a folder, or in a database of PostgreSQL."""
    if isinstance(place, Path):
        return Store.open(place / "watchdog.db", busy_timeout_s=busy_timeout_s)
    return Store.open(place, busy_timeout_s=0.5)


@dataclass
class FakeReceiver:
    """Answers with the next of `then`, else `Delivered`; calls `before` first."""

    name: str = "ops"
    human: bool = False
    settings: str = "s1"
    longest_s: float = 1.0
    address: str = ""
    per_second: float = float("inf")
    then: list[Outcome | Exception] = field(default_factory=list)
    sent: list[tuple[str, bytes]] = field(default_factory=list)
    before: Callable[[], object] = lambda: None

    def __post_init__(self) -> None:
        self.address = self.address or self.name

    def render(self, message: Message) -> bytes:
        return encode(message)

    def send(self, body: bytes, message_id: str, now: float) -> Outcome:
        self.before()
        self.sent.append((message_id, body))
        answer = self.then.pop(0) if self.then else Delivered()
        if isinstance(answer, Exception):
            raise answer
        return answer

    def close(self) -> None:
        """Nothing is open."""

    @property
    def ids(self) -> list[str]:
        return [sent for sent, _ in self.sent]
