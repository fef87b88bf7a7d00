"""Recovery from a damaged file: a new file with everything still readable; the damaged one is moved aside.

In: the path, while no daemon uses it. Out: per table, how many rows were kept and lost. Open incidents stay open and the notification log
is kept as far as it is readable, so that no receiver is notified twice of what was rescued.
"""

import os
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from msgspec import Struct

from watchdog.store.migrations import OPEN_STATES, STEPS
from watchdog.store.outbox.notification_log import recount
from watchdog.store.records import INCIDENT_COLUMNS, digest_from, incident_from, notice_from
from watchdog.store.refusals import StoreError, cannot_reach, speaking_of
from watchdog.store.requests.acknowledgements import acknowledgement_from
from watchdog.store.requests.actions import action_from
from watchdog.store.requests.deploys import deploy_from
from watchdog.store.requests.remedies import attempt_from
from watchdog.store.requests.silences import silence_from
from watchdog.store.sqlite.database import DatabaseFile
from watchdog.store.sqlite.lease import lease
from watchdog.store.sqlite.repair.salvage import Salvaged, TableShape, salvage, shape_of
from watchdog.store.sqlite.schema import bring_up_to_date, check_version

__all__ = ["Rescued", "rescue"]


class Rescued(Struct, frozen=True):
    """The result. `tables`: table -> (rows kept, rows known to be lost, read without an error)."""

    path: Path
    damaged: Path
    open_incidents: int
    tables: Mapping[str, tuple[int, int, bool]]


def rescue(path: Path, command: str) -> Rescued | None:
    """Build a new file from the damaged one; None if it is not damaged.

    `StoreError` says why that is impossible; then nothing was changed. `command` is what the user typed.
    """
    refusal = cannot_reach(path, create=False, command=command) or cannot_reach(path, create=True, command=command)
    aside, fresh = Path(f"{path}.damaged"), Path(f"{path}.rescued")
    if refusal is None and aside.exists():
        refusal = f"database {path}: {aside} is there already, from a rescue before; move it elsewhere first"
    if refusal:
        raise StoreError(refusal)
    with lease(path), speaking_of(path, 0):
        _own(path, Path(f"{path.resolve()}.lock"))
        _remove(fresh)
        try:
            rescued = _copied(path, aside, fresh)
            if rescued is not None:
                _own(path, fresh)
        except BaseException:
            _remove(fresh)
            raise
        if rescued is not None:
            _swap(path, aside, fresh)
        return rescued


def _copied(path: Path, aside: Path, fresh: Path) -> Rescued | None:
    """Fill the new file, beside the damaged one."""
    with closing(_opened(path)) as damaged:
        try:
            version = check_version(damaged, path)
            if _is_well(damaged):
                return None
        except sqlite3.DatabaseError as error:
            raise StoreError(
                f"database {path}: nothing of it can be read ({error}), and it was left as it is; restore a copy, "
                f"or begin with an empty one: `mv {path} {aside}`"
            ) from error
        fresh.touch(mode=0o600)  # until it has the mode of the damaged one
        file = DatabaseFile(fresh)
        try:
            bring_up_to_date(file.database(), fresh, STEPS[:version])
            with file.writing() as new:
                rescued = _filled(path, aside, damaged, new)
            bring_up_to_date(file.database(), fresh, keeps_copy=False)
            with file.writing() as new:
                _count_untold(new)
            return rescued
        finally:
            file.close()


def _filled(path: Path, aside: Path, damaged: sqlite3.Connection, new: sqlite3.Connection) -> Rescued:
    tables: dict[str, tuple[int, int, bool]] = {}
    new.execute("PRAGMA defer_foreign_keys = ON")  # a notice may come before its message; notices without a message are deleted below
    for table in _tables(new):
        shape = shape_of(new, table)
        found = salvage(damaged, shape)
        kept = _insert(new, shape, found)
        tables[table] = (kept, found.lost + len(found.rows) - kept, found.whole)
    _make_consistent(new)
    count = new.execute(f"SELECT count(*) FROM incidents WHERE state IN {OPEN_STATES}").fetchone()[0]  # noqa: S608
    return Rescued(path, aside, int(count), tables)


