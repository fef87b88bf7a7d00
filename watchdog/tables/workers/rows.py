"""The rows of `workers`: the cells of one known worker, and why some of them are gaps.

Input: a known worker, its rates, what others left of its kind. Output: a `Row`. Cells are computed in one piece, because each cycle creates
a thousand rows; then those that must not be shown are withheld, with the reason.
"""

from collections import Counter
from collections.abc import Mapping

from watchdog.core.model.gaps import Gap
from watchdog.core.model.queries import STARTED_TASKS, Inspected, ReadEventCounters
from watchdog.core.model.replies import EventCounters, TaskSeen
from watchdog.core.model.rows import Cell, Look, Row, number
from watchdog.core.model.servers.heard import CutOff
from watchdog.tables.workers.clocks import AHEAD_S
from watchdog.tables.workers.inspected.hoarding import Hoarding, when_known
from watchdog.tables.workers.inspected.scheduled import scheduled_of, scheduled_seen
from watchdog.tables.workers.inspected.usage import USAGE, fill_usage
from watchdog.tables.workers.memory import FRESH_S, KnownWorker, KnownWorkers
from watchdog.tables.workers.names import host_of
from watchdog.tables.workers.replacements import peers_online

__all__ = ["FROM_INSPECTION", "WorkerRows", "blind_row"]

Cells = dict[str, Cell]

FROM_INSPECTION = ("uptime_s", "pool_size", "saturated", "reserved", "prefetch_count", "scheduled", "queues", *USAGE)
FROM_BEAT = ("active", "processed", "load1", "load5", "load15", "pid", "version")
OF_NOW = ("active", "processed", "load1", "load5", "load15")
"""Those of them that are valid only while heartbeats come."""
NOT_SAID = "it does not say"
NOT_RESERVED = "flower: reports it only if this worker alone is refreshed"
NOT_ASKED = "celery: asked only while it may hold more than usual and another worker is idle"
TURNS_S = 600.0
"""How long after an earlier process was heard again two processes are assumed."""
NO_BEAT_YET = "no heartbeat of it was seen yet"
NO_HEARTBEAT = "no heartbeats of it are heard, though it answers"


