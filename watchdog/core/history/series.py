"""What history keeps: which figures of which table, and how several looks become one.

A **slice** is what one look, or all looks of a bucket, add to the history of a target. Both have the same shape, so that buckets are folded
again for longer spans. A table that could not be read has no part in a slice, and a cell that is a gap is None: neither is ever a zero.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum

from msgspec import Struct, field

from watchdog.core.model.reading import Past, Seen
from watchdog.core.model.rows import Key
from watchdog.core.model.sketch import Sketch

__all__ = ["Fold", "Keeping", "Kept", "Moment", "Part", "Series", "Slice", "Value"]

INTERVALS_APART = 3.0
"""Looks further apart than this many intervals leave a gap in the history of gauges."""

Value = float | Sketch | None


class Fold(StrEnum):
    """How the values of several looks become one. The mean is weighted by how long each value was valid."""

    LAST = "last"
    MIN = "min"
    MAX = "max"
    MEAN = "mean"
    SUM = "sum"
    SKETCH = "sketch"


class Series(Struct, frozen=True):
    """One figure: its name, how it folds, its meaning. `column`: the column of its table that it is read from, if it is one."""

    name: str
    fold: Fold
    meaning: str
    unit: str = ""
    column: str = ""


class Part(Struct, frozen=True, array_like=True):
    """One table's part of a slice: key -> values in the order of its series, valid from `since` to `until` (epoch seconds).

    Values may be fewer than the series: series added later stand at the end. A key without a row did not exist, or nothing happened to it.
    """

    since: float
    until: float
    rows: Mapping[Key, tuple[Value, ...]]


class Slice(Struct, frozen=True):
    """What one look, or one bucket, adds to the history of a target. `at`: when the look, or the last look of the bucket, was."""

    at: float
    parts: Mapping[str, Part] = field(default_factory=dict)


class Moment(Struct, frozen=True):
    """One look: what earlier cycles left, what was seen. `before_at`: when the look before was (epoch seconds; None: never)."""

    past: Past
    seen: Seen
    now: float
    before_at: float | None
    interval_s: float

    @property
    def since(self) -> float:
        """Since when a gauge that is read now counts as valid: since the look before, unless that is too long ago."""
        gapless = self.before_at is not None and 0 < self.now - self.before_at <= INTERVALS_APART * self.interval_s
        return self.before_at if gapless and self.before_at is not None else self.now - self.interval_s


class Kept(Struct, frozen=True):
    """What is kept of one table. `look` returns its part of one look; None if it could not be read."""

    table: str
    key: tuple[str, ...]
    series: tuple[Series, ...]
    look: Callable[[Moment], Part | None]

    def place(self, name: str) -> int:
        """Return the position of a series in each row."""
        return next(nth for nth, series in enumerate(self.series) if series.name == name)


class Keeping(Struct, frozen=True):
    """What is kept of which tables, and for how long: single looks, and buckets (seconds)."""

    kept: Mapping[str, Kept] = field(default_factory=dict)
    looks_s: float = 2 * 3600.0
    buckets_s: float = 14 * 86400.0