def _tables(new: sqlite3.Connection) -> list[str]:
    """Watchdog's own tables; SQLite's and those of the migrations are created with the file."""
    rows = new.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!' ORDER BY name")
    return [row["name"] for row in rows if not row["name"].startswith("_")]


def _insert(new: sqlite3.Connection, shape: TableShape, found: Salvaged) -> int:
    """How many rows could be kept; rows that no longer make sense are lost."""
    places = ", ".join("?" * len(shape.columns))
    if found.rows:
        new.execute(f"DELETE FROM {shape.name}")  # noqa: S608 - what a new file begins with
    return sum(_inserted(new, f"INSERT INTO {shape.name} VALUES ({places})", shape, row) for row in found.rows.values())  # noqa: S608


def _inserted(new: sqlite3.Connection, statement: str, shape: TableShape, row: tuple[object, ...]) -> bool:
    try:
        if shape.name in _SENSIBLE:
            _SENSIBLE[shape.name](dict(zip(shape.columns, row, strict=True)))
        new.execute(statement, row)
    except (sqlite3.Error, ValueError, TypeError, KeyError):
        return False
    return True


_SENSIBLE: Mapping[str, Callable[[Mapping[str, Any]], object]] = {
    "incidents": lambda row: incident_from(
        {**dict.fromkeys(INCIDENT_COLUMNS, ""), "severe_since": "{}", **row}
    ),  # an older file lacks the newer columns
    "notices": lambda row: notice_from(row["snapshot"]),
    "messages": lambda row: digest_from(row["digest"]) if row.get("digest") else None,
    "silences": silence_from,
    "acknowledgements": acknowledgement_from,
    "deploys": deploy_from,
    "actions": action_from,
    "remedies": attempt_from,
}
"""Decoders that later reads depend on; a row must pass its decoder to be kept."""


def _make_consistent(new: sqlite3.Connection) -> None:
    """Delete notices without a message and messages with nothing to send."""
    new.execute("DELETE FROM notices WHERE message NOT IN (SELECT id FROM messages)")
    columns = {row["name"] for row in new.execute("PRAGMA table_info(messages)")}
    also = " AND digest IS NULL" if "digest" in columns else ""  # an older file has no digests
    new.execute(f"DELETE FROM messages WHERE body IS NULL{also} AND id NOT IN (SELECT message FROM notices)")  # noqa: S608 - our own SQL


def _count_untold(new: sqlite3.Connection) -> None:
    """Recompute missing entries of the notification log. The file is up to date: the log is written as a daemon writes it today."""
    untold = new.execute(
        "SELECT DISTINCT messages.id, messages.receiver FROM messages JOIN notices ON notices.message = messages.id"
        " LEFT JOIN told ON told.incident = notices.incident AND told.receiver = messages.receiver"
        " WHERE messages.body IS NOT NULL AND told.incident IS NULL"
    )
    for row in untold.fetchall():
        recount(new, row["id"], row["receiver"])


def _opened(path: Path) -> sqlite3.Connection:
    """The damaged file with its write-ahead log, read-only."""
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)
    connection.text_factory = lambda text: text.decode("utf-8", "replace")
    connection.row_factory = sqlite3.Row
    return connection


def _is_well(damaged: sqlite3.Connection) -> bool:
    return bool(damaged.execute("PRAGMA integrity_check(1)").fetchone()[0] == "ok")


def _own(path: Path, file: Path) -> None:
    """Give a file the mode and owner of the database: root may be rescuing for a service."""
    was = path.stat()
    with suppress(PermissionError):
        file.chmod(was.st_mode & 0o777)
        os.chown(file, was.st_uid, was.st_gid)


def _swap(path: Path, aside: Path, fresh: Path) -> None:
    """The write-ahead log moves with its file; the shared-memory file is disposable.

    There is a file at `path` throughout: a daemon that started in between would begin with an empty one, and notify of everything again.
    """
    Path(f"{path}-shm").unlink(missing_ok=True)
    try:
        os.link(path, aside)
    except OSError:  # a file system without links
        path.replace(aside)
    journal = Path(f"{path}-wal")
    if journal.exists():
        journal.replace(f"{aside}-wal")
    fresh.replace(path)


def _remove(fresh: Path) -> None:
    for name in (fresh, Path(f"{fresh}-wal"), Path(f"{fresh}-shm"), Path(f"{fresh}-journal")):
        name.unlink(missing_ok=True)
