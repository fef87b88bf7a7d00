"""Which workers are heard while they execute tasks: one that is can not be a solo pool, whose silence may mean that it works.

In: what workers say, with their own times. Out: the workers of which it is proven. A solo pool says nothing between start and end of
a run; what it says next is dated after the end. So a word dated in between proves it, even if no heartbeat ever happened to count a task.
Not thread-safe: `ear` locks.
"""

from collections import deque

from watchdog.sources.events.tasks.messages import TaskEvent

__all__ = ["Proofs"]

WORDS = 16
"""The last words of a worker that are compared with a run."""
MOST_WORKERS = 5_000
MOST_RUNS = 10_000
APART_S = 0.05
"""A word so close to the start or the end may have been said before or after it."""
ENDS = frozenset({"task-succeeded", "task-failed", "task-retried"})


class Proofs:
    """What is known of the connection that is open."""

    def __init__(self) -> None:
        self._words: dict[str, deque[float]] = {}
        self._begun: dict[tuple[str, str], float] = {}
        self._proven: set[str] = set()

    def opens(self) -> None:
        """A new connection: the end of what began before may be that of a later run, whose start was not heard."""
        self._words, self._begun, self._proven = {}, {}, set()

    def says(self, worker: str, at: float | None) -> None:
        """A worker said something that a solo pool says only between two runs: a heartbeat, or that it received a task."""
        if at is None:
            return
        words = self._words.get(worker)
        if words is None:
            words = self._words[worker] = deque(maxlen=WORDS)
            if len(self._words) > MOST_WORKERS:
                del self._words[next(iter(self._words))]
        words.append(at)

    def hears(self, event: TaskEvent) -> None:
        """Add an event of a task."""
        run = (event.hostname, event.uuid)
        if event.type == "task-received":
            self.says(event.hostname, event.timestamp)
            self._begun.pop(run, None)
        elif event.type == "task-started" and event.timestamp is not None:
            self._begun[run] = event.timestamp
            if len(self._begun) > MOST_RUNS:
                del self._begun[next(iter(self._begun))]
        elif event.type in ENDS:
            began = self._begun.pop(run, None)
            if began is not None and event.timestamp is not None:
                self._ended(event.hostname, began + APART_S, event.timestamp - APART_S)

    def take(self) -> set[str]:
        """Return the workers of which it was proven since the last time."""
        proven, self._proven = self._proven, set()
        return proven

    def _ended(self, worker: str, after: float, before: float) -> None:
        if any(after < word < before for word in self._words.get(worker, ())):
            self._proven.add(worker)
