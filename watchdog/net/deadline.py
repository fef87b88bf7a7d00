"""A deadline that a whole exchange shares, so that many small waits cannot add up: a server that drips is a server that hangs."""

from collections.abc import Callable

__all__ = ["Deadline"]


class Deadline:
    """How much time is left, by a monotonic clock. Whoever waits for the other side waits at most `left()`."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._ends_at = 0.0

    def start(self, seconds: float) -> None:
        """It ends so many seconds from now."""
        self._ends_at = self._clock() + seconds

    def left(self) -> float:
        """Seconds left; 0 when it is over."""
        return max(self._ends_at - self._clock(), 0.0)

    @property
    def over(self) -> bool:
        """Whether no time is left."""
        return self.left() <= 0
