"""Many slices become one: looks a bucket, buckets a day.

In: slices, oldest first, and what is kept of each table. Out: one slice of the same shape. Folding what is folded already gives the same as
folding everything at once, except for means with gaps, whose weights are those of whole slices.
"""

from collections.abc import Iterable, Mapping, Sequence

from watchdog.core.history.series import Fold, Kept, Part, Slice, Value
from watchdog.core.history.sketch import Sketch, merged
from watchdog.core.model.rows import Key

__all__ = ["fold", "fold_parts"]

_Weighed = tuple[float, Value]
"""For how long a value was valid, and the value."""


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
    rows = {
        key: tuple(
            [_folded(how, [(valid_s, values[nth]) for valid_s, values in found if nth < len(values)]) for nth, how in enumerate(folds)]
        )
        for key, found in by_key.items()
    }
    return Part(min(part.since for part in parts), max(part.until for part in parts), rows)


def _folded(how: Fold, weighed: Iterable[_Weighed]) -> Value:
    """Return one value; None if all are gaps."""
    known = [(valid_s, value) for valid_s, value in weighed if value is not None]
    if not known:
        return None
    if how is Fold.SKETCH:
        return merged(value for _, value in known if isinstance(value, Sketch))
    numbers = [(valid_s, value) for valid_s, value in known if not isinstance(value, Sketch)]
    return _of_numbers(how, numbers)


def _of_numbers(how: Fold, numbers: Sequence[tuple[float, float]]) -> float | None:
    values = [number for _, number in numbers]
    if not values:
        return None
    match how:
        case Fold.SUM:
            return sum(values)
        case Fold.MAX:
            return max(values)
        case Fold.MIN:
            return min(values)
        case Fold.MEAN:
            weights = sum(valid_s for valid_s, _ in numbers)
            return sum(valid_s * number for valid_s, number in numbers) / weights if weights else sum(values) / len(values)
        case _:
            return values[-1]
