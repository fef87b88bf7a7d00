"""Rows as they were read last, and what was made of them: what did not change in the file is not made again.

The file stays the truth: it is read each time, and a value is used again only where its row is the same, cell for cell. So whatever wrote
a row (a cycle, an operator's command, another process, or none because it was rolled back), what is returned is what the row says.
In: rows as tuples. Out: their values, the same objects while the rows are equal.
"""

from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

from msgspec import Struct, field

from watchdog.core.incidents.lifecycle import Incident
from watchdog.core.incidents.messages import Notified
from watchdog.store.records import incident_from_cells, notified_from_cells

__all__ = ["CachedRows", "CachedTarget"]

Value = TypeVar("Value")
Cells = tuple[object, ...]


class CachedRows(Generic[Value]):
    """The rows of one query. Not for two threads at once."""

    def __init__(self, make: Callable[[Cells], Value], key_width: int) -> None:
        """`make`: a value of a row, and of nothing else; the first `key_width` cells of a row are its own."""
        self._make, self._width = make, key_width
        self._kept: dict[Cells, tuple[Cells, Value]] = {}

    def values(self, rows: Iterable[Cells]) -> list[Value]:
        """A value a row, in order. Rows that are not among these are forgotten."""
        kept, width = self._kept, self._width
        found: dict[Cells, tuple[Cells, Value]] = {}
        for row in rows:
            key = row[:width]
            before = kept.get(key)
            found[key] = before if before is not None and before[0] == row else (row, self._make(row))
        self._kept = found
        return [value for _, value in found.values()]


class CachedTarget(Struct, frozen=True):
    """What one cycle read of its target, from load to load."""

    open: CachedRows[Incident] = field(default_factory=lambda: CachedRows(incident_from_cells, 1))
    notified: CachedRows[Notified] = field(default_factory=lambda: CachedRows(notified_from_cells, 2))
