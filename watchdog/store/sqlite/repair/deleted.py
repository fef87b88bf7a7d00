"""Restores a database file that was deleted while in use: its data still exists for every process that has it open.

In: the path, and a connection opened before the deletion. Out: a file at that path with all committed data, and a log line.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

import structlog

__all__ = ["identity_of", "put_back"]

_log = structlog.get_logger("watchdog.store")


def identity_of(path: Path) -> tuple[int, int] | None:
    """Device and inode of the file at `path`, which identify it whatever its name; None if there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def put_back(path: Path, connection: sqlite3.Connection | None) -> None:
    """Write the file again from what the connection sees. On sqlite3.Error or OSError no file is left at `path`; the caller can retry."""
    if connection is None:
        raise sqlite3.OperationalError("it was deleted, and nothing has it open; restart watchdog")
    unfinished = Path(f"{path}.unfinished")
    unfinished.unlink(missing_ok=True)
    with closing(sqlite3.connect(unfinished)) as target:
        connection.backup(target)
    unfinished.chmod(0o600)
    for beside in ("-wal", "-shm"):  # the log of the deleted file; its content is already in the new one
        Path(f"{path}{beside}").unlink(missing_ok=True)
    unfinished.replace(path)
    _log.error(
        "database_restored", database=str(path), reason="it was deleted while watchdog used it; nothing is lost, and nothing need be done"
    )
