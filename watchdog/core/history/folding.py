"""Many slices become one: looks a bucket, buckets a day.

In: slices, oldest first, and what is kept of each table. Out: one slice of the same shape. Folding what is folded already gives the same as
folding everything at once, except for means with gaps, whose weights are those of whole slices.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import zip_longest
from math import inf
from operator import mul

from watchdog.core.history.series import Fold, Kept, Part, Slice, Value
from watchdog.core.model.rows import Key
from watchdog.core.model.sketch import Sketch, merged

__all__ = ["fold", "fold_parts"]


def fold(slices: Iterable[Slice], kept: Mapping[str, Kept]) -> Slice:
    """Return all slices as one. Tables that are not kept any more are dropped. Each slice is read once, and may be forgotten then."""
    at, tables = 0.0, dict[str, _Gathered]()
    for one in slices:
        at = max(at, one.at)
        for table, part in one.parts.items():
            if table in kept:
                tables.setdefault(table, _Gathered()).add(part)
    return Slice(at, {table: gathered.folded(kept[table]) for table, gathered in tables.items()})


def fold_parts(parts: Iterable[Part], kept: Kept) -> Part:
    """Return the parts of one table as one; there must be at least one."""
    gathered = _Gathered()
    for part in parts:
        gathered.add(part)
    return gathered.folded(kept)


class _Gathered:
    """The parts of one table. Values that are as in the part before are kept once: of a thousand workers, those of most are."""

    def __init__(self) -> None:
        self._since, self._until = inf, -inf
        self._weights: list[float] = []
        self._places: dict[Key, int] = {}
        self._parts: list[list[tuple[Value, ...] | None]] = []
        """The values of each part, those of a key at its place; None, or too short, where a key was absent."""

    def add(self, part: Part) -> None:
        """Add the next part."""
        self._since, self._until = min(self._since, part.since), max(self._until, part.until)
        self._weights.append(max(part.until - part.since, 0.0))
        for key in part.rows:
            self._places.setdefault(key, len(self._places))
        before: list[tuple[Value, ...] | None] = self._parts[-1] if self._parts else []
        now: list[tuple[Value, ...] | None] = [None] * len(self._places)
        for key, values in part.rows.items():
            place = self._places[key]
            same = place < len(before) and before[place] == values
            now[place] = before[place] if same else values
        self._parts.append(now)

    def folded(self, kept: Kept) -> Part:
        """Return all parts as one."""
        folds = [series.fold for series in kept.series]
        by_key = zip(self._places, zip_longest(*self._parts), strict=True)
        return Part(self._since, self._until, {key: self._folded_row(folds, found) for key, found in by_key})

    def _folded_row(self, folds: Sequence[Fold], found: Sequence[tuple[Value, ...] | None]) -> tuple[Value, ...]:
        """Return one key's values, series by series; a series that an early slice does not have yet is a gap there."""
        there = [(weight, values) for weight, values in zip(self._weights, found, strict=False) if values is not None]
        weights = [weight for weight, _ in there]
        columns = tuple(zip_longest(*[values for _, values in there]))
        absent = ((),) * (len(folds) - len(columns))
        return tuple([_folded(how, weights, column) for how, column in zip(folds, columns + absent, strict=False)])


def _folded(how: Fold, weights: Sequence[float], column: Sequence[Value]) -> Value:
    """Return one value; None if all are gaps. `weights`: for how long each value was valid."""
    if how is Fold.SKETCH:
        sketches = [value for value in column if isinstance(value, Sketch)]
        return merged(sketches) if sketches else None
    numbers = [value for value in column if isinstance(value, float)]
    if len(numbers) < len(column):
        weights = [weight for weight, value in zip(weights, column, strict=False) if isinstance(value, float)]
    return _of_numbers(how, weights, numbers) if numbers else None


def _of_numbers(how: Fold, weights: Sequence[float], values: Sequence[float]) -> float:
    match how:
        case Fold.SUM:
            return sum(values)
        case Fold.MAX:
            return max(values)
        case Fold.MIN:
            return min(values)
        case Fold.MEAN:
            whole = sum(weights)
            return sum(map(mul, weights, values)) / whole if whole else sum(values) / len(values)
        case _:
            return values[-1]
