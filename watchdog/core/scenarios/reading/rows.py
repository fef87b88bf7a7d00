"""Read the rows of a scenario: `[usual.TABLE]`, and each `[[scenario.rows]]`.

Input: dicts from `tomllib`, the tables. Output: what changes when. Every fault is added to the notes, with its line.
"""

from collections.abc import Mapping

from watchdog.core.model.rows import Table
from watchdog.core.rules.faults import Notes, found
from watchdog.core.rules.fields import Fields
from watchdog.core.scenarios.reading.cells import CellError, read_cell
from watchdog.core.scenarios.scenario import Change, Gap, Ramp, Selected, Written
from watchdog.core.text.suggestions import did_you_mean

__all__ = ["read_changes", "read_key", "read_usual"]

Place = tuple[str | int, ...]
_BESIDE_TABLES = ("at", "gone", "unread", "partial")


def read_usual(raw: object, notes: Notes, tables: Mapping[str, Table]) -> Mapping[str, Mapping[str, Written]]:
    """Return table -> cells that each of its rows begins with."""
    if not isinstance(raw, dict):
        notes.fault(f"expected [usual.TABLE], found {found(raw)}", "usual")
        return {}
    usual: dict[str, Mapping[str, Written]] = {}
    for name, cells in raw.items():
        table = _table(name, notes, ("usual", name), tables)
        if table is not None and isinstance(cells, dict):
            usual[name] = _cells(cells, notes, ("usual", name), table)
        elif table is not None:
            notes.fault(f"expected a table of cells, found {found(cells)}", "usual", name)
    return usual


def read_changes(
    fields: Fields, notes: Notes, usual: Mapping[str, Mapping[str, Written]], tables: Mapping[str, Table]
) -> tuple[Change, ...]:
    """Return the `[[scenario.rows]]` in their order, which must be that of their times."""
    changes: list[Change] = []
    for entry in fields.tables("rows"):
        at_s = entry.duration("at", 0.0)
        if changes and at_s < changes[-1].at_s:
            notes.fault("comes before the rows above it; write them in the order of time", *entry.place, "at")
        change = Change(
            at_s,
            {name: _rows(entry, name, notes, usual, tables[name]) for name in entry.names() if name in tables},
            _gone(entry, notes, tables),
            _reasons(entry, "unread", notes, tables),
            _reasons(entry, "partial", notes, tables),
        )
        for name in entry.names():
            if name not in tables and name not in _BESIDE_TABLES:
                notes.fault(f"no table{did_you_mean(name, (*tables, *_BESIDE_TABLES)) or _all_tables(tables)}", *entry.place, name)
        changes.append(change)
    return tuple(changes)


def _rows(
    entry: Fields, name: str, notes: Notes, usual: Mapping[str, Mapping[str, Written]], table: Table
) -> tuple[Mapping[str, Written], ...]:
    rows = []
    for row in entry.tables(name):
        cells = _cells(row.raw, notes, row.place, table)
        for column in table.key:
            cell = cells.get(column, usual.get(name, {}).get(column))
            if column not in row.raw and cell is None:
                notes.fault(f"{column} is missing: it says which row of {name} this is", *row.place)
            elif isinstance(cell, Gap | Ramp):
                notes.fault(f"expected a plain value: it says which row of {name} this is", *row.place, column)
        rows.append(cells)
    return tuple(rows)


def _cells(raw: Mapping[str, object], notes: Notes, place: Place, table: Table) -> dict[str, Written]:
    columns = {column.name: column for column in table.columns}
    cells: dict[str, Written] = {}
    for name, value in raw.items():
        if name not in columns:
            notes.fault(f"no column of {table.name}{did_you_mean(name, columns) or '; `watchdog tables` lists them'}", *place, name)
            continue
        try:
            cells[name] = read_cell(value, columns[name])
        except CellError as error:
            notes.fault(str(error), *place, name)
    return cells


def _gone(entry: Fields, notes: Notes, tables: Mapping[str, Table]) -> Mapping[str, tuple[Selected, ...]]:
    """Return table -> which rows go: `{ queues = ["indexing"] }`, or with their key columns `{ errors = [{ task = "shop.pay" }] }`."""
    gone: dict[str, tuple[Selected, ...]] = {}
    for name, value in entry.table("gone").items():
        table = _table(name, notes, (*entry.place, "gone", name), tables)
        if table is None:
            continue
        if not isinstance(value, list):
            notes.fault(f"expected a list of keys, found {found(value)}; write [{found(value)}]", *entry.place, "gone", name)
            continue
        places: list[Place] = [(*entry.place, "gone", name, index) for index in range(len(value))]
        selected = [read_key(one, table.key, notes, place) for one, place in zip(value, places, strict=True)]
        gone[name] = tuple(one for one in selected if one is not None)
    return gone


def read_key(value: object, key: tuple[str, ...], notes: Notes, place: Place) -> Selected | None:
    """Return key columns -> values: a table, or one value where there is one key column. None after a fault."""
    if not isinstance(value, dict):
        if len(key) != 1 or isinstance(value, bool) or not isinstance(value, int | float | str):
            columns = ", ".join(f'{name} = "…"' for name in key)
            notes.fault(f"expected {f'{{ {columns} }}' if key else 'no key: there is one row'}, found {found(value)}", *place)
            return None
        return {key[0]: _key_text(value)}
    selected = {}
    for name, cell in value.items():
        if name not in key:
            has = f"; it has {', '.join(key)}" if key else "; it has none: there is one row"
            notes.fault(f"no key column{did_you_mean(name, key) or has}", *place, name)
        elif isinstance(cell, bool) or not isinstance(cell, int | float | str):
            notes.fault(f"expected a text or a number, found {found(cell)}", *place, name)
        else:
            selected[name] = _key_text(cell)
    return selected


def _key_text(value: float | str) -> str:
    """Return a key cell as rows have it: numbers are floats there."""
    return value if isinstance(value, str) else str(float(value))


def _reasons(entry: Fields, name: str, notes: Notes, tables: Mapping[str, Table]) -> Mapping[str, str | None]:
    """Return table -> why it cannot be read; false there means that it can again."""
    reasons: dict[str, str | None] = {}
    for table, value in entry.table(name).items():
        if _table(table, notes, (*entry.place, name, table), tables) is None:
            continue
        if value is False:
            reasons[table] = None
        elif isinstance(value, str) and value.strip():
            reasons[table] = value
        else:
            notes.fault(
                f'expected the reason, such as "redis: connection refused", or false, found {found(value)}', *entry.place, name, table
            )
    return reasons


def _table(name: str, notes: Notes, place: Place, tables: Mapping[str, Table]) -> Table | None:
    if name not in tables:
        notes.fault(f"no table{did_you_mean(name, tables) or _all_tables(tables)}", *place)
    return tables.get(name)


def _all_tables(tables: Mapping[str, Table]) -> str:
    return f"; there are {', '.join(tables)}"
