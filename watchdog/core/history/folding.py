"""Many slices become one: looks a bucket, buckets a day.

In: slices, oldest first, and what is kept of each table. Out: one slice of the same shape. Folding what is folded already gives the same as
folding everything at once, except for means with gaps, whose weights are those of whole slices.
"""

from collections.abc import Mapping, Sequence
from itertools import zip_longest
from operator import mul

from watchdog.core.history.series import Fold, Kept, Part, Slice, Value
from watchdog.core.model.rows import Key
from watchdog.core.model.sketch import Sketch, merged

__all__ = ["fold", "fold_parts"]


def fold(slices: Sequence[Slice], kept: Mapping[str, Kept]) -> Slice:
    """Return all slices as one. Tables that are not kept any more are dropped."""
    parts: dict[str, list[Part]] = {}
    for one in slices:
        for table, part in one.parts.items():
            if table in kept:
                parts.setdefault(table, []).append(part)
    return Slice(max((one.at for one in slices), default=0.0), {table: fold_parts(of, kept[table]) for table, of in parts.items()})


def fold_parts(parts: Sequence[Part], kept: Kept) -> Part:
    """Return the parts of one table as one; there must be at least one."""
    by_key: dict[Key, list[tuple[float, tuple[Value, ...]]]] = {}
    for part in parts:
        valid_s = max(part.until - part.since, 0.0)
        for key, values in part.rows.items():
            by_key.setdefault(key, []).append((valid_s, values))
    folds = [series.fold for series in kept.series]
    rows = {key: _folded_row(folds, found) for key, found in by_key.items()}
    return Part(min(part.since for part in parts), max(part.until for part in parts), rows)


def _folded_row(folds: Sequence[Fold], found: Sequence[tuple[float, tuple[Value, ...]]]) -> tuple[Value, ...]:
    """Return one key's values, series by series; a series that an early slice does not have yet is a gap there."""
    weights = [valid_s for valid_s, _ in found]
    columns = tuple(zip_longest(*[values for _, values in found]))
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
