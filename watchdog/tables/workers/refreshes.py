"""Which workers to refresh, and when: the costly queries of the `workers` table, each with a limit and a back-off.

One worker by name costs 0.05 s if it answers and 2 s if it does not; all of them cost 1 s (Flower 2.2, measured). No worker is asked while
the broker is down, because Flower would wait for it.
"""

from collections.abc import Sequence
from functools import cached_property

from watchdog.core.model.gaps import Gap
from watchdog.core.model.queries import InspectAll, InspectOne, Query, WorkerHeartbeats, WorkerStatus
from watchdog.core.model.replies import Replies, WorkerBeat
from watchdog.core.model.rows import Asking
from watchdog.core.model.target import Target
from watchdog.tables.workers.evidence import LISTENING, heard_of, listed_by_flower, lives_again, own_events, said_goodbye
from watchdog.tables.workers.inspected.hoarding import Perceived, queries_about, when_seen
from watchdog.tables.workers.inspected.pongs import hears_later, key_prefix_known, key_prefix_of, ping_first
from watchdog.tables.workers.memory import FRESH_S, INSPECTING, KnownWorker, KnownWorkers, inspections, of_two_processes, passed, refreshing
from watchdog.tables.workers.presence import broker_presence, flower_presence
from watchdog.tables.workers.silence import may_be_deaf, questions
from watchdog.tables.workers.states import VOUCHED_S

__all__ = ["queries_due"]

ALL_EVERY_S = 300.0
ALL_AFTER_404_S = 60.0
ONE_BY_ONE = 3
"""For more workers than this, asking all is cheaper."""
SHORTEST_WAIT_S = 10.0
LONGEST_WAIT_S = 300.0
NOBODY_HEARD_S = 60.0
"""Longest wait while no worker sends heartbeats.

Flower 2.2 receives no events for minutes after its broker is back, and only a refresh shows who is alive.
"""


def queries_due(asking: Asking, known_workers: KnownWorkers) -> list[Query]:
    """Return the refreshes due now, then what shows whether silent workers execute tasks; none before Flower's first answer."""
    status = asking.replies.get(WorkerStatus(), dict[str, bool])
    if isinstance(status, Gap):
        return []
    due = asking.replies.once(_Due, asking.target, known_workers, asking.now, of=INSPECTING | LISTENING)
    broker = broker_presence(known_workers.broker, asking.target, asking.replies, asking.now)
    if broker.down:
        return questions(due.deaf)
    settled = broker.unsettled(asking.now) is None
    settled = settled and flower_presence(known_workers.flower, asking.target, asking.replies, asking.now).unsettled(asking.now) is None
    prefix = key_prefix_of(known_workers)
    waits = hears_later(asking.replies, asking.target, known_workers)
    late = "events" in asking.target.sources and asking.target.key_prefix is None and not key_prefix_known(known_workers)
    fell_silent = due.silent if settled and not waits else []
    pings, silent = ping_first(fell_silent, asking.replies, asking.target, prefix, last_round=late)
    silent += [name for name in fell_silent if name not in due.inspected and name not in silent]  # unknown pools: two rounds for Flower
    refreshes = refreshing(_refreshes(asking, known_workers, due, silent, settled=settled))
    held = queries_about(due.online, asking.replies, asking.target, prefix)
    return [*pings, *refreshes, *held, *questions(due.deaf)]


def _refreshes(
    asking: Asking, known_workers: KnownWorkers, due: "_Due", silent: Sequence[str], *, settled: bool
) -> Sequence[InspectOne | InspectAll]:
    replies, now = asking.replies, asking.now
    if replies.asked(InspectAll()):
        return []
    if known_workers.refreshed_at is not None and passed(known_workers.refreshed_at, now, ALL_EVERY_S):
        return [InspectAll()]
    if any(isinstance(q, InspectOne) and replies.get(q, dict) == {} for q in replies.answers):  # 404: Flower knows no such worker
        return [InspectAll()] if passed(known_workers.refreshed_at, now, ALL_AFTER_404_S) else []
    names = [*due.with_old_inspections, *silent]
    nobody = settled and not due.known and known_workers.refreshed_at is None  # "no worker at all" must be confirmed by a refresh
    return [InspectAll()] if nobody or len(names) > ONE_BY_ONE else [InspectOne(name) for name in names]


