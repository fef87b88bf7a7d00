"""The fleet as remembered: every worker once seen, with what its last looks showed.

`fleet_look` makes of it what one look shows, `refreshes` asks whom silence leaves open, `workers` makes rows of it.
"""

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct, field
from msgspec.structs import replace

from watchdog.core.model.gaps import Gap
from watchdog.core.model.queries import InspectAll, Inspected, InspectedNow, InspectOne, Query
from watchdog.core.model.replies import Replies, WorkerBeat, WorkerInspection
from watchdog.core.model.target import Target, covers
from watchdog.tables.workers.broker_presence import BrokerPresence
from watchdog.tables.workers.clocks import Drift
from watchdog.tables.workers.flower_presence import FlowerPresence
from watchdog.tables.workers.heartbeat_rates import HeartbeatRate

__all__ = ["FRESH_S", "KnownWorker", "KnownWorkers", "inspections", "known_workers_of", "of_two_processes", "passed", "refreshing"]

FRESH_S = 600.0
"""How old an inspection may be before what it says of queues counts as unknown."""


class KnownWorker(Struct, frozen=True):
    """One worker once seen. Times are epoch seconds by our clock; what no look has told yet is None."""

    name: str
    first_seen_at: float
    state: str = ""
    """online, left, lost; empty while it is unknown and was never anything else."""
    unknown: str = ""
    """Why its state is unknown now; empty where it is known."""
    online_at: float | None = None
    """When it was last known to be online."""
    gone_s: float = 0.0
    """Watched seconds since then in which its silence could be believed."""
    peers_online: int = 0
    """How many of its kind that serve its queues, itself included, were online then."""
    replaced: bool = False
    """Since then as many were online again."""
    beat: WorkerBeat | None = None
    inspection: WorkerInspection | None = None
    restarted_at: tuple[float, ...] = ()
    crashed_at: tuple[float, ...] = ()
    """Those of them before which it said no goodbye."""
    pids: tuple[int, ...] = ()
    """The last ones that were heard."""
    turned_at: float | None = None
    """When an earlier process of it was last heard again: two of them take turns under its name."""
    rate: HeartbeatRate | None = None
    """How often its heartbeats come."""
    busy: bool = False
    """It is silent, and believed to be at work: see `silence`."""
    longest_s: float = 0.0
    """The longest silence of this process after which it was heard again: so long a task of it may run."""
    fell_at: float | None = None
    """When its task count last fell though its process is the same and did not say hello."""
    started: frozenset[str] = frozenset()
    """Ids of the tasks that Flower listed as started on it when it was last online."""
    never_ended: frozenset[str] = frozenset()
    """Those of them that it does not execute: see `remains`."""
    heard_at: float | None = None
    """When a new heartbeat of it was last seen."""
    drift: Drift = (None, None)
    """How far its clock is ahead of Flower's: see `worker_clocks`."""
    asked_at: float | None = None
    asked: int = 0
    """How many refreshes in a row brought no answer of it."""
    answered_at: float | None = None
    """When it last answered one."""
    vouched_at: float | None = None
    """When it last answered one while no heartbeat was heard of it; None once one is heard, or a refresh was not answered."""

    @property
    def born_at(self) -> float | None:
        """When its process began, as it said itself (Flower's clock); None where it did not say."""
        seen = self.inspection
        if seen is None or seen.at is None or seen.uptime_s is None or self.another_process:
            return None
        return seen.at - seen.uptime_s

    def inspected_s(self, now: float) -> float | None:
        """How old its inspection is: by its own time, or by ours where Flower's clock is behind; None without one."""
        if self.inspection is None or self.inspection.at is None:
            return None
        return max(now - max(self.inspection.at, self.answered_at or 0.0), 0.0)

    @property
    def clock_drift_s(self) -> float | None:
        """How far its clock is ahead of Flower's (seconds; negative: behind); None where nothing tells."""
        return self.drift[0]

    @property
    def another_process(self) -> bool:
        """Whether its inspection is of an earlier process than its heartbeats."""
        return of_two_processes(self.beat, self.inspection)


def of_two_processes(beat: WorkerBeat | None, inspection: WorkerInspection | None) -> bool:
    """Whether both tell their process, and it is not the same."""
    if beat is None or inspection is None or beat.pid is None or inspection.pid is None:
        return False
    return beat.pid != inspection.pid


class KnownWorkers(Struct, frozen=True):
    """What the `workers` table remembers."""

    known: Mapping[str, KnownWorker] = field(default_factory=dict)
    forgotten: frozenset[str] = frozenset()
    """Names that Flower still lists as not online and that were let go."""
    broker: BrokerPresence = field(default_factory=BrokerPresence)
    flower: FlowerPresence = field(default_factory=FlowerPresence)
    refreshed_at: float | None = None
    """When every worker was last asked to report."""
    looked_at: float | None = None
    """The last look that reached Flower."""
    flower_ahead_s: float = 0.0
    """How far Flower's clock was ahead of ours at the last refresh (seconds)."""


def known_workers_of(memory: object) -> KnownWorkers:
    """The memory of the `workers` table, or an empty one."""
    return memory if isinstance(memory, KnownWorkers) else KnownWorkers()


def refreshing(refreshes: Sequence[InspectOne | InspectAll]) -> list[Query]:
    """These refreshes, after what Flower shows before them: a worker has answered if its inspection differs from that."""
    return [InspectedNow(), *refreshes] if refreshes else []


def inspections(replies: Replies, known_workers: KnownWorkers, target: Target) -> dict[str, WorkerInspection]:
    """The newest inspection of each of the target's workers, from memory, Flower's cache and this cycle's refreshes.

    A refresh wins whatever its time says (Flower's clock may have been set back). `reserved` and `active` are taken from a refresh of
    that one worker alone: Flower 2.2 keeps an old value beside a new time otherwise.
    """
    return replies.once(_inspections, known_workers, target)


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
    together = {seen.name: replace(seen, reserved=None, active=None) for seen in _answers(replies, [InspectAll()])}
    found = {**newest, **alone, **together}
    return {name: seen for name, seen in found.items() if covers(name, target.workers)} if target.workers else found


def _answers(replies: Replies, queries: Iterable[Inspected | InspectedNow | InspectOne | InspectAll]) -> Iterable[WorkerInspection]:
    for query in queries:
        answer = replies.get(query, dict[str, WorkerInspection])
        if not isinstance(answer, Gap):
            yield from answer.values()


def passed(since: float | None, now: float, wait_s: float) -> bool:
    """Whether `wait_s` have passed since then; true where it never was, and where it lies ahead of us (the clock was set back)."""
    return since is None or now < since or now - since >= wait_s
