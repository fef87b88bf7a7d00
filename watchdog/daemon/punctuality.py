"""Whether this process keeps up with its targets: a cycle that is due has to wait for a thread, the processor or the database if not.

In: when each cycle begins and ends (monotonic seconds). Out: whether it was late; and one line in the log an hour while some are.
"""

import structlog

from watchdog.core.text.durations import format_duration

__all__ = ["Punctuality"]

log = structlog.get_logger()

LATE_S = 5.0
"""A cycle is late if it begins later than due by its interval, and by this."""
SAID_EVERY_S = 3600.0


class Punctuality:
    """The cycles of one configuration. A target's cycles never overlap, so no two threads write one entry."""

    def __init__(self, targets: int) -> None:
        self._targets = targets
        self._due: dict[str, float] = {}
        self._said_at = float("-inf")

    def began(self, target: str, at: float, interval_s: float) -> bool:
        """A cycle begins. Returns whether it is late."""
        late_s = at - self._due.get(target, at)
        self._due[target] = at + interval_s
        if late_s < max(interval_s, LATE_S):
            return False
        if at - self._said_at >= SAID_EVERY_S:
            self._said_at = at
            log.warning("cycles_late", target=target, late=format_duration(round(late_s)), reason=self._reason(interval_s))
        return True

    def ended(self, target: str, at: float) -> None:
        """A cycle ends. The next one is not due before, however long this one waited for its sources."""
        self._due[target] = max(self._due.get(target, at), at)

    def forget(self, target: str) -> None:
        """Another process has looked: until when the next look here is due is not known."""
        self._due.pop(target, None)

    def _reason(self, interval_s: float) -> str:
        every = format_duration(interval_s)
        return f"this process cannot poll {self._targets} targets every {every}; raise `interval`, or watch some with another watchdog"
