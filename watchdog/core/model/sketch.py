"""Quantile sketches: percentiles of any number of durations in a few dozen numbers, which can be added to each other.

In: durations (seconds). Out: a `Sketch`, and percentiles of it within 2 % of the true ones (DDSketch: the library `ddsketch`, which is
imported on first use, maps a duration to the number of its bin and back). A sketch is a plain value; one that grows is a `Sketching`.
"""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import TYPE_CHECKING

from msgspec import Struct, field

if TYPE_CHECKING:
    from ddsketch.mapping import LogarithmicMapping

__all__ = ["Sketch", "Sketching", "mean_of", "merged", "quantile", "quantile_of", "sketch_of", "up_to"]

ACCURACY = 0.02
"""How far a percentile may be from the true one. Never change it: stored sketches are of this accuracy."""
SHORTEST_S = 1e-6
"""Anything shorter counts as 0."""


class Sketch(Struct, frozen=True, array_like=True):
    """How often which duration occurred. `zeros`: how often none; `total_s`: the sum of all."""

    total_s: float = 0.0
    zeros: int = 0
    bins: Mapping[int, int] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """The number of durations."""
        return self.zeros + sum(self.bins.values())

    @property
    def mean_s(self) -> float | None:
        """The exact average; None without any."""
        count = self.count
        return self.total_s / count if count else None


class Sketching:
    """A sketch that grows."""

    __slots__ = ("bins", "total_s", "zeros")

    def __init__(self) -> None:
        self.total_s, self.zeros, self.bins = 0.0, 0, dict[int, int]()

    def add(self, seconds: float) -> bool:
        """Add a duration. Return whether the sketch takes more memory with it."""
        if seconds < SHORTEST_S:
            self.zeros += 1
            return False
        key, bins = _mapping().key(seconds), self.bins
        self.total_s += seconds
        known = bins.get(key, 0)
        bins[key] = known + 1
        return not known

    def plus(self, sketch: "Sketch | Sketching") -> None:
        """Add everything that this is a sketch of."""
        self.total_s += sketch.total_s
        self.zeros += sketch.zeros
        bins = self.bins
        for key, count in sketch.bins.items():
            bins[key] = bins.get(key, 0) + count

    def sketch(self) -> Sketch:
        """Return it as it is now."""
        return Sketch(self.total_s, self.zeros, dict(self.bins))


def sketch_of(durations: Iterable[float]) -> Sketch:
    """Return the sketch of these durations."""
    found = Sketching()
    for seconds in durations:
        found.add(seconds)
    return found.sketch()


def merged(sketches: Iterable[Sketch]) -> Sketch:
    """Return the sketch of everything that these are sketches of."""
    found = Sketching()
    for sketch in sketches:
        found.plus(sketch)
    return found.sketch()


def mean_of(weighted: Iterable[tuple[float, Sketch]]) -> float | None:
    """Return the average of several, each duration of which counts `weight` times; None without any."""
    total_s = count = 0.0
    for weight, sketch in weighted:
        total_s += weight * sketch.total_s
        count += weight * sketch.count
    return total_s / count if count else None


def quantile(sketch: Sketch, share: float) -> float | None:
    """Return the shortest duration that at least this share of all does not exceed; None without any."""
    return quantile_of([(1.0, sketch)], share)


def quantile_of(weighted: Iterable[tuple[float, Sketch]], share: float) -> float | None:
    """Return the same of several sketches, each duration of which counts `weight` times."""
    counts, zeros = dict[int, float](), 0.0
    for weight, sketch in weighted:
        zeros += weight * sketch.zeros
        for key, count in sketch.bins.items():
            counts[key] = counts.get(key, 0.0) + weight * count
    wanted, seen = share * (zeros + sum(counts.values())), zeros
    if not counts or (zeros and seen >= wanted):
        return 0.0 if zeros else None
    keys = sorted(counts)
    for key in keys:
        seen += counts[key]
        if seen >= wanted:
            return float(_mapping().value(key))
    return float(_mapping().value(keys[-1]))  # sums of fractions may differ in their last digit


def up_to(sketch: Sketch, longest_s: float) -> int:
    """Return how many of the durations are no longer than that; one within 2 % of it counts as either."""
    return sketch.zeros + sum(count for key, count in sketch.bins.items() if _mapping().value(key) <= longest_s)


@cache
def _mapping() -> "LogarithmicMapping":
    from ddsketch.mapping import LogarithmicMapping  # noqa: PLC0415 - most commands need none

    return LogarithmicMapping(ACCURACY)
