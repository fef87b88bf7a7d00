"""How often something went well or did not, over a month in a few hundred numbers.

In: counts as they come, now (epoch seconds). Out: a `Tally`, and its sums over the last minutes, hours or days. What is recent is kept by
the minute, what is older by the hour or the quarter of a day: a window of minutes is exact, one of a month as exact as it needs to be.
"""

from collections.abc import Iterator

from msgspec import Struct

__all__ = ["Tally", "added", "counted"]

DAY_S = 86400.0
WIDTHS = ((3600.0, 60.0), (6 * 3600.0, 300.0), (3 * DAY_S, 3600.0), (float("inf"), 6 * 3600.0))
"""(up to which age, in buckets of how many seconds)."""

Bucket = tuple[float, float, float]
"""When it begins (epoch seconds), what went well in it, what did not."""


class Tally(Struct, frozen=True):
    """Buckets, oldest first."""

    buckets: tuple[Bucket, ...] = ()


def added(tally: Tally, well: float, missed: float, now: float, keep_s: float) -> Tally:
    """Return the tally with these; what is older than `keep_s`, or lies ahead of the clock, is dropped."""
    found: dict[float, tuple[float, float]] = {}
    for begin, before, missed_before in (*tally.buckets, *([(now, well, missed)] if well or missed else ())):
        if 0 <= now - begin <= keep_s:
            width = _width(now - begin)
            at = begin // width * width
            held = found.get(at, (0.0, 0.0))
            found[at] = (held[0] + before, held[1] + missed_before)
    return Tally(tuple((at, *found[at]) for at in sorted(found)))


def counted(tally: Tally, now: float, window_s: float) -> tuple[float, float]:
    """Return (well, missed) of the last `window_s` seconds; a bucket that reaches into the window counts whole."""
    within = list(_within(tally, now - window_s, now))
    return sum(well for _, well, _ in within), sum(missed for _, _, missed in within)


def _within(tally: Tally, since: float, now: float) -> Iterator[Bucket]:
    for bucket in reversed(tally.buckets):
        if bucket[0] + _width(now - bucket[0]) <= since:
            return
        yield bucket


def _width(age_s: float) -> float:
    return next(width for up_to, width in WIDTHS if age_s < up_to)