class WorkerRows:
    """Creates the rows of one poll. `rates`: worker -> tasks a minute; `beats_missing`: why no heartbeats could be read, or empty."""

    def __init__(
        self, look: Look, known_workers: KnownWorkers, idle: Mapping[str, str], rates: Mapping[str, float], beats_missing: str
    ) -> None:
        self._look, self._idle, self._rates, self._beats_missing = look, idle, rates, beats_missing
        self._left_out = [column for column in (*FROM_INSPECTION, "unserved", "served") if column in idle]
        self._kind = known_workers.kind
        self._asked_by = "flower" if "flower" in look.target.sources else "celery"
        self._remains = _Remains(look, known_workers)
        self._unsure = _unsure_of_kind(known_workers)
        self._hoarding = Hoarding(when_known(known_workers.known.values(), look.now), look.replies)
        self._scheduled = scheduled_seen(look.replies)
        cache = look.replies.get(Inspected(), dict)
        self._no_cache = cache.reason if isinstance(cache, Gap) and look.replies.asked(Inspected()) else ""

    def row(self, worker: KnownWorker) -> Row:
        """Return the row of one worker."""
        unheard = self._unheard(worker)
        withheld = self._withheld(worker)
        cells = self._of_memory(worker)
        self._fill_beat(worker, unheard, cells, withheld)
        self._fill_inspection(worker, cells, withheld)
        if "processed_per_min" not in self._idle:
            stopped = worker.state != "online" or bool(worker.unknown)
            cells["processed_per_min"] = 0.0 if stopped else self._rates.get(worker.name, 0.0)
            if unheard:
                withheld["processed_per_min"] = unheard
        hoarded = self._hoarding.of(worker.name)
        cells["hoarded"] = hoarded if isinstance(hoarded, str) else float(hoarded)
        if isinstance(hoarded, str) or worker.unknown:
            withheld["hoarded"] = worker.unknown or str(hoarded)
        for column in self._idle:
            cells.pop(column, None)
            withheld.pop(column, None)
        cells.update(dict.fromkeys(withheld))
        for column in self._left_out:
            cells.pop(column, None)
        return Row(cells, {column: withheld.get(column, NOT_SAID) for column, cell in cells.items() if cell is None})

    def _of_memory(self, worker: KnownWorker) -> Cells:
        """Return what the known workers say of it."""
        now, remains, gone = self._look.now, self._remains, worker.state in ("left", "lost")
        cells: Cells = {
            "name": worker.name,
            "kind": self._kind(worker.name),
            "host": host_of(worker.name),
            "state": worker.state or None,
            "silent_s": _silent_s(worker, now),
            "replaced": worker.replaced,
            "restarts": self._in_window(worker.restarted_at),
            "crashes": self._in_window(worker.crashed_at),
            "returns": self._in_window(worker.returned_at),
            "duplicate": worker.turned_at is not None and 0 <= now - worker.turned_at <= TURNS_S,
            "unserved": remains.unserved(worker) if gone else "",
            "served": remains.served(worker) if gone else "",
            "peers": remains.peers(worker),
            "peers_before": float(worker.peers_online),
            "clock_drift_s": worker.clock_drift_s or 0.0,
        }
        if "abandoned" not in self._idle:
            cells["abandoned"] = remains.abandoned(worker)
        return cells

    def _withheld(self, worker: KnownWorker) -> dict[str, str]:
        """Return column -> why what the known workers say of it does not hold now."""
        withheld: dict[str, str] = {}
        if worker.unknown:
            withheld = dict.fromkeys(("state", "unserved", "served", "peers", "clock_drift_s"), worker.unknown)
        unsure_peer = self._unsure_peer(worker)
        if unsure_peer:
            withheld.setdefault("peers", unsure_peer)
            if not worker.replaced:
                withheld["replaced"] = unsure_peer
        if self._beats_missing:
            withheld["silent_s"] = self._beats_missing
            withheld.setdefault("clock_drift_s", self._beats_missing)
        if "abandoned" not in self._idle:
            unlisted = worker.unknown or (self._remains.unlisted if worker.state in ("left", "lost") else "")
            withheld |= {"abandoned": unlisted} if unlisted else {}
        return withheld

    def _fill_beat(self, worker: KnownWorker, unheard: str, cells: Cells, withheld: dict[str, str]) -> None:
        """Fill what its last heartbeat says."""
        beat = worker.beat
        if beat is None:
            withheld |= dict.fromkeys(FROM_BEAT, unheard or NO_BEAT_YET)
            return
        if unheard:
            withheld |= dict.fromkeys(OF_NOW, unheard)
        cells["active"] = 1.0 if worker.busy else number(beat.active)
        cells["processed"] = number(beat.processed)
        cells["load1"], cells["load5"], cells["load15"] = map(number, beat.load or (None, None, None))
        cells["pid"], cells["version"] = number(beat.pid), beat.version

    def _fill_inspection(self, worker: KnownWorker, cells: Cells, withheld: dict[str, str]) -> None:
        """Fill what its last inspection says. `cells` have what its heartbeat says."""
        seen, age = worker.inspection, worker.inspected_s(self._look.now)
        if seen is None or age is None or worker.another_process:
            what = "not answered an inspect yet" if age is None else "restarted, and not answered an inspect since"
            withheld |= dict.fromkeys(FROM_INSPECTION, self._no_cache or f"{self._asked_by}: the worker has {what}")
            return
        active, size = None if "active" in withheld else cells.get("active"), number(seen.pool_size)
        if active is None:
            withheld["saturated"] = withheld.get("active", NOT_SAID)
        stale = f"{self._asked_by}: last inspected {age:.0f}s ago" if age > FRESH_S and not worker.busy else ""
        held = self._hoarding.held(worker.name)
        reserved = seen.reserved if held is None else held
        if stale:
            withheld |= dict.fromkeys(("reserved", "prefetch_count", "scheduled", "queues", *USAGE), stale)
        elif reserved is None:
            withheld["reserved"] = NOT_RESERVED if self._asked_by == "flower" else NOT_ASKED
        if "scheduled" not in self._idle:
            scheduled = scheduled_of(worker.name, seen, *self._scheduled)
            cells["scheduled"] = None if isinstance(scheduled, str) else float(scheduled)
            if isinstance(scheduled, str):
                withheld.setdefault("scheduled", scheduled)
        fill_usage(worker.cpu, seen, worker.beat, cells, withheld)
        cells["uptime_s"] = None if seen.uptime_s is None else seen.uptime_s + age
        cells["pool_size"], cells["reserved"], cells["prefetch_count"] = size, number(reserved), number(seen.prefetch)
        cells["saturated"] = None if size is None else isinstance(active, float) and active >= size > 0
        cells["queues"] = None if seen.queues is None else ",".join(sorted(set(seen.queues)))

    def _in_window(self, times: tuple[float, ...]) -> float:
        """Return how many of these times lie within the window."""
        return float(sum([0 <= self._look.now - at <= self._look.window_s for at in times])) if times else 0.0

    def _unheard(self, worker: KnownWorker) -> str:
        """Return why its last heartbeat says nothing of now; empty for a worker that left or was lost, whose last heartbeat stands."""
        if worker.unknown:
            return worker.unknown
        if worker.state != "online":
            return ""
        return self._beats_missing or (NO_HEARTBEAT if worker.vouched_at is not None else "")

    def _unsure_peer(self, worker: KnownWorker) -> str:
        """Return why it is unknown whether it was replaced: it, or a worker of its kind, may be online; empty if that is not so."""
        if not self._unsure or (worker.state == "online" and not worker.unknown):
            return ""
        return self._unsure.get(self._kind(worker.name), "")


