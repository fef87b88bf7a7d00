"""Cells and lines of the panels, which say so where nobody could look.

In: rows and tables as they were read. Out: pieces of a panel.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from watchdog.core.model.rows import Row
from watchdog.status.numbers import NOTHING, short, time_short
from watchdog.status.panel import Ink, Line, More, Piece
from watchdog.status.shown import TableShown

__all__ = ["NO_HISTORY", "could_not_look", "cut", "number_in", "reason_lines", "text_in"]

Listed = TypeVar("Listed")
NO_HISTORY = Line.of(Ink("no history yet: `watchdog run` counts from its second look on", "odd"))


def number_in(row: Row, column: str, *, seconds: bool = False) -> Piece:
    """A number of a row; `?` for a gap."""
    cell = row.cells.get(column)
    if not isinstance(cell, float):
        return Ink(NOTHING, "odd")
    if cell == float("inf"):
        return Ink("never", "faint") if seconds else Ink("∞", "faint")
    return time_short(cell) if seconds else short(cell)


def text_in(row: Row, column: str) -> Piece:
    """A text of a row; `?` for a gap."""
    cell = row.cells.get(column)
    return Ink(NOTHING, "odd") if cell is None else str(cell)


def could_not_look(why: str) -> Line:
    """The line that stands where nobody could look."""
    return Line.of(Ink(f"could not look: {why}", "odd"))


def reason_lines(table: TableShown, columns: Iterable[str]) -> Iterator[Line]:
    """One line for each reason why cells of these columns have no value."""
    reading = table.reading
    if reading.unread is not None:
        yield could_not_look(reading.unread)
        return
    reasons = tuple(table.reasons(columns))
    yield from (Line.of(Ink(f"{NOTHING} {why}", "odd")) for why in reasons)
    if reading.partial and reading.partial not in reasons:
        yield Line.of(Ink(f"in part: {reading.partial}", "odd"))


def cut(rows: Sequence[Listed], skip: int, most: int, panel: str) -> tuple[Sequence[Listed], tuple[More, ...]]:
    """The rows after `skip`, at most so many, and how many follow, if any do."""
    shown = rows[skip:][:most]
    after = len(rows) - skip - len(shown)
    return shown, (More(after, panel),) if after > 0 else ()
