"""A fake cluster in which all is well, that a test changes between two polls: it answers every query as Flower and Redis would."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import inf
from typing import Any

from msgspec.structs import replace

from tests.builders.answers import INTERVAL, NOW, a_beat, a_node, a_server, an_inspection, counters
from watchdog.core.model.gaps import Gap
from watchdog.core.model.queries import (
    CountFlushes,
    FailedTasks,
    HashSize,
    HearWorkers,
    Inspected,
    InspectedNow,
    ListLengths,
    LowestScore,
    OfKeys,
    OldestMessage,
    Ping,
    Query,
    QueueLengths,
    ReadEventCounters,
    ReadResultsServer,
    ReadServer,
    RecentTasks,
    RevokedTasks,
    RunningTasks,
    ScanKeys,
    SucceededTasks,
    TaskMeta,
    WholeTask,
    WorkerHeartbeats,
    WorkersTasks,
    WorkerStatus,
)
from watchdog.core.model.replies import (
    Held,
    HeldMessages,
    KeysFound,
    MessageHead,
    Pong,
    RedisServer,
    TaskMetaSeen,
    TaskSeen,
    WholeTaskSeen,
    WorkerBeat,
    WorkerHeard,
    WorkerInspection,
    WorkersHeard,
)
from watchdog.core.model.servers.flower_queries import HasWorkersPage, OldestTasks
from watchdog.core.model.servers.heard import CutOff, EventsMeasured, MeasureEvents, SentTimes
from watchdog.core.model.servers.rabbitmq_queries import RabbitNodes, RabbitOverview, RabbitQueues
from watchdog.core.model.servers.rabbitmq_replies import NodeSeen, OverviewSeen, QueueSeen
from watchdog.core.model.servers.timings import Came, Mark, TimeRuns, Timing, TimingsHeard, timings_of_all
from watchdog.core.model.servers.worker_queries import HeldByWorkers, InspectWorkers, PingWorkers, ScheduledByWorkers
from watchdog.core.model.sketch import Sketch, sketch_of
from watchdog.core.model.target import covers


@dataclass
class Cluster:
    """What a fake cluster would answer; a test changes it between two polls. `gaps` wins over everything."""

    now: float = NOW
    beats: dict[str, WorkerBeat] = field(default_factory=dict)
    online: dict[str, bool] = field(default_factory=dict)
    cache: dict[str, WorkerInspection] = field(default_factory=dict)
    answering: set[str] = field(default_factory=set)
    """Workers that would answer a refresh now."""
    held: dict[str, dict[str, int]] = field(default_factory=dict)
    """Worker -> routing key -> the messages that it holds and has not started."""
    scheduled: dict[str, int] = field(default_factory=dict)
    """Worker -> the messages with an ETA that it holds."""
    unlisted: set[str] = field(default_factory=set)
    """Workers of which Flower says 404 when asked alone."""
    inspections: dict[str, WorkerInspection] = field(default_factory=dict)
    """What a worker would answer to a refresh, where it differs from its cached entry."""
    counts: dict[tuple[str, str, str], float] = field(default_factory=dict)
    flower_started_at: float = NOW - 86400
    server: RedisServer = field(default_factory=a_server)
    flushes: int = 0
    lists: dict[str, int] = field(default_factory=dict)
    heads: dict[str, MessageHead] = field(default_factory=dict)
    sets: dict[str, frozenset[str]] = field(default_factory=dict)
    scans: dict[int, KeysFound] = field(default_factory=dict)
    tasks: list[TaskSeen] = field(default_factory=list)
    """All that Flower knows, in any state; the last event first."""
    metas: dict[str, TaskMetaSeen] = field(default_factory=dict)
    """Task id -> what is kept under `results_prefix` in the database `results_db`; None: that of the source."""
    results_prefix: str = ""
    results_db: int | None = None
    results_server: RedisServer | None = None
    """Task id -> what its result backend holds."""
    hashes: dict[str, int] = field(default_factory=dict)
    scores: dict[str, float] = field(default_factory=dict)
    lengths: dict[str, int] = field(default_factory=dict)
    """Queue -> its length, as Flower lists it."""
    heard: dict[str, WorkerHeard] = field(default_factory=dict)
    """Worker -> what its own events say, as of now; for targets whose events are heard."""
    heard_since_s: float = 3600.0
    heard_tasks_since: float | None = None
    """Since when events of tasks are heard beside Flower (epoch seconds); None: they are not."""
    _timed: list[str] = field(default_factory=list)
    """The ids of the successes whose times were told, in that order."""
    _told_at: dict[int, float] = field(default_factory=dict)
    """After how many of them somebody asked, and when."""
    sent: dict[str, float] = field(default_factory=dict)
    """Task id -> when it was sent, as its event said; for targets whose tasks are heard."""
    cut_off: dict[str, int] = field(default_factory=dict)
    """Worker -> from how many tasks it was cut off, by their events."""
    overview: OverviewSeen = field(default_factory=lambda: OverviewSeen("3.10.8", "basic", connections=5))
    nodes: tuple[NodeSeen, ...] = field(default_factory=lambda: (a_node(),))
    vhosts: dict[str, dict[str, QueueSeen]] = field(default_factory=lambda: {"/": {}})
    """What RabbitMQ says, where that is the broker: virtual host -> queue -> what it counts."""
    gaps: dict[Query | type[Query] | str, str] = field(default_factory=dict)
    """A query, its type, or a source's name -> why it is not answered."""
    asked: list[Query] = field(default_factory=list)
    """All questions of the last look."""

    def add(self, name: str = "celery@web-1", **changes: Any) -> None:
        """A worker that is well: heard, in Flower's cache, answering. `queues`, `pool`, … go to its inspection, the rest to its beat."""
        of_inspection = {key: changes.pop(key) for key in list(changes) if key in ("queues", "pool", "pool_size", "uptime_s", "conf")}
        self.beats[name] = a_beat(name, self.now, **changes)
        self.online[name] = True
        self.cache[name] = an_inspection(name, self.now - 30, pid=self.beats[name].pid, **of_inspection)
        self.answering.add(name)

    def beating(self, seconds: float = INTERVAL) -> None:
        """Time passes: those online go on beating."""
        beats = int((self.now + seconds) // 2) - int(self.now // 2)
        self.now += seconds
        for name, beat in self.beats.items():
            if self.online.get(name):
                at = self.now
                self.beats[name] = replace(beat, heartbeats=(at - 7, at - 5, at - 3, at - 1), pulses=(beat.pulses or 0) + beats)

    def dies(self, name: str) -> None:
        """kill -9: 4 s after its last heartbeat Flower lists it as not online; it answers nothing."""
        self.online[name] = False
        self.answering.discard(name)

    def leaves(self, name: str) -> None:
        """A clean stop: worker-offline empties its heartbeats."""
        self.dies(name)
        beat = self.beats[name]
        self.beats[name] = replace(beat, heartbeats=(), goodbyes=(beat.goodbyes or 0) + 1)

    def restarts_flower(self) -> None:
        """Flower has forgotten everything; nobody was heard yet."""
        self.online, self.beats, self.counts, self.cache = {}, {}, {}, {}
        self.flower_started_at = self.now

    def answer(self, query: Query, source: str = "") -> object:
        """What is said to one question now, by the source that it names or by the one that stands in."""
        self.asked.append(query)
        why = self.gaps.get(query) or self.gaps.get(type(query)) or self.gaps.get(source or query.source)
        if why:
            return Gap(why)
        if isinstance(query, CutOff):
            return dict(self.cut_off)
        if isinstance(query, SentTimes):
            return {task: self.sent[task] for task in query.tasks if task in self.sent}
        if isinstance(query, MeasureEvents):
            return EventsMeasured(45.0, 0.0003, 0.01)
        if isinstance(query, TimeRuns):
            return self._timings(query)
        if isinstance(query, HearWorkers):
            return WorkersHeard(self.heard_since_s, dict(self.heard))
        if isinstance(query, ReadResultsServer | TaskMeta):
            return self._results(query)
        return {"flower": self._flower, "rabbitmq": self._rabbitmq, "celery": self._celery}.get(query.source, self._redis)(query)

    def _celery(self, query: Query) -> object:
        asked = getattr(query, "workers", ()) or tuple(self.answering)
        there = [name for name in asked if name in self.answering]
        match query:
            case PingWorkers():
                return frozenset(there)
            case InspectWorkers():
                return {name: replace(self.inspections.get(name, self.cache.get(name, an_inspection(name))), at=self.now) for name in there}
            case HeldByWorkers():
                return {name: HeldMessages(self.held.get(name, {})) for name in there}
            case ScheduledByWorkers():
                return {name: self.scheduled.get(name, 0) for name in there}
        raise AssertionError(f"no answer for {query}")

    def _flower(self, query: Query) -> object:
        match query:
            case WorkerStatus():
                return dict(self.online)
            case WorkerHeartbeats():
                return {name: replace(beat, online=self.online.get(name, False)) for name, beat in self.beats.items()}
            case ReadEventCounters():
                return counters(dict(self.counts), self.flower_started_at)
            case Inspected() | InspectedNow():
                return dict(self.cache)
            case QueueLengths():
                return dict(self.lengths) or Gap("flower: no queue listed")
            case HasWorkersPage():
                return True
            case WholeTask(task_id):
                return next((WholeTaskSeen(task_id, state=task.state) for task in self.tasks if task.id == task_id), WholeTaskSeen(task_id))
            case RunningTasks() | RecentTasks() | FailedTasks() | RevokedTasks() | SucceededTasks() | WorkersTasks() | OldestTasks():
                return tuple(self._listed(query))[: query.limit]
        worker = getattr(query, "worker", None)
        if worker is not None:
            self._refresh([worker])
            return {worker: self.cache[worker]} if worker in self.cache and worker not in self.unlisted else {}
        self._refresh(list(self.answering))
        return dict(self.cache)

    def _listed(self, query: Query) -> list[TaskSeen]:
        match query:
            case RunningTasks():
                return sorted(self._tasks("STARTED"), key=lambda task: task.started or 0.0)
            case FailedTasks():
                return self._tasks("FAILURE")
            case RevokedTasks():
                return self._tasks("REVOKED")
            case WorkersTasks(worker):
                return [task for task in self.tasks if task.worker == worker]
            case SucceededTasks(name):
                return [task for task in self._tasks("SUCCESS") if task.name == name]
            case OldestTasks():
                return sorted(self.tasks, key=lambda task: task.received or 0.0)
        return self.tasks

    def _timings(self, query: TimeRuns) -> TimingsHeard:
        """How long the successes took that are in `tasks` now and were not told up to the mark."""
        opened_at = self.flower_started_at if self.heard_tasks_since is None else self.heard_tasks_since
        ours = {task.id: task for task in self._tasks("SUCCESS") if (task.succeeded or 0.0) >= opened_at}
        self._timed += [task_id for task_id in ours if task_id not in self._timed]
        read = query.after.nth if query.after is not None and query.after.opened_at == opened_at else 0
        since = self._told_at.get(read, opened_at)
        self._told_at[len(self._timed)] = self.now
        new = [ours[task_id] for task_id in self._timed[read:] if task_id in ours]
        timings = timings_of_all({task.name or "": timing_of(task)} for task in new if covers(task.worker, query.workers))
        return TimingsHeard(Mark(opened_at, len(self._timed)), since, self.now, timings)

    def _tasks(self, state: str) -> list[TaskSeen]:
        return [task for task in self.tasks if task.state == state]

    def _refresh(self, names: Iterable[str]) -> None:
        for name in names:
            if name in self.answering and name not in self.unlisted:
                beat = self.beats.get(name)
                default = replace(self.cache.get(name, an_inspection(name)), pid=beat.pid if beat else 17)
                self.cache[name] = replace(self.inspections.get(name, default), at=self.now)

    def _results(self, query: ReadResultsServer | TaskMeta) -> object:
        if isinstance(query, ReadResultsServer):
            return self.results_server or self.server
        prefix, _, task_id = query.key.rpartition("celery-task-meta-")
        held = (prefix, query.db) == (self.results_prefix, self.results_db)
        return self.metas.get(task_id, TaskMetaSeen()) if held else TaskMetaSeen()

    def _rabbitmq(self, query: Query) -> object:
        match query:
            case RabbitOverview():
                return self.overview
            case RabbitNodes():
                return self.nodes
            case RabbitQueues(vhost):
                return tuple(self.vhosts[vhost].values()) if vhost in self.vhosts else Gap("rabbitmq: no such virtual host")
        return Gap("rabbitmq: does not know the question")

    def _redis(self, query: Query) -> object:
        match query:
            case Ping():
                return Pong(0.5)
            case ReadServer():
                return self.server
            case CountFlushes():
                return self.flushes
            case OfKeys(keys):
                return self._held(query, keys)
            case OldestMessage(key):
                return self.heads.get(key, MessageHead(f"id-{key}", None) if self.lists.get(key) else MessageHead(None, None, nothing=True))
            case HashSize(key):
                return self.hashes.get(key, 0)
            case LowestScore(key):
                return self.scores.get(key, inf)
            case ScanKeys(cursor):
                return self.scans.get(cursor, KeysFound(0, tuple(self.sets)))
        raise AssertionError(f"no answer for {query}")

    def _held(self, query: OfKeys[Any], keys: tuple[str, ...]) -> Held[Any]:
        """What the keys hold; the gap of one key is that of a question about it alone."""
        content: Mapping[str, object] = self.lists if isinstance(query, ListLengths) else self.sets
        gaps = {key: Gap(why) for key in keys if (why := self.gaps.get(type(query)((key,))))}
        return Held(frozenset(keys), {key: content[key] for key in keys if content.get(key) and key not in gaps}, gaps)

    def keys_asked(self, kind: type[OfKeys[Any]]) -> set[str]:
        """The keys that such questions were about."""
        return {key for query in self.asked if isinstance(query, kind) for key in query.keys}


def timing_of(task: TaskSeen) -> Timing:
    """How long one run took, as the ear would tell it."""

    def between(begin: float | None, end: float | None) -> Sketch:
        return sketch_of([max(end - begin, 0.0)] if begin is not None and end is not None else [])

    waits = Sketch() if task.has_eta or task.retries else between(task.sent, task.started)
    came = (Came(task.routing_key, 1, waits),)
    return Timing(1, sketch_of([] if task.runtime is None else [task.runtime]), between(task.received, task.started), came)


def healthy(*names: str, now: float = NOW) -> Cluster:
    """A cluster in which all is well: `celery@web-1` serves `indexing`, `celery@gpu-1` serves `training`; or the workers named."""
    cluster = Cluster(now=now)
    if names:
        for name in names:
            cluster.add(name)
    else:
        cluster.add("celery@web-1", queues=("indexing",))
        cluster.add("celery@gpu-1", queues=("training",))
    return cluster
