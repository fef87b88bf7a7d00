"""A deadline shared by a whole exchange, so that many small waits cannot add up: a server that sends byte by byte counts as hanging."""

from collections.abc import Callable

__all__ = ["Deadline"]


class Deadline:
    """The time left, by a monotonic clock. Every wait for the other side is limited to `left()`."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._ends_at = 0.0

    def start(self, seconds: float) -> None:
        """Set the deadline to this many seconds from now."""
        self._ends_at = self._clock() + seconds

    def left(self) -> float:
        """Seconds left; 0 when it is over."""
        return max(self._ends_at - self._clock(), 0.0)

    @property
    def over(self) -> bool:
        """Whether no time is left."""
        return self.left() <= 0
