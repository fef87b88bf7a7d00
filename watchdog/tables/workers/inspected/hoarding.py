"""Workers that have fetched far more than they execute, while others that consume the same queues have nothing to do.

A message that a worker has fetched waits for that worker, and shows in no queue. With Celery's default a worker fetches 4 for each process
of its pool, and each message with an ETA raises its `prefetch_count` by one. Whoever can hold no more than that is not asked; the others
are asked what they hold only while a worker beside them is idle. Messages that a rate limit holds back are in no worker's answer.
Input: what is known of each worker. Output: the queries, then the messages that each one hoards, or why that is unknown.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from msgspec import Struct

from watchdog.core.model.gaps import Gap
from watchdog.core.model.queries import InspectOne, Query
from watchdog.core.model.replies import HeldMessages, Replies, WorkerBeat, WorkerInspection
from watchdog.core.model.servers.worker_queries import HeldByWorkers
from watchdog.core.model.target import Target
from watchdog.tables.workers.memory import KnownWorker, refreshing

__all__ = ["Hoarding", "Perceived", "queries_about", "when_known", "when_seen"]

USUAL = 4
"""Celery's default of worker_prefetch_multiplier."""
SAID_S = 60.0
"""How long an answer of Flower about one worker says what that worker holds."""
MOST_ASKED = 3
"""Most workers that Flower is asked to refresh for this in one poll."""
NOT_YET = "it has not said yet what it holds"
NO_ANSWER = "celery: asked what it holds, it did not answer, as a solo pool while it executes a task"


class Perceived(Struct, frozen=True, gc=False):
    """An online worker: what it executes by its heartbeat, and its last inspection."""

    name: str
    active: int | None
    inspection: WorkerInspection | None
    said_s: float | None = None
    """Age of that inspection."""

    @property
    def queues(self) -> tuple[str, ...]:
        """The queues that it consumes, as far as they are known."""
        return (self.inspection.queues if self.inspection else None) or ()

    @property
    def is_idle(self) -> bool:
        """Whether it has nothing to do."""
        return self.active == 0

    @property
    def may_hoard(self) -> bool:
        """Whether it may fetch more than Celery's default lets it."""
        return self.inspection is not None and _may_hoard(self.inspection)


def _may_hoard(seen: WorkerInspection) -> bool:
    """Whether its prefetch count is above Celery's default. 0 is no limit."""
    if seen.prefetch is None or seen.pool_size is None:
        return False
    return seen.prefetch == 0 or seen.prefetch > USUAL * seen.pool_size


def when_seen(
    online: Mapping[str, bool], beats: Mapping[str, WorkerBeat], inspected: Mapping[str, WorkerInspection], now: float
) -> tuple[Perceived, ...]:
    """Return the online workers as the replies so far show them; none if no worker may hoard, as nearly always."""
    if not any(map(_may_hoard, inspected.values())):
        return ()
    names = [name for name, heard in online.items() if heard]
    return tuple([_perceived(name, beats.get(name), inspected.get(name), now) for name in names])


def when_known(workers: Collection[KnownWorker], now: float) -> tuple[Perceived, ...]:
    """Return the online workers as they are known after a poll; none if no worker may hoard."""
    if not any(w.inspection is not None and _may_hoard(w.inspection) for w in workers):
        return ()
    online = [w for w in workers if w.state == "online" and not w.unknown and not w.busy]
    return tuple([_perceived(w.name, w.beat, w.inspection, now) for w in online])


def _perceived(name: str, beat: WorkerBeat | None, seen: WorkerInspection | None, now: float) -> Perceived:
    age = None if seen is None or seen.at is None else max(now - seen.at, 0.0)
    return Perceived(name, beat.active if beat is not None else None, seen, age)


def queries_about(workers: Sequence[Perceived], replies: Replies, target: Target, prefix: str) -> list[Query]:
    """Return what to ask those that may hoard beside an idle worker: themselves; where that is refused, Flower about a few of them."""
    hoarding = Hoarding(workers, replies)
    suspects = [worker for worker in workers if worker.may_hoard and hoarding.idle_beside(worker)]
    if not suspects:
        return []
    if "celery" in target.sources:
        query = HeldByWorkers(tuple(sorted(worker.name for worker in suspects)), prefix)
        if not replies.asked(query):
            return [query]
        if not isinstance(replies.get(query, dict), Gap):
            return []
    untold = [w.name for w in suspects if w.inspection is None or w.inspection.reserved is None or w.said_s is None or w.said_s > SAID_S]
    return refreshing([InspectOne(name) for name in sorted(untold)[:MOST_ASKED]]) if "flower" in target.sources else []


class Hoarding:
    """What one poll shows of it."""

    def __init__(self, workers: Sequence[Perceived], replies: Replies) -> None:
        self._idle = Counter(queue for worker in workers if worker.is_idle for queue in worker.queues)
        answers = [replies.get(query, dict[str, HeldMessages]) for query in replies.answers if isinstance(query, HeldByWorkers)]
        self._why = next((answer.reason for answer in answers if isinstance(answer, Gap)), "")
        self._held = {name: held for answer in answers if not isinstance(answer, Gap) for name, held in answer.items()}
        self._asked = {name for query in replies.answers if isinstance(query, HeldByWorkers) for name in query.workers}
        self._workers = {worker.name: worker for worker in workers}

    def held(self, name: str) -> int | None:
        """Return the messages that a worker said it has fetched and not started; None if it was not asked, or did not say."""
        held = self._held.get(name)
        return None if held is None else held.count

    def idle_beside(self, worker: Perceived) -> frozenset[str]:
        """Return those of its queues that another worker consumes which has nothing to do."""
        itself = 1 if worker.is_idle else 0
        return frozenset(queue for queue in worker.queues if self._idle[queue] > itself)

    def of(self, name: str) -> int | str:
        """Return the messages that a worker hoards, or why that is unknown; 0 if nothing shows any."""
        worker = self._workers.get(name)
        if worker is None or not worker.may_hoard or worker.inspection is None:
            return 0
        idle = self.idle_beside(worker)
        if not idle:
            return 0
        held = self._of_queues(worker, idle)
        if held is None:
            return self._why or (NO_ANSWER if name in self._asked else NOT_YET)
        return held if held > USUAL * (worker.inspection.pool_size or 0) else 0

    def _of_queues(self, worker: Perceived, idle: frozenset[str]) -> int | None:
        """Return what it holds that an idle worker could execute. Flower does not say from which queues it came."""
        if worker.name in self._held:
            all_of_it = idle.issuperset(worker.queues)  # else a routing key of a topic exchange may be of a queue that nobody idle consumes
            return sum(count for key, count in self._held[worker.name].reserved.items() if all_of_it or key in idle)
        seen = worker.inspection
        if seen is None or seen.reserved is None or worker.said_s is None or worker.said_s > 2 * SAID_S:
            return None
        return seen.reserved if idle.issuperset(worker.queues) else 0
