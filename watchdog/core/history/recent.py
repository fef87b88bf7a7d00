"""The last half hour of one figure as a line of text, for messages: `length in 30m: ▁▁▂▅█ up to 60`.

Input: slices, one for each minute at most; the table, key and column. Output: the line; empty if history does not keep the column, or knows
too little of it. A minute of which nothing is known is a dot, never a zero.
"""

from collections.abc import Iterable, Sequence

from watchdog.core.history.series import Fold, Kept, Slice
from watchdog.core.model.rows import Key
from watchdog.core.text.phrasing import format_value

__all__ = ["MINUTE_S", "SPAN_S", "column_kept", "level", "recent_line", "spark"]

MINUTE_S, SPAN_S = 60.0, 1800.0
FEWEST = 3
GAP = "·"
_EIGHTHS = "▁▂▃▄▅▆▇█"


def column_kept(kept: Kept | None, columns: Iterable[str]) -> str | None:
    """Return the first of these columns that history keeps as it was."""
    held = {series.column for series in kept.series if series.fold is Fold.MEAN} if kept is not None else set()
    return next((column for column in columns if column in held), None)


def recent_line(slices: Sequence[Slice], kept: Kept, key: Key, column: str, now: float) -> str:
    """Return the line of one figure up to now; empty if fewer than three minutes are known."""
    place = next(nth for nth, series in enumerate(kept.series) if series.fold is Fold.MEAN and series.column == column)
    by_minute: dict[int, float | None] = {}
    for one in slices:
        part = one.parts.get(kept.table)
        values = part.rows.get(key, ()) if part is not None else ()
        value = values[place] if place < len(values) else None
        by_minute[int((now - one.at) // MINUTE_S)] = value if isinstance(value, float) else None
    minutes = [by_minute.get(ago) for ago in range(int(SPAN_S // MINUTE_S) - 1, -1, -1)]
    known = [value for value in minutes if value is not None]
    if len(known) < FEWEST:
        return ""
    return f"{column} in 30m: {spark(minutes)} up to {format_value(max(known))}"


def spark(values: Sequence[float | None]) -> str:
    """Return one character for each value, as high as it is; a gap is a dot."""
    highest = max((value for value in values if value is not None), default=0.0)
    return "".join(GAP if value is None else level(value, highest) for value in values)


def level(value: float, highest: float) -> str:
    """Return a block as high as this share of the highest; zero is the lowest."""
    if value <= 0 or highest <= 0:
        return _EIGHTHS[0]
    return _EIGHTHS[min(max(round(value / highest * 8), 1), 8) - 1]
