"""Whether heartbeats come twice as often as one worker sends them: two processes call themselves by its name.

In: what is remembered, what Flower has counted by now. Out: what is remembered now. A look sees only the last heartbeat, and where looks
and heartbeats keep step it is that of the same process for hours; a count misses none. What was held up comes in one go, and not for
half a minute on end.
"""

from msgspec import Struct
from msgspec.structs import replace

from watchdog.core.model.replies import WorkerBeat

__all__ = ["HeartbeatRate", "rate_after"]

WINDOW_S = 10.0
BEATS = 4
"""A window holds at least so many of one process."""
LASTS_S = 30.0


class HeartbeatRate(Struct, frozen=True):
    """`count` heartbeats at `at`, where the window begins; `many_since`: since when every window held too many (epoch seconds)."""

    at: float
    count: int
    many_since: float | None = None

    def of_two(self) -> bool:
        """Whether it has lasted long enough."""
        return self.many_since is not None and self.at - self.many_since >= LASTS_S


def rate_after(known: HeartbeatRate | None, beat: WorkerBeat | None, now: float) -> HeartbeatRate | None:
    """A count that did not change opens no window: it may be an answer that Flower or watchdog had kept."""
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
