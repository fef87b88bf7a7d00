"""Detect two processes with one worker name: heartbeats come twice as often as one worker sends them.

Input: what is remembered, the count that Flower has now. Output: what to remember. A poll sees only the last heartbeat, and if polls and
heartbeats keep step, it comes from the same process for hours; a count misses none. Delayed heartbeats arrive all at once, not for half a
minute on end.
"""

from msgspec import Struct
from msgspec.structs import replace

from watchdog.core.model.replies import WorkerBeat

__all__ = ["HeartbeatRate", "rate_after"]

WINDOW_S = 10.0
BEATS = 4
"""A window is long enough for at least so many heartbeats of one process."""
LASTS_S = 30.0


class HeartbeatRate(Struct, frozen=True, gc=False):
    """`count` heartbeats at `at`, where the window begins. `many_since`: since when every window had too many (epoch seconds)."""

    at: float
    count: int
    many_since: float | None = None

    def of_two(self) -> bool:
        """Whether it has lasted long enough to mean two processes."""
        return self.many_since is not None and self.at - self.many_since >= LASTS_S


def rate_after(known: HeartbeatRate | None, beat: WorkerBeat | None, now: float) -> HeartbeatRate | None:
    """Return the rate after a poll. An unchanged count opens no window: it may be a cached answer of Flower or watchdog."""
    if beat is None or beat.pulses is None or not beat.freq_s or beat.freq_s <= 0:
        return None
    if known is None or beat.pulses < known.count or now < known.at:
        return HeartbeatRate(now, beat.pulses)
    passed_s = now - known.at
    if beat.pulses == known.count or passed_s < max(WINDOW_S, BEATS * beat.freq_s):
        return known
    expected = passed_s / beat.freq_s
    many = beat.pulses - known.count >= 1.5 * expected + 1
    begun = known.at if known.many_since is None else known.many_since
    return replace(known, at=now, count=beat.pulses, many_since=begun if many else None)
