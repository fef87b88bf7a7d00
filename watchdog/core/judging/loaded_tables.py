"""Readings prepared for judging: the rows, where their gaps are, and which columns have no value here.

Input: a table and its `Reading`. Output: a `LoadedTable`, which answers "is this idle", "is this a gap, and why", "which row is this key".
"""

from abc import ABCMeta
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from msgspec import Struct

from watchdog.core.model.rows import Cell, Key, Reading, Table

__all__ = ["LoadedTable"]


class _StructOfMapping(type(Struct), ABCMeta):  # type: ignore[misc]  # mypy does not know the type of a class that it computes
    """The type of a struct that is a mapping."""


class WholeRow(Mapping[str, Cell], Struct, frozen=True, eq=False, gc=False, metaclass=_StructOfMapping):
    """The cells of a row under all columns of its table. Not a copy: thousands of rows may appear in findings, and few are looked at.

    A struct, because the garbage collector then leaves them alone.
    """

    row: Mapping[str, Cell]
    columns: Mapping[str, None]

    def __getitem__(self, name: str) -> Cell:
        return self.row[name] if name in self.row else self.columns[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.columns)

    def __len__(self) -> int:
        return len(self.columns)


@dataclass(frozen=True)
class LoadedTable:
    """One table of one poll. Rows are numbered from 0; the number is their rowid in SQL."""

    table: Table
    reading: Reading
    gaps: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """Column -> the rows in which it is a gap."""

    @classmethod
    def of(cls, table: Table, reading: Reading) -> "LoadedTable":
        """Create one from a reading, with its gaps sorted by column."""
        gaps: dict[str, list[int]] = {}
        for number, row in enumerate(reading.rows):
            for column in row.gaps:
                gaps.setdefault(column, []).append(number)
        return cls(table, reading, {column: tuple(rows) for column, rows in gaps.items()})

    def sql_rows(self, names: Sequence[str]) -> Iterable[tuple[object, ...]]:
        """Return each row for SQL: its number, then a cell for each of these columns; NULL if there is none."""
        rows = self.reading.rows
        return zip(range(len(rows)), *([row.cells.get(name) for row in rows] for name in names), strict=True)

    @cached_property
    def numbers(self) -> Mapping[Key, int]:
        """Key -> row."""
        return dict(zip(reversed(self.keys), range(len(self.keys) - 1, -1, -1), strict=True))

    @cached_property
    def keys(self) -> tuple[Key, ...]:
        """The key of each row."""
        rows, names = self.reading.rows, self.table.key
        return tuple(zip(*([str(row.cells[name]) for row in rows] for name in names), strict=True)) if names else ((),) * len(rows)

    def cells(self, number: int) -> Mapping[str, Cell]:
        """Return a whole row. A column that is idle or a gap is None."""
        return WholeRow(self.reading.rows[number].cells, self._columns)

    @cached_property
    def _columns(self) -> Mapping[str, None]:
        return dict.fromkeys(column.name for column in self.table.columns)

    def rows_with_gaps(self, columns: Collection[str]) -> set[int]:
        """Return the rows in which any of these columns is a gap."""
        return {number for column in columns if column in self.gaps for number in self.gaps[column]}

    def gap_reason(self, number: int, columns: Collection[str]) -> str | None:
        """Return why one of these columns is a gap in this row; None if none is."""
        gaps = self.reading.rows[number].gaps
        return next((gaps[c.name] for c in self.table.columns if c.name in columns and c.name in gaps), None) if gaps else None

    def any_gap_reason(self, columns: Collection[str]) -> str | None:
        """Return why one of these columns is a gap in any row."""
        return next(
            (self.gap_reason(self.gaps[c.name][0], (c.name,)) for c in self.table.columns if c.name in columns and c.name in self.gaps),
            None,
        )

    def idle_reason(self, columns: Collection[str]) -> str | None:
        """Return why one of these columns has no value here, or not yet. Without columns: the reason if all columns are idle."""
        idle = self.idle
        if columns and idle.keys().isdisjoint(columns):  # as for nearly every rule, in every cycle
            return None
        names = [column.name for column in self.table.columns]
        of_interest = columns or (names if all(name in idle for name in names) else ())
        for name in names:
            if name in of_interest and name in idle:
                return idle[name] if name in idle[name] else f"{name}: {idle[name]}"
        return None

    @cached_property
    def idle(self) -> Mapping[str, str]:
        """Column -> why it has no value here, or not yet."""
        return {**{c.name: c.later for c in self.table.columns if c.later}, **self.reading.idle}

    @property
    def absent_reason(self) -> str | None:
        """Why a key without a row may exist nevertheless; None if the table was completely read."""
        return self.reading.unread or self.reading.partial

    @property
    def unread_reason(self) -> str | None:
        """Why there is nothing to judge at all: the table was not read, and there are no remembered rows either."""
        return None if self.reading.rows else self.reading.unread
