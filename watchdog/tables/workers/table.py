"""`workers`: one row per worker seen within `forget_after`, from Flower's heartbeats, event states and inspect cache."""

from collections import Counter
from collections.abc import Iterable, Mapping

from watchdog.core.model.demand import NOT_READ
from watchdog.core.model.gaps import Gap
from watchdog.core.model.history import rises_per_min, second_look_needed, within
from watchdog.core.model.queries import STARTED_TASKS, Inspected, Ping, Query, ReadEventCounters, ReadServer, WorkerHeartbeats, WorkerStatus
from watchdog.core.model.replies import EventCounters, TaskSeen, WorkerBeat, WorkerInspection
from watchdog.core.model.rows import Asking, Cell, Column, Key, Kind, Look, Reading, Row, Sample, Table, number
from watchdog.tables.workers.clocks import AHEAD_S
from watchdog.tables.workers.memory import FRESH_S, KnownWorker, KnownWorkers, known_workers_of, refreshing
from watchdog.tables.workers.names import host_of, kind_of
from watchdog.tables.workers.refreshes import asked_of_the_deaf, refreshes
from watchdog.tables.workers.replacements import peers_online
from watchdog.tables.workers.states import look_again

__all__ = ["TABLE"]

NUMBER, TEXT, BOOLEAN = Kind.NUMBER, Kind.TEXT, Kind.BOOLEAN

COLUMNS = (
    Column("name", TEXT, "the worker's full name, such as celery@web-1"),
    Column("kind", TEXT, "the name with digits and pod or hash suffixes folded: celery@web-*"),
    Column("host", TEXT, "what follows the @"),
    Column("state", TEXT, "online; left: it said goodbye; lost: it did not", allowed=("online", "left", "lost")),
    Column("silent_s", NUMBER, "since its last sign of life", "s", 0.0),
    Column("uptime_s", NUMBER, "since its process started", "s", 0.0),
    Column("active", NUMBER, "tasks it executes now, by its own heartbeat", "tasks", 0.0),
    Column("pool_size", NUMBER, "tasks it can execute at once", "tasks", 0.0),
    Column("saturated", BOOLEAN, "active has reached pool_size"),
    Column("processed", NUMBER, "tasks it took since it started", "tasks", 0.0),
    Column("processed_per_min", NUMBER, "tasks it took a minute", "1/min", 0.0, windowed=True),
    Column("reserved", NUMBER, "tasks it has fetched and not started", "tasks", 0.0),
    Column("load1", NUMBER, "its host's load average over 1 minute"),
    Column("load5", NUMBER, "its host's load average over 5 minutes"),
    Column("load15", NUMBER, "its host's load average over 15 minutes"),
    Column("cpu_ratio", NUMBER, "CPU its processes used, of one core", later="read from a later release on"),
    Column("rss_bytes", NUMBER, "memory of its main process", "bytes", later="read from a later release on"),
    Column(
        "clock_drift_s",
        NUMBER,
        "how far its clock is ahead of Flower's; negative: behind; as far as its events show it, 0 where it sends none",
        "s",
        0.0,
    ),
    Column("pid", NUMBER, "its main process"),
    Column("restarts", NUMBER, "times its process changed under the same name", neutral=0.0, windowed=True),
    Column("crashes", NUMBER, "those of them before which it said no goodbye", neutral=0.0, windowed=True),
    Column("duplicate", BOOLEAN, "two processes take turns under its name"),
    Column("replaced", BOOLEAN, "as many of its kind are online as when it was last online"),
    Column("peers", NUMBER, "workers online of its kind that consume its queues, itself included", "workers", 0.0),
    Column("peers_before", NUMBER, "how many they were when it was last online", "workers", 0.0),
    Column("abandoned", NUMBER, "of a worker that is gone: tasks that it executed and that have not ended since", "tasks", 0.0),
    Column("unserved", TEXT, "of a worker that is gone: the queues it consumed that no worker online does, joined by a comma", neutral=""),
    Column("served", TEXT, "of a worker that is gone: the queues it consumed that others still do, joined by a comma", neutral=""),
    Column("version", TEXT, "its Celery version"),
    Column("queues", TEXT, "the queues it consumes, sorted, joined by a comma"),
)
FROM_INSPECTION = ("uptime_s", "pool_size", "saturated", "reserved", "queues")
FROM_BEAT = ("active", "processed", "load1", "load5", "load15", "pid", "version")
LASTING = ("pid", "version")
"""What heartbeats said of these remains valid after they stop."""
NOT_RESERVED = "flower: tells it only when this worker alone is refreshed"
TURNS_S = 600.0
"""How long after an earlier process was heard again two processes are assumed."""
NO_BEAT_YET = "flower: no heartbeat of it seen yet"
NO_HEARTBEAT = "flower: its heartbeats are not heard, though it answers"


