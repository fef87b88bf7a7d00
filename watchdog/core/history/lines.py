"""One figure over some hours, as lines without gaps.

In: slices, oldest first; the table, key and column. Out: lines of (time, value), oldest first. A line ends where a look failed, where the
figure could not be read, and where what it is a figure of did not exist.
"""

from collections.abc import Iterable, Sequence

from watchdog.core.history.series import Fold, Kept, Slice
from watchdog.core.history.trends import number_of
from watchdog.core.model.rows import Key

__all__ = ["lines_of", "series_drawn"]

_TOUCHING_S = 1.0
"""Parts whose ends are this close follow each other without a gap."""
_DRAWABLE = (Fold.MEAN, Fold.MAX)
"""Best first: a mean is the figure as it was; the most of five minutes is drawn where nothing else is kept."""


def series_drawn(kept: Kept | None, columns: Iterable[str]) -> tuple[str, int] | None:
    """Return the first of these columns that history keeps, and the place of its series; None if it keeps none of them."""
    if kept is None:
        return None
    for column in columns:
        for fold in _DRAWABLE:
            place = next((nth for nth, series in enumerate(kept.series) if series.column == column and series.fold is fold), None)
            if place is not None:
                return column, place
    return None


def lines_of(slices: Sequence[Slice], table: str, key: Key, place: int) -> tuple[tuple[tuple[float, float], ...], ...]:
    """Return the lines of one figure; each point stands in the middle of the time that it is valid for."""
    lines: list[list[tuple[float, float]]] = []
    until: float | None = None
    for one in slices:
        part = one.parts.get(table)
        value = number_of(part.rows.get(key, ()), place) if part is not None else None
        if part is None or value is None:
            until = None
            continue
        if until is None or part.since - until > _TOUCHING_S:
            lines.append([])
        lines[-1].append(((part.since + part.until) / 2, value))
        until = part.until
    return tuple(tuple(line) for line in lines)
