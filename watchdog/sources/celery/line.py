"""The way to one broker: at most one conversation at a time, whoever asks, and none that anybody has to wait for.

A conversation runs in a thread of its own. If it has not ended at its deadline (a broker that hangs keeps it in a read), it is left alone,
and nothing else is tried until it has ended. After a refusal nothing is tried for a while either.
"""

import threading
from collections.abc import Callable
from typing import TypeVar

from watchdog.core.model.gaps import Gap
from watchdog.net.background import Outcome, in_background

__all__ = ["HANGS_S", "Line"]

T = TypeVar("T")

HANGS_S = 30.0
"""How long nothing is tried after the broker did not answer in time, so that one that hangs costs little."""


class Line:
    """Shared by the sources of all targets on one broker. Thread-safe."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._turn = threading.Lock()
        self._under_way: Outcome[object] | None = None
        self._quiet_until = 0.0
        self._why = Gap("")

    def talk(self, work: Callable[[], T], wait_s: float) -> T | Gap:
        """Do the work in the background, and return its result within `wait_s`; a gap without one. Raises what the work raises."""
        ends_at = self._clock() + wait_s
        if not self._turn.acquire(timeout=wait_s):
            return Gap("celery: not asked: other targets on this broker took all the time")
        try:
            if self._clock() < self._quiet_until:
                return self._why
            if self._under_way is not None and not self._under_way.wait(0):
                return Gap("celery: not asked: an earlier question to this broker has not ended yet: does it hang?")
            outcome: Outcome[T] = in_background(work, "asking-workers")
            self._under_way = outcome  # type: ignore[assignment] # only whether it is over is asked of it
            if not outcome.wait(max(ends_at - self._clock(), 0.0)):
                gap = Gap(f"celery: no answer from the broker within {wait_s:g}s: it hangs, or is too busy (`timeout` of celery)")
                self.pause(gap, HANGS_S)
                return gap
            return outcome.result()
        finally:
            self._turn.release()

    def pause(self, why: Gap, seconds: float) -> None:
        """Try nothing for so long; the gap says why."""
        self._why, self._quiet_until = why, self._clock() + seconds
