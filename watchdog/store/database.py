"""The file: opened, or refused with a reason; one connection a thread; one writing transaction at a time.

WAL and `synchronous=FULL`: what was committed survives a power cut, and reading never waits for writing. Writing transactions start with
`BEGIN IMMEDIATE`: a deferred one that reads first fails at once when another process wrote meanwhile, whatever the busy timeout.
"""

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from watchdog.store.deleted import identity_of, put_back
from watchdog.store.lease import lease, retaken
from watchdog.store.migrations import STEPS, bring_up_to_date, check_version
from watchdog.store.refusals import StoreError, cannot_reach, locked, speaking_of

if TYPE_CHECKING:
    from sqlite_utils import Database

__all__ = ["DatabaseFile"]

LARGEST_IDLE_WAL = 4 * 1024 * 1024
"""To so many bytes the write-ahead log is cut back when it is begun anew; else it stays as large as a flood made it (64 MB, measured)."""


class DatabaseFile:
    """One SQLite file and this process's connections to it. `read_only` never writes to the file nor creates it."""

    def __init__(self, path: str | Path, *, read_only: bool = False, busy_timeout_s: float = 5.0) -> None:
        self.path = Path(path)
        self.read_only = read_only
        self.busy_timeout_s = busy_timeout_s
        self._immutable = False
        self._local = threading.local()
        self._opened: list[tuple[threading.Thread, sqlite3.Connection]] = []
        self._opening = threading.Lock()
        self._identity: tuple[int, int] | None = None  # device and inode of the file that we have open, once we write to it
        self._generation = 0  # counts how often it was put back: connections from before belong to a file without a name
        self._locks: list[int] = []  # taken anew where their file had been deleted too
        self._held_up = False  # the thread whose turn it is waits for another process, or has just done so in vain
        self._turn = threading.Lock()  # threads hand over at once; SQLite's own waiting sleeps, and is not fair

    def open(self, command: str, *, create: bool = True) -> None:
        """Check that it can be used; `create` it or bring it up to date. `StoreError` says why not; `command` is what the user typed."""
        refusal = None if create else cannot_reach(self.path, create=False, command=command)
        refusal = refusal or cannot_reach(self.path, create=not self.read_only, command=command)
        if refusal:
            raise StoreError(refusal)
        try:
            with self.speaking():
                self._look() if self.read_only else self._prepare()
        except BaseException:
            self.close()
            raise
        if not self.read_only:
            self._identity = identity_of(self.path)

    def connection(self) -> sqlite3.Connection:
        """This thread's connection."""
        found: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if found is not None and self._local.generation != self._generation:
            self._forget(found)
            found = None
        if found is None:
            with self.speaking():
                self._local.generation, found = self._generation, self._connect()
                self._local.connection = found
        return found

    def _forget(self, old: sqlite3.Connection) -> None:
        with self._opening:
            old.close()
            self._opened = [pair for pair in self._opened if pair[1] is not old]

    def database(self) -> "Database":
        """This thread's connection within sqlite-utils, for the schema and for what people read."""
        from sqlite_utils import Database  # noqa: PLC0415 - a tenth of a second to import; a cycle does without

        return Database(self.connection(), execute_plugins=False)

    def speaking(self) -> AbstractContextManager[None]:
        """SQLite's errors inside become a `StoreError` about this file."""
        return speaking_of(self.path, self.busy_timeout_s)

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """BEGIN IMMEDIATE … COMMIT; rolled back on any exception, which then goes its way."""
        if not self._turn.acquire(timeout=self.busy_timeout_s):
            raise StoreError(self._why_no_turn())
        try:
            self._be_there()
            connection = self.connection()
            with self.speaking():
                self._begin(connection)
            try:
                yield connection
                with self.speaking():
                    connection.execute("COMMIT")
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
        finally:
            self._turn.release()

    def _be_there(self) -> None:
        """What is written must be found again: a file that was deleted is put back, one that was replaced is not ours to write over."""
        if self._identity is None:
            return
        found = identity_of(self.path)
        if found is None:
            refusal = cannot_reach(self.path, create=True, command="watchdog run")
            if refusal:
                raise StoreError(f"{refusal}; it was deleted while watchdog used it, and is put back as soon as that can be done")
            lock = retaken(self.path)
            self._locks += [] if lock is None else [lock]
            with self._opening, self.speaking():
                put_back(self.path, self._that_saw_all())
            self._identity = identity_of(self.path)
            self._generation += 1
        elif found != self._identity:
            raise StoreError(
                f"database {self.path}: was replaced by another file while watchdog used it, nothing was written; restart watchdog"
            )

    def _that_saw_all(self) -> sqlite3.Connection | None:
        """One that sees all that was committed: our own where there is one, for another thread's may be in the middle of reading."""
        own: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if own is not None and self._local.generation == self._generation:
            return own
        return self._opened[-1][1] if self._opened else None

    def _begin(self, connection: sqlite3.Connection) -> None:
        self._held_up = True
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            self._held_up = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
            raise
        self._held_up = False

    def _why_no_turn(self) -> str:
        """What a thread has waited for: the process that the thread before it waits for, or that thread's own long writing."""
        if self._held_up:
            return locked(self.path, self.busy_timeout_s)
        return f"database {self.path}: another thread of watchdog writes for more than {self.busy_timeout_s:g}s, nothing was written"

    def close(self) -> None:
        """Close the connections of all threads."""
        with self._opening:
            for _, connection in self._opened:
                connection.close()
            self._opened.clear()
            while self._locks:
                os.close(self._locks.pop())
            self._local = threading.local()

    def bytes_used(self) -> int:
        """The file and its journal."""
        return sum(file.stat().st_size for file in (self.path, Path(f"{self.path}-wal")) if file.exists())

    def _connect(self) -> sqlite3.Connection:
        mode = "ro&immutable=1" if self._immutable else "ro" if self.read_only else "rwc" if self._identity is None else "rw"
        connection = sqlite3.connect(
            f"{self.path.absolute().as_uri()}?mode={mode}",
            uri=True,
            timeout=self.busy_timeout_s,
            isolation_level=None,  # every transaction is begun by name
            check_same_thread=False,  # so that `close` can close them all
        )
        connection.row_factory = sqlite3.Row
        try:
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute(f"PRAGMA journal_size_limit = {LARGEST_IDLE_WAL}")
        except sqlite3.Error:
            connection.close()
            raise
        with self._opening:
            for thread, old in [pair for pair in self._opened if not pair[0].is_alive()]:
                old.close()
                self._opened.remove((thread, old))
            self._opened.append((threading.current_thread(), connection))
        return connection

    def _prepare(self) -> None:
        connection = self.connection()
        version = check_version(connection, self.path)
        if connection.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
            raise _damaged()
        connection.execute("PRAGMA journal_mode = WAL")
        if version == len(STEPS):
            with self.writing():
                """Whether it can be written shows now, not at the first cycle."""
        elif version == 0:
            bring_up_to_date(self.database(), self.path)
        else:
            with lease(self.path):  # an older watchdog that runs keeps its schema
                bring_up_to_date(self.database(), self.path)

    def _look(self) -> None:
        try:
            version = check_version(self.connection(), self.path)
        except (StoreError, sqlite3.OperationalError):
            if not self._left_by_its_daemon():
                raise
            self.close()
            self._immutable = True
            version = check_version(self.connection(), self.path)
        if version < len(STEPS):
            raise StoreError(
                f"database {self.path}: is of version {version}, this watchdog reads version {len(STEPS)}; "
                "`watchdog run` brings it up to date"
            )

    def _left_by_its_daemon(self) -> bool:
        """No journal: nobody writes. Who may not create one beside the file can still read the file as it lies there."""
        return not Path(f"{self.path}-wal").exists()


def _damaged() -> sqlite3.DatabaseError:
    error = sqlite3.DatabaseError("quick_check failed")
    error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
    return error
