"""The rows of a scenario as a poll would find them at a time.

In: a scenario, the tables. Out: readings by table. A table that a scenario does not write is not part of any poll, and a column that it
does not write has no value, so that no rule judges what nobody wrote: unsaid is never zero.
"""

from collections.abc import Mapping

from msgspec import Struct

from watchdog.core.model.rows import Cell, Key, Reading, Row, Table
from watchdog.core.scenarios.scenario import Change, Gap, Ramp, Scenario, Selected, Written

__all__ = ["Timeline", "written_columns"]

UNSAID = "the scenario does not say it"
UNSAID_HERE = "the scenario does not say it of this row"


class _Rising(Struct, frozen=True):
    """A ramp, and where it began."""

    ramp: Ramp
    start: float
    since_s: float

    def at(self, at_s: float) -> float:
        return self.start + self.ramp.step * (at_s - self.since_s) / self.ramp.per_s


_Held = float | str | bool | Gap | _Rising


def written_columns(scenario: Scenario, tables: Mapping[str, Table]) -> Mapping[str, frozenset[str]]:
    """Return each table that the scenario writes -> the columns that it says something of; all, where there is no row of it."""
    written: dict[str, set[str]] = {}
    for change in scenario.changes:
        for table in (*change.unread, *change.partial, *change.gone):
            written.setdefault(table, set())
        for table, rows in change.rows.items():
            written.setdefault(table, set()).update(*rows)
    for table, cells in scenario.usual.items():
        if table in written:
            written[table] |= cells.keys()
    return {name: frozenset(names or (column.name for column in tables[name].columns)) for name, names in written.items()}


class Timeline:
    """The rows over time. `at` is called with times that do not decrease. What has not changed is the same object as before."""

    def __init__(self, scenario: Scenario, tables: Mapping[str, Table]) -> None:
        self._written = written_columns(scenario, tables)
        self._changes = list(reversed(scenario.changes))
        self._usual, self._tables = scenario.usual, tables
        self._rows: dict[str, dict[Key, dict[str, _Held]]] = {name: {} for name in self._written}
        self._unread: dict[str, str | None] = {}
        self._partial: dict[str, str | None] = {}
        self._moving: set[str] = set()
        self._readings: dict[str, Reading] = {}

    def at(self, at_s: float) -> Mapping[str, Reading]:
        """Return the readings at this time."""
        stale = set(self._moving)
        while self._changes and self._changes[-1].at_s <= at_s:
            stale |= self._apply(self._changes.pop())
        if not self._readings:
            stale = set(self._written)
        if stale:
            self._readings = {**self._readings, **{name: self._reading(name, at_s) for name in stale}}
        return self._readings

    def _apply(self, change: Change) -> set[str]:
        """Make a change. Return the tables that it touches."""
        for name, selections in change.gone.items():
            self._rows[name] = {key: row for key, row in self._rows[name].items() if not self._selected(name, key, selections)}
        for name, rows in change.rows.items():
            for cells in rows:
                self._write(name, cells, change.at_s)
        self._unread |= change.unread
        self._partial |= change.partial
        touched = {*change.gone, *change.rows, *change.unread, *change.partial}
        for name in touched:
            rising = any(isinstance(cell, _Rising) for row in self._rows[name].values() for cell in row.values())
            (self._moving.add if rising else self._moving.discard)(name)
        return touched

    def _selected(self, name: str, key: Key, selections: tuple[Selected, ...]) -> bool:
        named = dict(zip(self._tables[name].key, key, strict=True))
        return any(all(named[column] == value for column, value in selection.items()) for selection in selections)

    def _write(self, name: str, cells: Mapping[str, Written], at_s: float) -> None:
        usual = self._usual.get(name, {})
        key = tuple([str(cells.get(column, usual.get(column))) for column in self._tables[name].key])
        row = self._rows[name].get(key)
        if row is None:
            row = self._rows[name][key] = {}
            cells = {**usual, **cells}
        for column, cell in cells.items():
            row[column] = self._held(cell, row.get(column), at_s)

    @staticmethod
    def _held(cell: Written, before: _Held | None, at_s: float) -> _Held:
        if not isinstance(cell, Ramp):
            return cell
        was = before.at(at_s) if isinstance(before, _Rising) else before
        start = cell.start if cell.start is not None else was if isinstance(was, float) else 0.0
        return _Rising(cell, start, at_s)

    def _reading(self, name: str, at_s: float) -> Reading:
        written, unread = self._written[name], self._unread.get(name)
        idle = {column.name: UNSAID for column in self._tables[name].columns if column.name not in written}
        if unread is not None:
            return Reading(unread=unread, idle=idle)
        rows = tuple(_row(cells, written, at_s) for cells in self._rows[name].values())
        return Reading(rows, partial=self._partial.get(name), idle=idle)


def _row(held: Mapping[str, _Held], written: frozenset[str], at_s: float) -> Row:
    cells: dict[str, Cell] = {}
    gaps: dict[str, str] = {}
    for column in written:
        cell = held.get(column)
        if cell is None:
            cells[column], gaps[column] = None, UNSAID_HERE
        elif isinstance(cell, Gap):
            cells[column], gaps[column] = cell.at_least, cell.reason
        else:
            cells[column] = cell.at(at_s) if isinstance(cell, _Rising) else cell
    return Row(cells, gaps)
