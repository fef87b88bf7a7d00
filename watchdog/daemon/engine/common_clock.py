"""One clock for all who look: the database's. Between two looks of a target nothing may depend on which machine's clock is right.

In: the store, this process's clocks. Out: the time by the database, of which the distance to this machine's clock is measured now and then.
"""

import threading
from collections.abc import Callable
from math import inf

import structlog

from watchdog.store import Store, StoreError

__all__ = ["CommonClock"]

log = structlog.get_logger()

MEASURED_EVERY_S = 30.0
LONGEST_S = 0.5
"""A question that took longer is asked again: the database's clock was read at some moment of that time, and nobody knows at which."""
AGAIN_S = 1.0
"""How soon a database that did not answer is asked again."""
ATTEMPTS = 3
"""Of these, the quickest counts."""
WORTH_SAYING_S = 1.0
"""How far this machine's clock may be off before the log says so: Celery compares `expires` with it."""


class CommonClock:
    """Epoch seconds by the database's clock. Thread-safe. The first call raises `StoreError` if the database cannot be asked."""

    def __init__(self, store: Store, clock: Callable[[], float], stopwatch: Callable[[], float]) -> None:
        self._store, self._clock, self._stopwatch = store, clock, stopwatch
        self._ahead_s: float | None = None
        self._measured_at, self._apart_s, self._not_before = -inf, 0.0, -inf
        self._turn, self._said = threading.Lock(), False

    def __call__(self) -> float:
        """What time it is."""
        if self._is_due() and self._turn.acquire(blocking=self._ahead_s is None):
            try:
                self._measure()
            finally:
                self._turn.release()
        return self._clock() + (self._ahead_s or 0.0)

    def _is_due(self) -> bool:
        """Whether it is time to measure, or this machine's clock was set since."""
        now = self._stopwatch()
        if now < self._not_before:
            return False
        return now - self._measured_at >= MEASURED_EVERY_S or abs(self._clock() - now - self._apart_s) > LONGEST_S

    def _measure(self) -> None:
        try:
            self._ahead_s = self._distance()
        except StoreError:
            if self._ahead_s is None:
                raise
            self._not_before = self._stopwatch() + AGAIN_S  # the distance stays as it was: nobody waits for the database again and again
            return
        self._measured_at = self._stopwatch()
        self._apart_s = self._clock() - self._measured_at
        self._say_if_far(self._ahead_s)

    def _distance(self) -> float:
        """How far the database's clock is ahead (seconds), to half of the time that the quickest question took.

        A process that is frozen before the question or after the answer takes long, too.
        """
        quickest_s, distance = inf, 0.0
        for _ in range(ATTEMPTS):
            before = self._clock()
            there = self._store.now()
            after = self._clock()
            if abs(after - before) < quickest_s:
                quickest_s, distance = abs(after - before), there - (before + after) / 2
            if quickest_s <= LONGEST_S:
                break
        return distance

    def _say_if_far(self, ahead_s: float) -> None:
        far = abs(ahead_s) > WORTH_SAYING_S
        if far and not self._said:
            log.warning(
                "clock_differs",
                seconds=round(ahead_s, 1),
                reason="the database's clock, which counts, is ahead of this machine's by so many seconds; is this one synchronised? "
                "Looks expire by it",
            )
        self._said = far
