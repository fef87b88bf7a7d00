"""Moves everything from a file of SQLite into an empty database of PostgreSQL: incidents open and told as they were.

In: the file, and a database in which watchdog has written nothing yet; no daemon uses either. Out: table -> how many rows were copied. All
of it is one transaction: a copy that fails leaves the database empty. The file is only read.
"""

import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path

from watchdog.core.model.servers.database_url import DatabaseUrl
from watchdog.store.postgresql.connection import PostgresConnection
from watchdog.store.postgresql.database import PostgresDatabase
from watchdog.store.refusals import StoreError
from watchdog.store.sql import LAST_MESSAGE, MESSAGES_UP_TO
from watchdog.store.sqlite.database import DatabaseFile
from watchdog.store.sqlite.repair.salvage import TableShape, shape_of

__all__ = ["copy"]

_AT_ONCE = 500
_TABLES = """
    SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!' AND name NOT LIKE '!_%' ESCAPE '!'
    ORDER BY name"""
_WRITTEN = "SELECT EXISTS (SELECT 1 FROM cycles) OR EXISTS (SELECT 1 FROM messages) OR EXISTS (SELECT 1 FROM incidents) AS anything"
_NUMBERED = ("transitions", "acknowledgements")
"""Tables whose rows PostgreSQL numbers, beside `messages`: it goes on after the highest number."""


def copy(path: Path, url: DatabaseUrl, command: str) -> Mapping[str, int]:
    """Copy all rows; `StoreError` says why that is impossible, and then nothing was. `command` is what the user typed."""
    source, target = DatabaseFile(path, read_only=True), PostgresDatabase(url)
    try:
        source.open(command, create=False)
        target.open(command)
        if target.is_held():
            raise StoreError(f"a watchdog works on {url}; stop it first")
        with source.lease(), target.writing() as connection, target.speaking(), source.speaking():
            if connection.execute(_WRITTEN).fetchone()["anything"]:
                raise StoreError(f"database {url}: holds what a watchdog wrote already, and was left as it is; name an empty one")
            return _filled(source.connection(), connection)
    finally:
        source.close()
        target.close()


def _filled(source: sqlite3.Connection, target: PostgresConnection) -> dict[str, int]:
    target.execute("DELETE FROM changes")  # the one row that an empty database has
    names = [row["name"] for row in source.execute(_TABLES)]
    names.sort(key=lambda name: name == "notices")  # after the messages that they are part of
    copied = {name: _copied(source, target, shape_of(source, name)) for name in names}
    last = source.execute(LAST_MESSAGE).fetchone()
    if last and last["seq"]:
        target.execute(MESSAGES_UP_TO, (last["seq"],))
    for name in _NUMBERED:
        highest = f"SELECT max(number) FROM {name}"  # noqa: S608 - our own names
        target.execute(f"SELECT setval(pg_get_serial_sequence('{name}', 'number'), coalesce(({highest}), 0) + 1, false)")
    return copied


def _copied(source: sqlite3.Connection, target: PostgresConnection, shape: TableShape) -> int:
    columns = ", ".join(f'"{column}"' for column in shape.columns)
    insert = f"INSERT INTO {shape.name} ({columns}) VALUES ({', '.join('?' * len(shape.columns))})"  # noqa: S608 - our own names
    copied = 0
    for some in _batches(source, f"SELECT {columns} FROM {shape.name}"):  # noqa: S608
        target.executemany(insert, some)
        copied += len(some)
    return copied


def _batches(source: sqlite3.Connection, sql: str) -> Iterator[list[tuple[object, ...]]]:
    rows = source.execute(sql)
    while some := [tuple(row) for row in rows.fetchmany(_AT_ONCE)]:
        yield some
