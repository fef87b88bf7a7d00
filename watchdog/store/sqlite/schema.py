"""The schema in a file of SQLite, and the migration of older files.

A file of version N (`PRAGMA user_version`) has had the first N steps applied. Before further steps run, it is copied to `<file>.vN`. The
copy and all steps run in one transaction, so that no other process writes in between and a failed step leaves the file unchanged. A file of
a newer version, or of another program, is refused and left unchanged.
"""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from watchdog.store.migrations import STEPS, Step
from watchdog.store.refusals import StoreError

if TYPE_CHECKING:
    from sqlite_utils import Database

__all__ = ["bring_up_to_date", "check_version", "version_of"]

_APPLICATION_ID = 0x57444F47
"""`WDOG`: the application that owns the file (`file watchdog.db` shows it)."""


def version_of(connection: sqlite3.Connection) -> int:
    """The file's schema version: the number of steps applied."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def check_version(connection: sqlite3.Connection, path: Path, known: int = len(STEPS)) -> int:
    """The file's version; `StoreError` if it belongs to another program or is newer than `known`. Writes nothing."""
    version = version_of(connection)
    application = int(connection.execute("PRAGMA application_id").fetchone()[0])
    holds_anything = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] > 0
    if (holds_anything or version) and application != _APPLICATION_ID:
        raise StoreError(
            f"database {path}: is an SQLite database of another program, and was left as it is; "
            "let `database` in the configuration name another path"
        )
    if version > known:
        raise StoreError(
            f"database {path}: is of version {version}, this watchdog knows versions up to {known}, and it was left as it is; "
            f"install the newer watchdog again, or restore the copy {path}.v{known}"
        )
    return version


def bring_up_to_date(database: "Database", path: Path, steps: Sequence[Step] = STEPS, *, keeps_copy: bool = True) -> None:
    """Run the steps that the file has not had, with a copy of it as it was beside it. On sqlite3.Error or `StoreError` it is unchanged."""
    from sqlite_utils import Migrations  # noqa: PLC0415 - slow to import, and few commands need it

    connection = database.conn
    migrations = Migrations("watchdog")
    for step in steps:
        migrations(name=step.__name__)(step)
    connection.execute("BEGIN IMMEDIATE")
    try:
        version = check_version(connection, path, len(steps))  # checked again: no other process can be about to migrate now
        if version < len(steps):
            if version and keeps_copy:
                _copy(path, version)
            migrations.apply(database)
            connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {len(steps)}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _copy(path: Path, version: int) -> None:
    """Copy the file, including its write-ahead log, to a file beside it; an unfinished copy never has the final name."""
    copy = Path(f"{path}.v{version}")
    unfinished = Path(f"{copy}.unfinished")
    unfinished.unlink(missing_ok=True)
    try:
        with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(unfinished)) as target:
            source.backup(target)
        unfinished.chmod(path.stat().st_mode & 0o777)
        unfinished.replace(copy)
    except (sqlite3.Error, OSError) as error:
        raise StoreError(
            f"database {path}: could not be copied to {copy} before bringing it up to date ({error}), and was left as it is; "
            f"`df -h {path.parent}`, then free some space"
        ) from error
