"""The known workers: every worker once seen, with what the last polls showed of it.

`states` computes the states of one poll, `refreshes` asks workers whose silence is unexplained, `table` creates the rows.
"""

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct, field
from msgspec.structs import replace

from watchdog.core.model.gaps import Gap
from watchdog.core.model.queries import InspectAll, Inspected, InspectedNow, InspectOne, Query
from watchdog.core.model.replies import Replies, WorkerBeat, WorkerInspection
from watchdog.core.model.servers.worker_queries import InspectWorkers
from watchdog.core.model.target import Target, covers
from watchdog.tables.workers.clocks import AHEAD_S, Drift
from watchdog.tables.workers.heartbeat_rates import HeartbeatRate
from watchdog.tables.workers.inspected.usage import CpuUse
from watchdog.tables.workers.names import kind_of
from watchdog.tables.workers.presence import BrokerPresence, FlowerPresence
from watchdog.tables.workers.silence import NOT_DEAF

__all__ = [
    "FRESH_S",
    "INSPECTING",
    "KnownWorker",
    "KnownWorkers",
    "inspections",
    "known_workers_of",
    "of_two_processes",
    "passed",
    "refreshing",
]

INSPECTING = frozenset({Inspected, InspectedNow, InspectOne, InspectAll, InspectWorkers})
"""The queries whose answers are inspections."""
FRESH_S = 600.0
"""Seconds after which what an inspection says of queues counts as unknown."""


class KnownWorker(Struct, frozen=True, gc=False, omit_defaults=True):
    """One worker once seen. Times are epoch seconds by our clock. What no poll has shown yet is None."""

    name: str
    first_seen_at: float
    state: str = ""
    """online, left, lost; empty if it is unknown and was never known."""
    unknown: str = ""
    """Why its state is unknown now; empty if it is known."""
    online_at: float | None = None
    """When it was last known to be online."""
    gone_s: float = 0.0
    """Watched seconds since then in which silence was evidence."""
    peers_online: int = 0
    """Number of workers of its kind that served its queues and were online at that time, itself included."""
    replaced: bool = False
    """Whether as many were online again since then."""
    beat: WorkerBeat | None = None
    inspection: WorkerInspection | None = None
    restarted_at: tuple[float, ...] = ()
    crashed_at: tuple[float, ...] = ()
    """Those restarts that followed no goodbye."""
    returned_at: tuple[float, ...] = ()
    """When the same process was heard again after it was lost."""
    pids: tuple[int, ...] = ()
    """The last pids heard."""
    turned_at: float | None = None
    """When an earlier process was last heard again: two processes take turns under its name."""
    rate: HeartbeatRate | None = None
    """How often its heartbeats come."""
    cpu: CpuUse | None = None
    """What its main process uses, by its inspections."""
    busy: bool = False
    """Whether it is silent and believed to execute a task: see `silence`."""
    longest_s: float = 0.0
    """Longest silence after which this process was heard again: a task of it may run that long."""
    fell_at: float | None = None
    """When its task count last fell although its process is the same and did not say hello."""
    started: frozenset[str] = frozenset()
    """Ids of the tasks that Flower listed as started on it when it was last online."""
    never_ended: frozenset[str] = frozenset()
    """Those of them that it does not execute: see `evidence`."""
    heard_at: float | None = None
    """When a new heartbeat was last seen."""
    drift: Drift = (None, None)
    """How far its clock is ahead of Flower's: see `clocks`."""
    ear_at: float | None = None
    """When it was last heard by its own events, by our clock; None if nobody listens, or it was not heard since."""
    own_ahead_s: float | None = None
    """How far its clock is ahead of Flower's by the times in its events; None if they do not show it."""
    responsive: bool = False
    """Whether its process was heard while it executed a task, which a solo pool never is."""
    asked_at: float | None = None
    asked: int = 0
    """Number of consecutive refreshes that it did not answer."""
    answered_at: float | None = None
    """When it last answered a refresh."""
    vouched_at: float | None = None
    """When it last answered one while no heartbeat was heard. None once one is heard, or a refresh is not answered."""

    @property
    def born_at(self) -> float | None:
        """When its process started, as it reported (Flower's clock); None if it did not."""
        seen = self.inspection
        if seen is None or seen.at is None or seen.uptime_s is None or self.another_process:
            return None
        return seen.at - seen.uptime_s

    @property
    def pool(self) -> str | None:
        """Its kind of pool, as far as that is known."""
        if self.inspection is not None:
            return self.inspection.pool
        return NOT_DEAF if self.responsive else None

    def inspected_s(self, now: float) -> float | None:
        """Return the age of its inspection: by the inspection's time, or by ours if Flower's clock is behind; None without one."""
        if self.inspection is None or self.inspection.at is None:
            return None
        return max(now - max(self.inspection.at, self.answered_at or 0.0), 0.0)

    @property
    def clock_drift_s(self) -> float | None:
        """Seconds by which its clock is ahead of Flower's (negative: behind); None if unknown.

        Flower shows it by task events alone; the times in heartbeats are the worker's own, in any time zone.
        """
        shown, own = self.drift[0], self.own_ahead_s
        return own if own is not None and abs(own) > AHEAD_S and abs(shown or 0.0) <= AHEAD_S else shown

    @property
    def another_process(self) -> bool:
        """Whether its inspection comes from an earlier process than its heartbeats."""
        return of_two_processes(self.beat, self.inspection)


