"""Errors of the database file as sentences: which file, what was found, what to do.

In: an error from SQLite or the file system, and the path. Out: a `StoreError`. All store errors are translated here.
"""

import os
import pwd
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = [
    "AwayError",
    "ConflictError",
    "NotApartError",
    "NotFoundError",
    "NotInForceError",
    "OvertakenError",
    "StoreError",
    "UnsureError",
    "cannot_reach",
    "locked",
    "speaking_of",
]


class StoreError(Exception):
    """The database cannot be used, or not now. The text is for the operator and needs no traceback; nothing was partially written."""

    def __init__(self, text: str, *, passes: bool = False) -> None:
        """`passes`: whether it may be over without anybody's changing anything here, so that waiting is sensible."""
        super().__init__(text)
        self.passes = passes


class AwayError(StoreError):
    """There is no connection to the database's server, or it was lost. Another daemon may work on the database meanwhile."""


class UnsureError(AwayError):
    """The database went away as a transaction was to be committed: whether it was is not known."""


class OvertakenError(StoreError):
    """The target had another cycle since this one began, so that it would decide on a state that is no longer. Nothing was written."""


class NotInForceError(OvertakenError):
    """The target was looked at by another configuration than the one with which the daemon of this database began. Nothing was written."""


class NotApartError(StoreError):
    """A transaction beside those of other targets was to write what their cycles read. Nothing was written: it needs one of its own."""


class ConflictError(StoreError):
    """The database is fine, but what is asked for cannot be done to this incident as it is now."""


class NotFoundError(StoreError):
    """The database is fine, but no incident matches, or several do."""


@contextmanager
def speaking_of(path: Path, busy_timeout_s: float) -> Iterator[None]:
    """SQLite and file system errors raised inside become a `StoreError` about `path`."""
    try:
        yield
    except sqlite3.Error as error:
        raise StoreError(sentence_for(error, path, busy_timeout_s)) from error
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        raise StoreError(f"database {path}: {where}{_os_reason(error)}; check the owner of the file and of its directory") from error


def sentence_for(error: sqlite3.Error, path: Path, busy_timeout_s: float) -> str:
    """One sentence: the database, what was found, what to do."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF  # the primary code; extended codes are more specific than needed
    said = _SENTENCES.get(code)
    text = said(path, busy_timeout_s) if said else f"SQLite says: {error}"
    return f"database {path}: {text}"


def locked(path: Path, busy_timeout_s: float) -> str:
    """The sentence for a database that another process has locked for longer than the busy timeout."""
    return f"database {path}: {_SENTENCES[sqlite3.SQLITE_BUSY](path, busy_timeout_s)}"


def cannot_reach(path: Path, *, create: bool, command: str) -> str | None:
    """Why this user cannot open the file, checked before SQLite, which reports all causes alike; None if nothing is wrong."""
    try:
        path.parent.stat()
        exists = path.exists()
    except PermissionError:
        return f"database {path}: permission denied; {_as_owner(path, command)}"
    except FileNotFoundError:
        if not create:
            return _absent(path, create=False)
        return f"database {path}: its directory does not exist; `mkdir -p {path.parent}`, or let `database` name another path"
    except OSError as error:
        return f"database {path}: {_os_reason(error)}; let `database` in the configuration name another path"
    if not path.parent.is_dir():
        return f"database {path}: {path.parent} is a file, expected a directory; let `database` in the configuration name another path"
    if path.is_dir():
        return f"database {path}: is a directory; expected the path of a file, such as {path / 'watchdog.db'}"
    if not exists:
        return _absent(path, create=create)
    return _forbidden(path, create=create, command=command)


def _absent(path: Path, *, create: bool) -> str | None:
    if not create:
        return f"database {path}: there is no such file; `watchdog run` creates it, or `database` in the configuration names another"
    if not _may(path.parent, os.W_OK | os.X_OK):
        return f"database {path}: may not be created, its directory cannot be written by this user; `sudo chown {_me()} {path.parent}`"
    return None


def _forbidden(path: Path, *, create: bool, command: str) -> str | None:
    wanted = os.R_OK | os.W_OK if create else os.R_OK
    if not _may(path, wanted):
        what = "read-only for this user" if _may(path, os.R_OK) else "permission denied"
        return f"database {path}: {what}; {_as_owner(path, command)}"
    if create and not _may(path.parent, os.W_OK):
        # SQLite keeps its journal beside the file.
        return f"database {path}: its directory is read-only for this user; {_as_owner(path, command)}"
    return None


def _may(path: Path, mode: int) -> bool:
    return os.access(path, mode, effective_ids=os.access in os.supports_effective_ids)


def _os_reason(error: OSError) -> str:
    return f"{error.strerror or type(error).__name__}"


def _as_owner(path: Path, command: str) -> str:
    """The command to type, as the owner of the file or of the nearest directory whose owner is visible."""
    owner = _owner(path)
    return f"try `sudo {command}`" if owner in (None, "root") else f"try `sudo -u {owner} {command}`"


def _owner(path: Path) -> str | None:
    for place in (path, *path.parents):
        try:
            return pwd.getpwuid(place.stat().st_uid).pw_name
        except OSError:
            continue
        except KeyError:  # the dynamic user of a stopped service has no name
            return None
    return None


def _me() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())


def _damaged(path: Path, _busy: float) -> str:
    return (
        f"is damaged; stop watchdog, `watchdog database rescue --database {path}` (as root, or as the owner of the file) keeps what can "
        "still be read of it, then start watchdog again; or restore a copy"
    )


_SENTENCES: dict[int, Callable[[Path, float], str]] = {
    sqlite3.SQLITE_BUSY: lambda path, busy: (
        f"locked by another process for more than {busy:g}s, nothing was written; `fuser {path}` names the process"
    ),
    sqlite3.SQLITE_LOCKED: lambda _path, _busy: "locked within this process, nothing was written",
    sqlite3.SQLITE_NOTADB: lambda path, _busy: (
        f"is not an SQLite database, and was left as it is; move it away (`mv {path} {path}.old`), or let `database` name another path"
    ),
    sqlite3.SQLITE_CORRUPT: _damaged,
    sqlite3.SQLITE_READONLY: lambda _path, _busy: (
        "read-only, nothing was written; check the owner of the file and of its directory, and that the file system is mounted for writing"
    ),
    sqlite3.SQLITE_PERM: lambda _path, _busy: "permission denied; check the owner of the file and of its directory",
    sqlite3.SQLITE_FULL: lambda path, _busy: f"the disk is full, nothing was written; `df -h {path.parent}`, then free some space",
    sqlite3.SQLITE_IOERR: lambda path, _busy: (
        f"the disk does not read or write as it should, or is full, nothing was written; see `dmesg` and `df -h {path.parent}`"
    ),
    sqlite3.SQLITE_CANTOPEN: lambda path, _busy: (
        f"cannot be opened, nor its journal beside it; check that this user may write to {path.parent} and may open more files"
    ),
}
"""SQLite's primary result codes that an operator can act on."""
