"""Work that must end in time, in a thread of its own, which is left alone if it does not.

In: work that blocks (a library's request, whose own timeouts do not cover all of it), and how long the caller waits. Out: whether it
ended. One thread serves one piece of work after the other, since starting one for each costs a quarter of a request; without work it ends
by itself. What was left alone ends whenever it does; above a limit of such threads no further work is to be begun.
"""

import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue

__all__ = ["MOST_LEFT_ALONE", "BoundedThread"]

MOST_LEFT_ALONE = 4
IDLE_S = 5.0
"""How long a thread waits for more work."""

Work = tuple[Callable[[], object], threading.Lock]


class BoundedThread:
    """Runs work in time. Not thread-safe: for one caller at a time."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._runner: _Runner | None = None
        self._left_alone: list[_Runner] = []

    @property
    def full(self) -> bool:
        """Whether so much work hangs that no more may be begun."""
        self._left_alone = [runner for runner in self._left_alone if runner.thread.is_alive()]
        return len(self._left_alone) >= MOST_LEFT_ALONE

    def ends_within(self, timeout_s: float, work: Callable[[], object]) -> bool:
        """Run the work, which raises nothing. Whether it ended in time."""
        done = threading.Lock()
        done.acquire()
        if self._runner is None or not self._runner.takes((work, done)):
            self._runner = _Runner(self._name, (work, done))
        if done.acquire(timeout=timeout_s):
            return True
        self._left_alone.append(self._runner)
        self.close()
        return False

    def close(self) -> None:
        """Let the thread end once it has nothing to do; the next work starts another."""
        runner, self._runner = self._runner, None
        if runner is not None:
            runner.end()


class _Runner:
    """A thread, and what it is to do."""

    def __init__(self, name: str, first: Work) -> None:
        self._queue: SimpleQueue[Work | None] = SimpleQueue()
        self._queue.put(first)
        self._lock, self._ended = threading.Lock(), False
        self.thread = threading.Thread(target=self._run, daemon=True, name=name)
        self.thread.start()

    def takes(self, work: Work) -> bool:
        """Hand it over; false if the thread has ended for lack of work."""
        with self._lock:
            if not self._ended:
                self._queue.put(work)
            return not self._ended

    def end(self) -> None:
        self._queue.put(None)

    def _run(self) -> None:
        while (one := self._next()) is not None:
            work, done = one
            try:
                work()
            finally:
                done.release()

    def _next(self) -> Work | None:
        """What to do; None if there is nothing any more."""
        try:
            return self._queue.get(timeout=IDLE_S)
        except Empty:
            with self._lock:
                self._ended = self._queue.empty()
        return None if self._ended else self._next()
