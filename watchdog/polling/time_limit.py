"""A poll with a time limit: what does not answer in time is a gap, whatever hangs, and nothing waits for it any longer.

In: a source, and the deadline shared by all sources of one poll. Out: a source that respects it. A query that hangs is left to a daemon
thread; the next poll waits for it no longer than for anything else.
"""

import threading
from collections.abc import Callable, Sequence
from math import inf

from watchdog.core.model.gaps import Gap
from watchdog.core.model.queries import Query
from watchdog.core.text.durations import format_duration
from watchdog.net.background import Outcome, in_background
from watchdog.sources.base import Answers, Source

__all__ = ["BoundedSource", "Outstanding", "PollDeadline"]


class PollDeadline:
    """The end of the current poll, by a monotonic clock. `timeout_s`: how long one may take; infinite: limited only by its sources."""

    def __init__(self, timeout_s: float, stopwatch: Callable[[], float]) -> None:
        self._timeout_s, self._stopwatch = timeout_s, stopwatch
        self._ends_at = inf

    def begin(self) -> None:
        """Start a poll now."""
        self._ends_at = self._stopwatch() + self._timeout_s

    def left_s(self) -> float:
        """Seconds left; infinite before the first poll."""
        return max(self._ends_at - self._stopwatch(), 0.0)

    def __str__(self) -> str:
        """For messages."""
        return f"the {format_duration(self._timeout_s)} of --timeout were over"


class BoundedSource:
    """A source that answers every batch before the deadline."""

    def __init__(self, source: Source, deadline: PollDeadline) -> None:
        self._source, self._deadline = source, deadline
        self._under_way: Outcome[Answers] | None = None
        self.name = source.name

    @property
    def longest_s(self) -> float:
        """The longest that one batch may take, by its timeouts (seconds)."""
        return self._source.longest_s

    def ask(self, queries: Sequence[Query]) -> Answers:
        """The source's answers; gaps if it does not answer in time, or still hangs on an earlier batch."""
        if self._under_way is not None and not self._under_way.wait(self._deadline.left_s()):
            return self._gaps(queries, f"no answer yet to an earlier query, when {self._deadline}")
        left_s = self._deadline.left_s()
        if left_s <= 0:
            return self._gaps(queries, f"not queried: {self._deadline}")
        self._under_way = in_background(lambda: self._source.ask(queries), f"asking-{self.name}")
        if not self._under_way.wait(left_s):
            return self._gaps(queries, f"no answer before {self._deadline}")
        return self._under_way.result()

    def close(self) -> None:
        """Close the sockets, unless a query is still running: that ends with the process."""
        if self._under_way is None or self._under_way.wait(0):
            self._source.close()

    def _gaps(self, queries: Sequence[Query], why: str) -> Answers:
        return Answers(dict.fromkeys(queries, Gap(f"{self.name}: {why}")))


class Outstanding:
    """What several concurrent polls are waiting for; `tell` is called at every change. Thread-safe."""

    _NAMED = 3

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._waits: dict[str, str] = {}
        self._turn = threading.Lock()

    def say(self, target: str, text: str) -> None:
        """Set what this target's poll is doing now."""
        with self._turn:
            self._waits[target] = text
            self._retell()

    def done(self, target: str) -> None:
        """This target's poll is finished."""
        with self._turn:
            self._waits.pop(target, None)
            self._retell()

    def _retell(self) -> None:
        texts = list(self._waits.values())
        more = [f"and {len(texts) - self._NAMED} more"] if len(texts) > self._NAMED else []
        if texts:
            self._tell("; ".join(texts[: self._NAMED] + more))