class _Remains:
    """What workers that are gone left behind."""

    def __init__(self, look: Look, known_workers: KnownWorkers) -> None:
        listed = look.replies.get(STARTED_TASKS, tuple[TaskSeen, ...])
        self.unlisted = listed.reason if isinstance(listed, Gap) else ""
        counters = look.replies.get(ReadEventCounters(), EventCounters)
        self._since = None if isinstance(counters, Gap) or not look.target.hears_tasks else counters.started_at
        over = {task_id for worker in known_workers.known.values() for task_id in worker.never_ended}
        self._started = Counter(task.worker for task in (() if isinstance(listed, Gap) else listed) if task.id not in over)
        cut_off = look.replies.get(CutOff(), dict[str, int])
        self._started.update({} if isinstance(cut_off, Gap) else cut_off)
        online = [worker for worker in known_workers.known.values() if worker.state == "online" and not worker.unknown]
        self._peers = peers_online(known_workers.known, known_workers.kinds) if len(online) < len(known_workers.known) else {}
        self._served = {queue for worker in online for queue in (worker.inspection.queues if worker.inspection else None) or ()}

    def abandoned(self, worker: KnownWorker) -> float:
        """Return how many tasks are listed as started on it, without those it did not execute when it was last online, or were cut off.

        If events are heard only since it went, the end of these may have been missed. A worker that said goodbye may have finished them;
        of one that was lost stands what it executed when it was last seen.
        """
        if worker.state not in ("left", "lost"):
            return 0.0
        if self._since is None or (worker.online_at or 0.0) >= self._since:
            return float(self._started[worker.name])
        return float(len(worker.started - worker.never_ended)) if worker.state == "lost" else 0.0

    def peers(self, worker: KnownWorker) -> float:
        """Return how many of its kind that serve its queues are online. For an online worker this is already counted."""
        return float(self._peers.get(worker.name, worker.peers_online))

    def unserved(self, worker: KnownWorker) -> str:
        """Return the queues that a worker that is gone was the last to consume."""
        return ",".join(sorted([queue for queue in self._queues(worker) if queue not in self._served]))

    def served(self, worker: KnownWorker) -> str:
        """Return those of its queues that others consume now that it is gone."""
        return ",".join(sorted([queue for queue in self._queues(worker) if queue in self._served]))

    def _queues(self, worker: KnownWorker) -> set[str]:
        seen = worker.inspection
        return set(seen.queues or ()) if seen is not None else set()


def _unsure_of_kind(known_workers: KnownWorkers) -> dict[str, str]:
    """Kind -> why it is not known whether one of its workers is online."""
    return {known_workers.kind(worker.name): worker.unknown for worker in reversed(tuple(known_workers.known.values())) if worker.unknown}


def _silent_s(worker: KnownWorker, now: float) -> float:
    """Return the seconds since its last sign of life: by our clock if we saw it online; by Flower's if it was gone at first."""
    beats = worker.beat.heartbeats if worker.beat else ()
    if worker.state == "online" and not worker.unknown and not worker.busy:
        if worker.ear_at is not None and worker.vouched_at is None:
            return max(now - worker.ear_at, 0.0)
        if beats and beats[-1] > now + AHEAD_S and worker.heard_at is not None:
            return max(now - worker.heard_at, 0.0)
        if worker.vouched_at is None and beats:
            silent = max(now - beats[-1], 0.0)  # if Flower's clock is behind ours: it beat within two periods
            return silent if worker.beat is None or not worker.beat.freq_s else min(silent, 2 * worker.beat.freq_s)
    ours = [at for at in (worker.online_at, worker.answered_at, worker.ear_at) if at is not None]
    flowers = [at for at in (*beats, worker.inspection.at if worker.inspection else None) if at is not None and at <= now + AHEAD_S]
    return max(now - max(ours or flowers or [worker.first_seen_at]), 0.0)


def blind_row(worker: KnownWorker, kind: str, why: str, columns: tuple[str, ...]) -> Row:
    """Return the row of a worker that could not be looked at, with a gap in each of these columns but its name."""
    known: Cells = {"name": worker.name, "kind": kind, "host": host_of(worker.name)}
    names = [column for column in columns if column not in known]
    return Row({**known, **dict.fromkeys(names)}, dict.fromkeys(names, why))