def asks(asking: Asking) -> Iterable[Query]:
    """Return Flower's cheap queries of each cycle, then the refreshes that their answers require."""
    if "flower" not in asking.target.sources:
        return []
    cheap: list[Query] = [WorkerStatus(), WorkerHeartbeats(), Inspected(), ReadEventCounters()]
    if "redis" in asking.target.sources:
        cheap += [Ping(), ReadServer()]
    known_workers = known_workers_of(asking.memory)
    listed = [STARTED_TASKS] if asking.demand.wants("workers", "abandoned") else []
    return [*cheap, *listed, *refreshing(refreshes(asking, known_workers)), *asked_of_the_deaf(asking, known_workers)]


def read(look: Look) -> Reading:
    """Return a row for every known worker."""
    if "flower" not in look.target.sources:
        return Reading(idle={c.name: "needs Flower, and this target has no `flower`" for c in COLUMNS})
    before = known_workers_of(look.memory)
    known_workers = look_again(before, look.target, look.replies, look.now)
    status = look.replies.get(WorkerStatus(), dict[str, bool])
    idle = {c.name: c.later for c in COLUMNS if c.later} | second_look_needed(look, "processed_per_min")
    idle |= {} if look.demand.wants("workers", "abandoned") else {"abandoned": NOT_READ}
    if isinstance(status, Gap):
        rows = tuple(_blind_row(w, status.reason, idle) for w in known_workers.known.values())
        return Reading(rows, unread=status.reason, idle=idle, memory=known_workers)
    beats = look.replies.get(WorkerHeartbeats(), dict[str, WorkerBeat])
    beats_missing = beats.reason if isinstance(beats, Gap) else ""
    heard = (
        w for w in known_workers.known.values() if w.state == "online" and not w.unknown and w.vouched_at is None and not beats_missing
    )
    sample = Sample(look.now, {w.name: (number(w.beat.processed if w.beat else None),) for w in heard})
    rates = rises_per_min(within(look), sample) if "processed_per_min" not in idle else {}
    remains, unsure = _Remains(look, known_workers), _unsure_of_kind(known_workers)
    rows = tuple(_Cells(w, look, rates, beats_missing).row(idle, _unsure_peer(w, unsure), remains) for w in known_workers.known.values())
    let_go = frozenset((name,) for name in {*before.known, *known_workers.forgotten} if name not in known_workers.known)
    return Reading(rows, idle=idle, memory=known_workers, sample=sample, forgotten=let_go, without_page=_without_page(look, known_workers))


def _without_page(look: Look, known_workers: KnownWorkers) -> frozenset[Key]:
    """Return the workers without an inspection in Flower that are not online to be inspected: Flower forgets them when it restarts."""
    counters = look.replies.get(ReadEventCounters(), EventCounters)
    started_at = None if isinstance(counters, Gap) else counters.started_at
    cached = look.replies.get(Inspected(), dict[str, WorkerInspection])
    listed = None if isinstance(cached, Gap) else cached
    gone = (worker for worker in known_workers.known.values() if worker.state != "online")
    return frozenset((worker.name,) for worker in gone if not _may_have_page(worker, started_at, listed))


def _may_have_page(worker: KnownWorker, started_at: float | None, listed: Mapping[str, WorkerInspection] | None) -> bool:
    """Whether Flower has a page for a worker. There is none without `stats`.

    The last inspection decides, because Flower's list of inspections is cached; otherwise the list.
    """
    seen = worker.inspection
    if seen is not None and seen.at is not None and started_at is not None:
        return seen.pool is not None and seen.at >= started_at
    return listed is None or (worker.name in listed and listed[worker.name].pool is not None)


