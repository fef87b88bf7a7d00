"""How long runs took and waited: sketches of all successes that were heard, in memory that is bounded however many there are.

In: successes as they are heard, and who reads. Out: what came since a reader read last (`TimingsHeard`). Between two reads all goes into
one slot; a slot is kept until every reader has said that it has read it, and two become one where no reader's mark lies between them. So
there are two or three for each reader. If they grow too large, the oldest are dropped, and readers are told since when they hear all.
"""

from collections import deque
from collections.abc import Iterable

from watchdog.core.model.servers.timings import Came, Mark, Timing, TimingsHeard
from watchdog.core.model.sketch import Sketching
from watchdog.core.model.target import covers
from watchdog.sources.events.tasks.run import Run

__all__ = ["Timings"]

MOST_NUMBERS = 300_000
"""The bins of all sketches, and what holds them: some 25 MB."""
A_TASK, A_QUEUE = 10, 5
"""What holds the sketches of a task on a worker, and those of a queue, takes the memory of so many bins."""
LONGEST_S = 1e9
"""A duration that is longer, or negative by more than clocks explain, is none."""
LATE_S = 2.0
"""The word of its sender, which says its queue, may come after a run has ended: senders have connections of their own."""
MOST_UNSENT = 5_000


class _Growing:
    """Successes of one task on one worker."""

    __slots__ = ("came", "count", "runtimes", "waits")

    def __init__(self) -> None:
        self.count, self.runtimes, self.waits = 0, Sketching(), Sketching()
        self.came: dict[str | None, tuple[int, Sketching]] = {}

    def timing(self) -> Timing:
        came = tuple(Came(queue, count, waits.sketch()) for queue, (count, waits) in self.came.items())
        return Timing(self.count, self.runtimes.sketch(), self.waits.sketch(), came)

    def plus(self, other: "_Growing") -> None:
        self.count += other.count
        self.runtimes.plus(other.runtimes)
        self.waits.plus(other.waits)
        for queue, (count, waits) in other.came.items():
            before, sketch = self.came.get(queue) or (0, Sketching())
            sketch.plus(waits)
            self.came[queue] = before + count, sketch


class _Slot:
    """What was heard between two reads: from `since` on (epoch seconds), up to the mark `nth`. `size`: how many numbers it holds."""

    __slots__ = ("nth", "of", "since", "size")

    def __init__(self, nth: int, since: float) -> None:
        self.nth, self.since, self.size = nth, since, 0
        self.of: dict[tuple[str, str], _Growing] = {}

    def growing(self, worker: str, task: str) -> _Growing:
        found = self.of.get((worker, task))
        if found is None:
            found = self.of[worker, task] = _Growing()
            self.size += A_TASK
        return found

    def ends(self, run: Run) -> None:
        of_task = self.growing(run.worker or "", run.name or "")
        of_task.count += 1
        self._adds(of_task.runtimes, run.runtime)
        self._adds(of_task.waits, _between(run.received, run.started))

    def comes(self, run: Run) -> None:
        """File the queue that it came from; a run that had to wait, for its ETA or to be retried, shows nothing of the queue."""
        came = self.growing(run.worker or "", run.name or "").came
        if run.routing_key not in came:
            self.size += A_QUEUE
        count, waits = came.get(run.routing_key) or (0, Sketching())
        came[run.routing_key] = count + 1, waits
        if not (run.has_eta or run.retries):
            self._adds(waits, _between(run.sent, run.started))

    def takes(self, other: "_Slot") -> None:
        """Add the slot before it."""
        self.since = other.since
        for (worker, task), theirs in other.of.items():
            self.growing(worker, task).plus(theirs)
        self.size += other.size

    def _adds(self, sketch: Sketching, seconds: float | None) -> None:
        if seconds is not None and seconds < LONGEST_S and sketch.add(seconds):
            self.size += 1


class Timings:
    """Of one ear. Not thread-safe: `ear` locks."""

    def __init__(self) -> None:
        self.opens(0.0)

    def opens(self, now: float) -> None:
        """Events are heard from now on (epoch seconds); what was heard over an earlier connection is no part of it."""
        self._opened_at = self._now = self._turned_at = now
        self._slots = deque([_Slot(1, now)])
        self._size = 0
        """Of the slots before the last one."""
        self._marks: dict[str, tuple[int, int]] = {}
        """Reader -> the mark that it gave when it last read, and the one that it was given."""
        self._unsent: dict[str, Run] = {}
        self._unsent_before: dict[str, Run] = {}
        """Of runs that ended, those of which no sender has said anything yet."""

    def passes(self, now: float) -> None:
        """Time has passed: of which runs no sender has spoken by now, none will."""
        self._now = now
        if abs(now - self._turned_at) >= LATE_S:  # two threads read the clock, and the earlier may come last
            self._turned_at = now
            for run in self._unsent_before.values():
                self._slots[-1].comes(run)
            self._unsent_before, self._unsent = self._unsent, {}

    def ends(self, run: Run) -> None:
        """A run succeeded."""
        slot = self._slots[-1]
        slot.ends(run)
        if run.sent is not None or len(self._unsent) >= MOST_UNSENT:
            slot.comes(run)
        else:
            self._unsent[run.id] = run
        if self._size + slot.size > MOST_NUMBERS:
            self._forgets()

    def sends(self, run: Run) -> None:
        """Its sender spoke of it."""
        late = self._unsent.pop(run.id, None) or self._unsent_before.pop(run.id, None)
        if late is not None:
            late.sent, late.routing_key = run.sent, run.routing_key
            self._slots[-1].comes(late)

    def read(self, reader: str, after: Mark | None, workers: tuple[str, ...] = ()) -> TimingsHeard:
        """Return what came of these workers since that mark; if it is none of this connection, since that was opened."""
        read = after.nth if after is not None and after.opened_at == self._opened_at else 0
        mark = self._slots[-1].nth
        told = [slot for slot in self._slots if slot.nth > read]
        self._marks[reader] = read, mark
        timings = _by_task((task, of_task) for slot in told for (worker, task), of_task in slot.of.items() if covers(worker, workers))
        since = told[0].since if told else self._now
        self._slots.append(_Slot(mark + 1, self._now))
        self._tidies()
        return TimingsHeard(Mark(self._opened_at, mark), since, self._now, timings)

    def _tidies(self) -> None:
        """Drop what every reader has read, and put together what no reader tells apart."""
        read = min(confirmed for confirmed, _ in self._marks.values())
        needed = {nth for marks in self._marks.values() for nth in marks}
        kept: list[_Slot] = []
        for slot in self._slots:
            if slot.nth <= read:
                continue
            if kept and kept[-1].nth not in needed:
                slot.takes(kept.pop())
            kept.append(slot)
        self._slots = deque(kept)
        self._size = sum(slot.size for slot in kept[:-1])

    def _forgets(self) -> None:
        """They have grown too large: drop the oldest; the only one begins anew."""
        oldest = self._slots.popleft()
        if self._slots:
            self._size -= oldest.size
        else:
            self._slots.append(_Slot(oldest.nth, self._now))


def _by_task(parts: Iterable[tuple[str, _Growing]]) -> dict[str, Timing]:
    found: dict[str, _Growing] = {}
    for task, part in parts:
        found.setdefault(task, _Growing()).plus(part)
    return {task: of_task.timing() for task, of_task in found.items()}


def _between(begin: float | None, end: float | None) -> float | None:
    return None if begin is None or end is None else max(end - begin, 0.0)
