"""Reads what is still readable of one table of a damaged file: from the front, from the back, and row by row through its indexes.

In: a connection to the damaged file and the table's expected shape. Out: its rows, and how many rows known to exist are lost. Damage that
SQLite does not detect is not detected here either: its pages have no checksums.
"""

import sqlite3
from collections.abc import Iterator

from msgspec import Struct, field

__all__ = ["Salvaged", "TableShape", "salvage", "shape_of"]


class TableShape(Struct, frozen=True):
    """A table by name: its columns, its primary key (one or more columns), its indexes."""

    name: str
    columns: tuple[str, ...]
    key: tuple[str, ...]
    indexes: tuple[str, ...]


class Salvaged(Struct):
    """Rows by key. `whole`: the table was read from end to end without an error."""

    rows: dict[tuple[object, ...], tuple[object, ...]] = field(default_factory=dict)
    lost: int = 0
    whole: bool = False


def shape_of(connection: sqlite3.Connection, table: str) -> TableShape:
    """The shape of a table in an intact file."""
    columns = connection.execute(f"PRAGMA table_info ({table})").fetchall()
    names = tuple(c["name"] for c in columns)
    key = tuple(c["name"] for c in sorted(columns, key=lambda c: int(c["pk"])) if c["pk"]) or names  # without one, each row is its own
    indexes = tuple(i["name"] for i in connection.execute(f"PRAGMA index_list ({table})"))
    return TableShape(table, names, key, indexes)


def salvage(damaged: sqlite3.Connection, shape: TableShape) -> Salvaged:
    """Everything that can be read of the table."""
    found = Salvaged()
    for direction in ("ASC", "DESC"):
        if _walk(damaged, shape, direction, found):
            found.whole = True
            return found
    for key in _keys_in_indexes(damaged, shape) - found.rows.keys():
        _fetch(damaged, shape, key, found)
    return found


def _walk(damaged: sqlite3.Connection, shape: TableShape, direction: str, found: Salvaged) -> bool:
    """Read rows until one fails. Returns whether all could be read."""
    order = ", ".join(f'"{column}" {direction}' for column in shape.key)
    try:
        for row in damaged.execute(f"SELECT {_listed(shape.columns)} FROM {shape.name} ORDER BY {order}"):  # noqa: S608 - names of our own schema
            _take(shape, tuple(row), found)
    except sqlite3.Error:
        return False
    return True


def _keys_in_indexes(damaged: sqlite3.Connection, shape: TableShape) -> set[tuple[object, ...]]:
    return {key for index in shape.indexes for key in _keys(damaged, shape, index)}


def _keys(damaged: sqlite3.Connection, shape: TableShape, index: str) -> Iterator[tuple[object, ...]]:
    """The keys in an index, as far as it is readable; none if the index does not cover every row."""
    try:
        for row in damaged.execute(f"SELECT {_listed(shape.key)} FROM {shape.name} INDEXED BY {index}"):  # noqa: S608
            yield tuple(row)
    except sqlite3.Error:
        return


def _fetch(damaged: sqlite3.Connection, shape: TableShape, key: tuple[object, ...], found: Salvaged) -> None:
    where = " AND ".join(f'"{column}" = ?' for column in shape.key)
    try:
        row = damaged.execute(f"SELECT {_listed(shape.columns)} FROM {shape.name} WHERE {where}", key).fetchone()  # noqa: S608
    except sqlite3.Error:
        row = None
    if row is None:
        found.lost += 1
    else:
        _take(shape, tuple(row), found)


def _take(shape: TableShape, row: tuple[object, ...], found: Salvaged) -> None:
    found.rows[tuple(row[shape.columns.index(column)] for column in shape.key)] = row


def _listed(columns: tuple[str, ...]) -> str:
    return ", ".join(f'"{column}"' for column in columns)
