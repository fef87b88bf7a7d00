"""What was heard of each worker: the last events, in memory that is bounded whatever is sent.

In: events with the time of their arrival. Out: `WorkersHeard`, as of now. Not thread-safe: `ear` locks. Two clocks, because one may be set:
ages are by the monotonic one, times that are shown by the other.
"""

from collections import deque
from collections.abc import Iterator

from watchdog.core.model.servers.worker_replies import WorkerBeat, WorkerHeard, WorkersHeard
from watchdog.sources.events.messages import WorkerEvent

__all__ = ["MOST_WORKERS", "Memory"]

MOST_WORKERS = 5_000
"""The workers that are kept; beyond that, those heard longest ago are dropped, and nothing is said of them any more."""
MOST_PROCESSES = 4
"""The processes under one name that are told apart, the last ones heard."""
BEATS = 4
"""The last heartbeats that are kept, as Flower keeps them."""
DELAYS = 3
"""The last events whose times are compared: each may have been held up on its way, but hardly three in a row."""
USUAL_FREQ_S = 2.0
MISSED = 2.5
"""A process that missed so many heartbeats is not under way any more: its name's goodbye need not wait for it."""


class _Worker:
    """One name. `at`: when it was last heard; `pids`: each process that was heard and did not say goodbye -> when it was heard last."""

    __slots__ = ("ahead", "at", "beats", "gone", "goodbyes", "hellos", "last", "opening", "pids", "pulses", "spoke_busy", "turned_at")

    def __init__(self) -> None:
        self.at, self.opening, self.gone = 0.0, 0, False
        self.beats: deque[float] = deque(maxlen=BEATS)
        self.ahead: deque[float] = deque(maxlen=DELAYS)
        self.hellos = self.goodbyes = self.pulses = 0
        self.pids: dict[int | None, float] = {}
        self.turned_at: float | None = None
        self.spoke_busy = False
        self.last: WorkerEvent | None = None

    def hears(self, event: WorkerEvent, at: float, now: float) -> None:
        """Add an event that arrived at `at` (monotonic), `now` by the clock."""
        self.at = at
        if event.timestamp is not None:
            self.ahead.append(event.timestamp - now)
        if event.type == "worker-offline":
            self._says_goodbye(event, at)
            return
        if event.type == "worker-online":  # a process that starts is not one that was heard before, whatever its pid
            self.hellos += 1
            self.pids.pop(event.pid, None)
            self.spoke_busy = False
        else:
            self.pulses += 1
            self.spoke_busy |= bool(event.active)
            if event.pid in self.pids and event.pid != next(reversed(self.pids)):
                self.turned_at = at
        self.pids.pop(event.pid, None)
        self.pids[event.pid] = at
        if len(self.pids) > MOST_PROCESSES:
            del self.pids[next(iter(self.pids))]
        self.beats.append(now)
        self.last, self.gone = event, False

    def _says_goodbye(self, event: WorkerEvent, at: float) -> None:
        self.goodbyes += 1
        self.pids.pop(event.pid, None)
        recent_s = MISSED * (event.freq or USUAL_FREQ_S)
        if not any(at - heard <= recent_s for heard in self.pids.values()):
            self.gone = True
            self.beats.clear()
        if self.last is None:
            self.last = event

    def heard(self, name: str, at: float) -> WorkerHeard:
        last = self.last
        assert last is not None  # noqa: S101 - `hears` sets it with the first event
        beat = WorkerBeat(
            name,
            not self.gone,
            tuple(self.beats),
            last.freq,
            last.active,
            last.processed,
            last.loadavg,
            last.pid,
            last.sw_ver,
            self.hellos,
            self.goodbyes,
            self.pulses,
            last.sw_sys,
        )
        turned_s = None if self.turned_at is None else at - self.turned_at
        ahead_s = max(self.ahead) if len(self.ahead) == DELAYS else None
        return WorkerHeard(beat, at - self.at, self.gone, turned_s, ahead_s, self.spoke_busy)


class Memory:
    """All that one ear heard."""

    def __init__(self) -> None:
        self._workers: dict[str, _Worker] = {}
        self._opening = 0
        self._opened_at = 0.0
        self.unreadable = 0
        """Messages since the ear was opened that are no events in JSON."""

    def opens(self, at: float) -> None:
        """The ear is open from now on: what was said before, while it was closed, is not known."""
        self._opening += 1
        self._opened_at, self.unreadable = at, 0

    def hears(self, event: WorkerEvent, at: float, now: float) -> None:
        """Add an event that arrived at `at` (monotonic), `now` by the clock. Other events than the three of a worker are ignored."""
        if event.type not in ("worker-heartbeat", "worker-online", "worker-offline"):
            return
        worker = self._workers.pop(event.hostname, None) or _Worker()
        worker.hears(event, at, now)
        worker.opening = self._opening
        self._workers[event.hostname] = worker  # the order is that of the last words: the first is dropped first
        if len(self._workers) > MOST_WORKERS:
            del self._workers[next(iter(self._workers))]

    def speaks_while_it_works(self, name: str) -> None:
        """It is proven of the process that was heard last."""
        worker = self._workers.get(name)
        if worker is not None:
            worker.spoke_busy = True

    def heard(self, at: float) -> WorkersHeard:
        """Return what was heard since the ear was opened, as of `at`."""
        return WorkersHeard(max(at - self._opened_at, 0.0), {name: worker.heard(name, at) for name, worker in self._of_now()})

    def _of_now(self) -> Iterator[tuple[str, _Worker]]:
        return ((name, worker) for name, worker in self._workers.items() if worker.opening == self._opening)
