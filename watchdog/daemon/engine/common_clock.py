"""One clock for all who look: the database's. Between two looks of a target nothing may depend on which machine's clock is right.

In: the store, this process's clocks. Out: the time by the database, of which the distance to this machine's clock is measured now and then.
"""

import threading
from collections.abc import Callable

import structlog

from watchdog.store import Store, StoreError

__all__ = ["CommonClock"]

log = structlog.get_logger()

MEASURED_EVERY_S = 30.0
WORTH_SAYING_S = 1.0
"""How far this machine's clock may be off before the log says so: Celery compares `expires` with it."""


class CommonClock:
    """Epoch seconds by the database's clock. Thread-safe. The first call raises `StoreError` if the database cannot be asked."""

    def __init__(self, store: Store, clock: Callable[[], float], stopwatch: Callable[[], float]) -> None:
        self._store, self._clock, self._stopwatch = store, clock, stopwatch
        self._ahead_s: float | None = None
        self._measured_at = float("-inf")
        self._turn, self._said = threading.Lock(), False

    def __call__(self) -> float:
        """What time it is."""
        if self._stopwatch() - self._measured_at >= MEASURED_EVERY_S and self._turn.acquire(blocking=self._ahead_s is None):
            try:
                self._measure()
            finally:
                self._turn.release()
        return self._clock() + (self._ahead_s or 0.0)

    def _measure(self) -> None:
        before = self._clock()
        try:
            there = self._store.now()
        except StoreError:
            if self._ahead_s is None:
                raise
            self._measured_at = self._stopwatch()  # the distance stays as it was; nobody waits for the database again and again
            return
        self._ahead_s, self._measured_at = there - (before + self._clock()) / 2, self._stopwatch()
        far = abs(self._ahead_s) > WORTH_SAYING_S
        if far and not self._said:
            log.warning(
                "clock_differs",
                seconds=round(self._ahead_s, 1),
                reason="the database's clock, which counts, is ahead of this machine's by so many seconds; is this one synchronised? "
                "Looks expire by it",
            )
        self._said = far