def _unsure_of_kind(known_workers: KnownWorkers) -> dict[str, str]:
    """Kind -> why it is not known whether one of its workers is online."""
    return {kind_of(worker.name): worker.unknown for worker in reversed(tuple(known_workers.known.values())) if worker.unknown}


def _unsure_peer(worker: KnownWorker, unsure: Mapping[str, str]) -> str:
    """Return why it is unknown whether it was replaced: it, or a worker of its kind, may be online; empty if that is not so."""
    if not unsure or (worker.state == "online" and not worker.unknown):
        return ""
    return unsure.get(kind_of(worker.name), "")


class _Remains:
    """What workers that are gone left behind."""

    def __init__(self, look: Look, known_workers: KnownWorkers) -> None:
        listed = look.replies.get(STARTED_TASKS, tuple[TaskSeen, ...])
        self.unlisted = listed.reason if isinstance(listed, Gap) else ""
        over = {task_id for worker in known_workers.known.values() for task_id in worker.never_ended}
        self._started = Counter(task.worker for task in (() if isinstance(listed, Gap) else listed) if task.id not in over)
        online = [worker for worker in known_workers.known.values() if worker.state == "online" and not worker.unknown]
        self._peers = peers_online(known_workers.known) if len(online) < len(known_workers.known) else {}
        self._served = {queue for worker in online for queue in (worker.inspection.queues if worker.inspection else None) or ()}

    def abandoned(self, worker: KnownWorker) -> float:
        """Return the number of tasks that Flower shows as started on it, without those it did not execute when it was last online."""
        return float(self._started[worker.name]) if worker.state in ("left", "lost") else 0.0

    def peers(self, worker: KnownWorker) -> float:
        """Return how many of its kind that serve its queues are online. For an online worker this is already counted."""
        return float(self._peers.get(worker.name, worker.peers_online))

    def unserved(self, worker: KnownWorker) -> str:
        """Return the queues that it was the last to consume."""
        return ",".join(sorted(self._queues(worker) - self._served))

    def served(self, worker: KnownWorker) -> str:
        """Return those of its queues that others consume."""
        return ",".join(sorted(self._queues(worker) & self._served))

    def _queues(self, worker: KnownWorker) -> set[str]:
        seen = worker.inspection
        return set(seen.queues or ()) if seen is not None and worker.state in ("left", "lost") else set()


