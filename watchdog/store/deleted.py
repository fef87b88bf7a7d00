"""A database file that somebody deleted while it was in use: it still exists for who has it open, and is put back from there.

In: the path, and a connection from before. Out: a file of that name with all that was committed, and a log line.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

import structlog

__all__ = ["identity_of", "put_back"]

_log = structlog.get_logger("watchdog.store")


def identity_of(path: Path) -> tuple[int, int] | None:
    """Which file that is, whatever its name (device, inode); None where there is none of that name."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def put_back(path: Path, connection: sqlite3.Connection | None) -> None:
    """Write the file anew from what the connection sees. sqlite3.Error and OSError leave the name free; try again."""
    if connection is None:
        raise sqlite3.OperationalError("it was deleted, and nothing has it open; restart watchdog")
    unfinished = Path(f"{path}.unfinished")
    unfinished.unlink(missing_ok=True)
    with closing(sqlite3.connect(unfinished)) as target:
        connection.backup(target)
    unfinished.chmod(0o600)
    for beside in ("-wal", "-shm"):  # a journal of the file that is gone: all of it is in the new one
        Path(f"{path}{beside}").unlink(missing_ok=True)
    unfinished.replace(path)
    _log.error(
        "database_put_back", database=str(path), reason="it was deleted while watchdog used it; nothing is lost, and nothing need be done"
    )
