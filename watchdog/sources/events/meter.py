"""How many events come, and what hearing them takes, over the last minute or two.

In: what the listener has used and read so far (`Spent`), now and then. Out: events a second, and the share of a core. Pure.
"""

from watchdog.sources.events.tasks.allowance import Spent

__all__ = ["Meter"]

SPAN_S = 60.0
"""What is measured is at least so long ago, once it has been watched for that long, and twice that at most."""


class Meter:
    """Of one listener."""

    def __init__(self) -> None:
        self._older: Spent | None = None
        self._newer: Spent | None = None
        self._last: Spent | None = None

    def notes(self, spent: Spent) -> None:
        """Take how much it is by now."""
        self._last = spent
        if self._newer is None or spent.at - self._newer.at >= SPAN_S:
            self._older, self._newer = self._newer or spent, spent

    def measured(self) -> tuple[float, float] | None:
        """Return the events a second, and the share of a core; None: it has only just begun."""
        before, now = self._older, self._last
        if before is None or now is None or now.at <= before.at:
            return None
        seconds = now.at - before.at
        return (now.tasks + now.workers - before.tasks - before.workers) / seconds, (now.cpu_s - before.cpu_s) / seconds