class _Due:
    """The workers to ask in this poll."""

    def __init__(self, replies: Replies, target: Target, known_workers: KnownWorkers, now: float) -> None:
        self.now, self.forget_after_s = now, target.forget_after_s
        self.beats, self.events = _beats(replies), own_events(replies, target)
        self.status = heard_of(replies, known_workers, target, now)
        self.inspected = inspections(replies, known_workers, target)
        status = listed_by_flower(replies, target)
        heard = {name for name in (*status, *self.inspected) if name not in known_workers.forgotten or status.get(name)}
        self.known = {name: known_workers.known.get(name) or KnownWorker(name, now) for name in sorted(heard | set(known_workers.known))}

    @cached_property
    def online(self) -> Sequence[Perceived]:
        """The workers that are heard; none if no worker may hoard."""
        return when_seen(self.status, self.beats, self.inspected, self.now)

    @cached_property
    def with_old_inspections(self) -> list[str]:
        """Return online workers whose queues are unknown: the inspection is not in Flower's cache, too old, or of an earlier process."""
        online = [worker for name, worker in self.known.items() if self.status.get(name)]
        return [worker.name for worker in online if self._is_to_be_inspected(worker)]

    @cached_property
    def silent(self) -> list[str]:
        """Return workers whose silence a refresh could explain: no goodbye, and not gone for long."""
        return [worker.name for worker in self._silent if self._seen_lately(worker) and self._may_ask_silent(worker)]

    @cached_property
    def deaf(self) -> list[str]:
        """Return the silent workers that may be silent because they execute a task."""
        lately = [worker for worker in self._silent if self._seen_lately(worker) and worker.state != "lost"]
        return [w.name for w in lately if may_be_deaf(seen.pool if (seen := self.inspected.get(w.name)) is not None else None)]

    @cached_property
    def _silent(self) -> list[KnownWorker]:
        return [worker for name, worker in self.known.items() if not self.status.get(name) and not self._left(worker)]

    def _is_to_be_inspected(self, worker: KnownWorker) -> bool:
        """Whether its queues are unknown, and it may be asked: at once if it has just restarted."""
        if self._another_process(worker):
            return not worker.another_process or self._may_ask_online(worker)
        return self._inspection_is_old(worker) and self._may_ask_online(worker)

    def _inspection_is_old(self, worker: KnownWorker) -> bool:
        seen = self.inspected.get(worker.name)
        if seen is None or seen.at is None or seen.queues is None or (seen.pool is None and seen.pid is None):
            return True  # or one that began as Flower asked: of its questions it answered some
        return self.now - max(seen.at, worker.answered_at or 0.0) > FRESH_S

    def _another_process(self, worker: KnownWorker) -> bool:
        return of_two_processes(self.beats.get(worker.name), self.inspected.get(worker.name))

    def _may_ask_online(self, worker: KnownWorker) -> bool:
        """Whether the back-off has passed. It is short if the worker answered while starting, before it knew its queues."""
        if worker.asked == 0:
            seen = self.inspected.get(worker.name)
            starting = seen is not None and seen.queues is None and (seen.uptime_s or 0.0) < VOUCHED_S
            return passed(worker.asked_at, self.now, SHORTEST_WAIT_S if starting else VOUCHED_S)
        return passed(worker.asked_at, self.now, _back_off(worker))

    def _left(self, worker: KnownWorker) -> bool:
        beat = self.beats.get(worker.name)
        if worker.vouched_at is not None:
            return False
        if self.events is not None and (heard := self.events.workers.get(worker.name)) is not None:
            return heard.gone
        if worker.state == "left":
            return beat is None or not lives_again(worker.beat, beat, listed_online=False)
        return beat is not None and worker.name in self.status and said_goodbye(worker.beat, beat, listed_online=False)

    def _seen_lately(self, worker: KnownWorker) -> bool:
        if worker.online_at is not None:
            return worker.gone_s <= self.forget_after_s
        beat, seen = self.beats.get(worker.name), self.inspected.get(worker.name)
        signs = [beat.heartbeats[-1] if beat and beat.heartbeats else None, seen.at if seen else None]
        return self.now - max((at for at in signs if at is not None), default=0.0) <= self.forget_after_s

    def _may_ask_silent(self, worker: KnownWorker) -> bool:
        """Whether to ask: at once if it just fell silent, again before its last answer expires, otherwise after the back-off."""
        if worker.asked == 0:
            return passed(worker.vouched_at, self.now, VOUCHED_S / 2)
        longest_s = LONGEST_WAIT_S if any(self.status.values()) else NOBODY_HEARD_S
        return passed(worker.asked_at, self.now, min(_back_off(worker), longest_s))


def _back_off(worker: KnownWorker) -> float:
    return min(SHORTEST_WAIT_S * 2.0 ** min(worker.asked - 1, 10), LONGEST_WAIT_S)


def _beats(replies: Replies) -> dict[str, WorkerBeat]:
    beats = replies.get(WorkerHeartbeats(), dict[str, WorkerBeat])
    return {} if isinstance(beats, Gap) else beats