class _Cells:
    """The cells of one worker, filled group by group."""

    def __init__(self, worker: KnownWorker, look: Look, rates: Mapping[str, float], beats_missing: str) -> None:
        self.worker, self.look, self.rates, self.beats_missing = worker, look, rates, beats_missing
        self.cells: dict[str, Cell] = {"name": worker.name, "kind": kind_of(worker.name), "host": host_of(worker.name)}
        self.gaps: dict[str, str] = {}

    def row(self, idle: Mapping[str, str], unsure_peer: str, remains: _Remains) -> Row:
        """Return the row. `unsure_peer`: why `replaced` is unknown."""
        worker, look = self.worker, self.look
        self._put("state", worker.state or None, worker.unknown)
        self._put("replaced", worker.replaced, "" if worker.replaced else unsure_peer)
        self._put("restarts", float(sum(0 <= look.now - at <= look.window_s for at in worker.restarted_at)))
        self._put("crashes", float(sum(0 <= look.now - at <= look.window_s for at in worker.crashed_at)))
        self._put("duplicate", worker.turned_at is not None and 0 <= look.now - worker.turned_at <= TURNS_S)
        self._put("unserved", remains.unserved(worker), worker.unknown)
        self._put("served", remains.served(worker), worker.unknown)
        self._put("peers", remains.peers(worker), worker.unknown or unsure_peer)
        self._put("peers_before", float(worker.peers_online))
        if "abandoned" not in idle:
            gone = worker.state in ("left", "lost")
            self._put("abandoned", remains.abandoned(worker), worker.unknown or (remains.unlisted if gone else ""))
        self._put("clock_drift_s", worker.clock_drift_s or 0.0, worker.unknown or self.beats_missing)
        self._from_beat()
        self._from_inspection()
        if "processed_per_min" not in idle:
            stopped = worker.state != "online" or bool(worker.unknown)
            self._put("processed_per_min", 0.0 if stopped else self.rates.get(worker.name, 0.0), self._unheard())
        return Row(self.cells, self.gaps)

    def _put(self, column: str, cell: Cell, why_not: str = "") -> None:
        self.cells[column] = None if why_not else cell
        if self.cells[column] is None:
            self.gaps[column] = why_not or "flower: it does not say"

    def _unheard(self) -> str:
        """Return why its last heartbeat says nothing of now; empty for a worker that left or was lost, whose last heartbeat stands."""
        worker = self.worker
        if worker.unknown:
            return worker.unknown
        if worker.state != "online":
            return ""
        return self.beats_missing or (NO_HEARTBEAT if worker.vouched_at is not None else "")

    def _from_beat(self) -> None:
        beat, why = self.worker.beat, self._unheard()
        self._put("silent_s", self._silent_s(), self.beats_missing)
        if beat is None:
            why = why or NO_BEAT_YET
            for name in FROM_BEAT:
                self._put(name, None, why)
            return
        said = (1 if self.worker.busy else beat.active, beat.processed, *(beat.load or (None, None, None)), beat.pid)
        for name, value in zip(FROM_BEAT, said, strict=False):
            self._put(name, number(value), "" if name in LASTING else why)
        self._put("version", beat.version)

    def _from_inspection(self) -> None:
        seen, age = self.worker.inspection, self.worker.inspected_s(self.look.now)
        if seen is None or seen.at is None or age is None or self.worker.another_process:
            what = "not answered an inspect yet" if age is None else "restarted, and not answered an inspect since"
            cache = self.look.replies.get(Inspected(), dict)
            refused = cache.reason if isinstance(cache, Gap) and self.look.replies.asked(Inspected()) else ""
            for name in FROM_INSPECTION:
                self._put(name, None, refused or f"flower: the worker has {what}")
            return
        active, size = self.cells["active"], number(seen.pool_size)
        self._put("uptime_s", None if seen.uptime_s is None else seen.uptime_s + age)
        self._put("pool_size", size)
        busy = isinstance(active, float) and size is not None and active >= size > 0
        self._put("saturated", busy if size is not None else None, self.gaps.get("active", ""))
        stale = f"flower: last inspected {age:.0f}s ago" if age > FRESH_S and not self.worker.busy else ""
        self._put("reserved", number(seen.reserved), stale or ("" if seen.reserved is not None else NOT_RESERVED))
        self._put("queues", None if seen.queues is None else ",".join(sorted(set(seen.queues))), stale)

    def _silent_s(self) -> float:
        """Return the seconds since its last sign of life: by our clock if we saw it online; by Flower's if it was gone at first."""
        worker, now = self.worker, self.look.now
        beats = worker.beat.heartbeats if worker.beat else ()
        ahead = bool(beats) and beats[-1] > now + AHEAD_S
        if worker.state == "online" and not worker.unknown and not worker.busy and ahead and worker.heard_at is not None:
            return max(now - worker.heard_at, 0.0)
        if worker.state == "online" and not worker.unknown and not worker.busy and worker.vouched_at is None and beats:
            silent = max(now - beats[-1], 0.0)  # if Flower's clock is behind ours: it beat within two periods
            return silent if worker.beat is None or not worker.beat.freq_s else min(silent, 2 * worker.beat.freq_s)
        ours = [at for at in (worker.online_at, worker.answered_at) if at is not None]
        flowers = [at for at in (*beats, worker.inspection.at if worker.inspection else None) if at is not None and at <= now + AHEAD_S]
        return max(now - max(ours or flowers or [worker.first_seen_at]), 0.0)


def _blind_row(worker: KnownWorker, why: str, idle: Mapping[str, str]) -> Row:
    known: dict[str, Cell] = {"name": worker.name, "kind": kind_of(worker.name), "host": host_of(worker.name)}
    names = [c.name for c in COLUMNS if c.name not in known and c.name not in idle]
    return Row({**known, **dict.fromkeys(names)}, dict.fromkeys(names, why))


TABLE = Table("workers", "a worker seen within `forget_after`", ("name",), COLUMNS, asks, read, memory=KnownWorkers)
