"""Quantile sketches: percentiles of any number of durations in a few dozen numbers, which can be added to each other.

In: durations (seconds). Out: a `Sketch`, and percentiles of it within 2 % of the true ones (DDSketch, by the library `ddsketch`, which is
imported on first use). A sketch is a plain value: the library maps a duration to the number of its bin and back, and finds the quantile.
"""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import TYPE_CHECKING

from msgspec import Struct, field

if TYPE_CHECKING:
    from ddsketch.mapping import LogarithmicMapping

__all__ = ["Sketch", "mean_of", "merged", "quantile", "quantile_of", "sketch_of"]

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


def sketch_of(durations: Iterable[float]) -> Sketch:
    """Return the sketch of these durations."""
    total_s, zeros, bins = 0.0, 0, dict[int, int]()
    for seconds in durations:
        if seconds < SHORTEST_S:
            zeros += 1
            continue
        key = _mapping().key(seconds)
        bins[key] = bins.get(key, 0) + 1
        total_s += seconds
    return Sketch(total_s, zeros, bins)


def merged(sketches: Iterable[Sketch]) -> Sketch:
    """Return the sketch of everything that these are sketches of."""
    total_s, zeros, bins = 0.0, 0, dict[int, int]()
    for sketch in sketches:
        total_s += sketch.total_s
        zeros += sketch.zeros
        for key, count in sketch.bins.items():
            bins[key] = bins.get(key, 0) + count
    return Sketch(total_s, zeros, bins)


def mean_of(weighted: Iterable[tuple[float, Sketch]]) -> float | None:
    """Return the average of several, each duration of which counts `weight` times; None without any."""
    total_s = count = 0.0
    for weight, sketch in weighted:
        total_s += weight * sketch.total_s
        count += weight * sketch.count
    return total_s / count if count else None


def quantile(sketch: Sketch, share: float) -> float | None:
    """Return the duration that this share of all does not exceed; None without any."""
    return quantile_of([(1.0, sketch)], share)


def quantile_of(weighted: Iterable[tuple[float, Sketch]], share: float) -> float | None:
    """Return the same of several sketches, each duration of which counts `weight` times."""
    from ddsketch.ddsketch import BaseDDSketch  # noqa: PLC0415 - most commands and cycles need no quantile
    from ddsketch.store import DenseStore  # noqa: PLC0415

    store, zeros = DenseStore(), 0.0
    for weight, sketch in weighted:
        zeros += weight * sketch.zeros
        for key, count in sketch.bins.items():
            store.add(key, weight * count)
    found = BaseDDSketch(_mapping(), store, DenseStore(), zeros).get_quantile_value(share)
    return None if found is None else float(found)


@cache
def _mapping() -> "LogarithmicMapping":
    from ddsketch.mapping import LogarithmicMapping  # noqa: PLC0415

    return LogarithmicMapping(ACCURACY)