def of_two_processes(beat: WorkerBeat | None, inspection: WorkerInspection | None) -> bool:
    """Whether both report a pid, and the pids differ."""
    if beat is None or inspection is None or beat.pid is None or inspection.pid is None:
        return False
    return beat.pid != inspection.pid


class KnownWorkers(Struct, frozen=True):
    """The memory of the `workers` table."""

    known: Mapping[str, KnownWorker] = field(default_factory=dict)
    forgotten: frozenset[str] = frozenset()
    """Forgotten names that Flower still lists as offline."""
    broker: BrokerPresence = field(default_factory=BrokerPresence)
    flower: FlowerPresence = field(default_factory=FlowerPresence)
    refreshed_at: float | None = None
    """When all workers were last asked to report."""
    looked_at: float | None = None
    """The last poll that reached Flower."""
    flower_ahead_s: float = 0.0
    """Seconds by which Flower's clock was ahead of ours at the last refresh."""
    kinds: tuple[str, ...] = ()
    """The target's `kinds` at this poll."""
    unanswered: Mapping[str, float] = field(default_factory=dict)
    """Where workers are asked directly: a name with a mailbox that never answered -> since when. A busy solo pool, or killed long ago."""

    def kind(self, name: str) -> str:
        """Return the kind of a worker, by its name."""
        return kind_of(name, self.kinds)


def known_workers_of(memory: object) -> KnownWorkers:
    """Return the memory of the `workers` table, or an empty one."""
    return memory if isinstance(memory, KnownWorkers) else KnownWorkers()


def refreshing(refreshes: Sequence[InspectOne | InspectAll]) -> list[Query]:
    """These refreshes, after what Flower shows before them: a worker has answered if its inspection differs from that."""
    return [InspectedNow(), *refreshes] if refreshes else []


def inspections(replies: Replies, known_workers: KnownWorkers, target: Target) -> dict[str, WorkerInspection]:
    """Return the newest inspection of each of the target's workers: from memory, Flower's cache, this cycle's refreshes and own answers.

    A refresh wins regardless of its time (Flower's clock may have been set back). `reserved` and `active` are only taken from a refresh of
    that worker alone: otherwise Flower 2.2 keeps an old value beside a new time.
    """
    return replies.once(_inspections, known_workers, target, of=INSPECTING)


def _inspections(replies: Replies, known_workers: KnownWorkers, target: Target) -> dict[str, WorkerInspection]:
    newest = {name: w.inspection for name, w in known_workers.known.items() if w.inspection is not None}
    for seen in _answers(replies, [Inspected(), InspectedNow()]):
        old = newest.get(seen.name)
        if old is None or (seen.at or 0.0) > (old.at or 0.0):
            newest[seen.name] = replace(seen, reserved=None, active=None)
    alone = {}
    for seen in _answers(replies, [q for q in replies.answers if isinstance(q, InspectOne)]):
        old = newest.get(seen.name)
        alone[seen.name] = seen if old is None or seen.at != old.at else replace(seen, reserved=None, active=None)  # it did not answer
    alone |= {seen.name: seen for seen in _answers(replies, [q for q in replies.answers if isinstance(q, InspectWorkers)])}
    together = {seen.name: replace(seen, reserved=None, active=None) for seen in _answers(replies, [InspectAll()])}
    found = {**newest, **alone, **together}
    return {name: seen for name, seen in found.items() if covers(name, target.workers)} if target.workers else found


def _answers(replies: Replies, queries: Iterable[Query]) -> Iterable[WorkerInspection]:
    for query in queries:
        answer = replies.get(query, dict[str, WorkerInspection])
        if not isinstance(answer, Gap):
            yield from answer.values()


def passed(since: float | None, now: float, wait_s: float) -> bool:
    """Whether `wait_s` have passed since then; true if it never happened, or lies in the future (the clock was set back)."""
    return since is None or now < since or now - since >= wait_s
