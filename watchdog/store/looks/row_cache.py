"""The row cache: rows as last read, with the values made of them, so that unchanged rows are not decoded again.

The file remains the source of truth: it is read every time, and a cached value is reused only if its row is equal, cell by cell. So the
result is correct whatever wrote the row (a cycle, an operator's command, another process) or was rolled back. In: rows as tuples. Out:
their values, the same objects as long as the rows are equal.
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
    """The rows of one query. Not thread-safe."""

    def __init__(self, make: Callable[[Cells], Value], key_width: int) -> None:
        """`make` computes a value from a row and nothing else; the first `key_width` cells of a row are its key."""
        self._make, self._width = make, key_width
        self._rows: list[Cells] = []
        self._values: tuple[Value, ...] = ()

    def values(self, rows: Iterable[Cells]) -> tuple[Value, ...]:
        """One value per row, in order. Cached rows that are not among these are dropped."""
        read = list(rows)
        if read != self._rows:
            width = self._width
            kept = {row[:width]: (row, value) for row, value in zip(self._rows, self._values, strict=True)}
            pairs = [self._same_or_made(kept.get(row[:width]), row) for row in read]
            self._rows, self._values = [row for row, _ in pairs], tuple([value for _, value in pairs])
        return self._values

    def _same_or_made(self, before: tuple[Cells, Value] | None, row: Cells) -> tuple[Cells, Value]:
        return before if before is not None and before[0] == row else (row, self._make(row))


class CachedTarget(Struct, frozen=True):
    """The cache of one target's open incidents and notification log, passed from load to load."""

    open: CachedRows[Incident] = field(default_factory=lambda: CachedRows(incident_from_cells, 1))
    notified: CachedRows[Notified] = field(default_factory=lambda: CachedRows(notified_from_cells, 2))
