"""The database file: opened, or refused with a reason; one connection per thread; one write transaction at a time.

WAL with `synchronous=FULL`: committed data survives a power failure, and readers never wait for the writer. Write transactions start with
`BEGIN IMMEDIATE`: a deferred transaction that reads first fails immediately, regardless of the busy timeout, if another process wrote in
the meantime.
"""

import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from watchdog.store.migrations import STEPS
from watchdog.store.refusals import StoreError, cannot_reach, locked, speaking_of
from watchdog.store.sql import Wait
from watchdog.store.sqlite.lease import is_held, lease, retaken, sign_of_life
from watchdog.store.sqlite.repair.deleted import identity_of, put_back
from watchdog.store.sqlite.schema import bring_up_to_date, check_version

if TYPE_CHECKING:
    from sqlite_utils import Database

__all__ = ["DatabaseFile"]

LARGEST_IDLE_WAL = 4 * 1024 * 1024
"""The write-ahead log is truncated to this many bytes when it restarts; otherwise it keeps its peak size (64 MB measured after a burst)."""

MOST_UNWRITTEN_PAGES = 8000
"""How many pages (of 4 KiB) a transaction may change before SQLite writes some of them to make room. Its own limit of 2 MB made it write
the same pages several times in a cycle with 10,000 new incidents. After the commit the pages are free again."""

MADE_WITHIN_S = 2.0
"""How long whoever only reads waits for the tables of a new file, which take some tenths of a second."""


class DatabaseFile:
    """One SQLite file and this process's connections to it. With `read_only`, the file is never created or written."""

    def __init__(self, path: str | Path, *, read_only: bool = False, busy_timeout_s: float = 5.0) -> None:
        self.path = Path(path)
        self.read_only = read_only
        self.busy_timeout_s = busy_timeout_s
        self._immutable = False
        self._local = threading.local()
        self._opened: list[tuple[threading.Thread, sqlite3.Connection]] = []
        self._opening = threading.Lock()
        self._identity: tuple[int, int] | None = None  # device and inode of the open file; set once it is open for writing
        self._generation = 0  # how often the file was restored; connections from before belong to an unlinked file
        self._locks: list[int] = []  # lock files that were taken again because they had been deleted too
        self._held_up = False  # the thread that holds `_turn` is waiting for another process, or has just timed out doing so
        self._turn = threading.Lock()  # a lock wakes the next thread at once; SQLite's own busy handler sleeps and is not fair

    def open(self, command: str, *, create: bool = True) -> None:
        """Check that the file is usable, and with `create` create or migrate it.

        `StoreError` gives the reason if it is not. `command` is what the user typed.
        """
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

    def join(self) -> None:
        """Refuse: a file is one daemon's."""
        raise StoreError(
            f"database {self.path}: is a file of SQLite, at which one daemon works alone; "
            'several look at targets only with PostgreSQL: `database = "postgresql://…"`'
        )

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
        """This thread's connection wrapped by sqlite-utils, for the schema and for commands that people run."""
        from sqlite_utils import Database  # noqa: PLC0415 - takes 0.1 s to import, and a cycle does not need it

        return Database(self.connection(), execute_plugins=False)

    def speaking(self) -> AbstractContextManager[None]:
        """SQLite errors raised inside become a `StoreError` about this file."""
        return speaking_of(self.path, self.busy_timeout_s)

    @contextmanager
    def writing(self, apart: str = "") -> Iterator[sqlite3.Connection]:
        """A `BEGIN IMMEDIATE` … `COMMIT` transaction, the only one; any exception rolls it back and propagates."""
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
        """Ensure that writes go to the file at the path: restore a deleted file, refuse to write to one that was replaced."""
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
        """A connection that sees everything committed. This thread's own is preferred: another thread's may be in the middle of a read."""
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
        """Why the lock was not free: the thread before this one waits for another process, or runs a long transaction itself."""
        if self._held_up:
            return locked(self.path, self.busy_timeout_s)
        return f"database {self.path}: another thread of watchdog writes for more than {self.busy_timeout_s:g}s, nothing was written"

    def close(self) -> None:
        """Close this thread's connection and those of threads that have ended.

        Closing one in the middle of a statement crashes the process (seen with SQLite 3.40.1 and Python 3.11.7). That of a thread still
        running, such as a delivery that hangs, closes once the thread lets go of it.
        """
        with self._opening:
            for thread, connection in self._opened:
                if thread is threading.current_thread() or not thread.is_alive():
                    connection.close()
            self._opened.clear()
            while self._locks:
                os.close(self._locks.pop())
            self._local = threading.local()

    @property
    def place(self) -> Path:
        """The path of the file."""
        return self.path

    def lease(self, wait: Wait | None = None) -> AbstractContextManager[None]:
        """Be the only daemon on this file; `StoreError` at once if there is another."""
        return lease(self.path)

    def confirm_lease(self) -> None:
        """Nothing is asked: the kernel's lock lasts as long as this process."""

    def is_held(self) -> bool | None:
        """Whether a daemon holds it; None: its lock may not be read."""
        return is_held(self.path)

    def check_current(self) -> None:
        """It is, once it is open: nobody waits for a file."""

    def daemons(self) -> None:
        """None: nobody shares a file."""

    def sign_of_life(self) -> None:
        """Set the lock file's modification time to now. Never raises."""
        sign_of_life(self.path)

    def bytes_used(self) -> int:
        """The size of the file and its write-ahead log, in bytes."""
        return sum(file.stat().st_size for file in (self.path, Path(f"{self.path}-wal")) if file.exists())

    def _connect(self) -> sqlite3.Connection:
        mode = "ro&immutable=1" if self._immutable else "ro" if self.read_only else "rwc" if self._identity is None else "rw"
        connection = sqlite3.connect(
            f"{self.path.absolute().as_uri()}?mode={mode}",
            uri=True,
            timeout=self.busy_timeout_s,
            isolation_level=None,  # every transaction is started explicitly
            check_same_thread=False,  # so that those of ended threads can be closed
        )
        connection.row_factory = sqlite3.Row
        try:
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute(f"PRAGMA journal_size_limit = {LARGEST_IDLE_WAL}")
            connection.execute(f"PRAGMA cache_spill = {MOST_UNWRITTEN_PAGES}")
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
                """An unwritable file fails here, not at the first cycle."""
        elif version == 0:
            bring_up_to_date(self.database(), self.path)
        else:
            with lease(self.path):  # fails while an older watchdog is running: it still needs its schema
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
        if version == 0:
            version = self._made_meanwhile()
        if version < len(STEPS):
            raise StoreError(
                f"database {self.path}: is of version {version}, this watchdog reads version {len(STEPS)}; "
                "`watchdog run` brings it up to date"
            )

    def _made_meanwhile(self) -> int:
        """The version of a file without tables, once the daemon that has just begun has made them; 0 if none does."""
        ends_at = time.monotonic() + MADE_WITHIN_S
        while (version := check_version(self.connection(), self.path)) == 0 and time.monotonic() < ends_at:
            time.sleep(0.05)
        return version

    def _left_by_its_daemon(self) -> bool:
        """Without a write-ahead log nobody is writing, so a user who may not create one can still read the file as immutable."""
        return not Path(f"{self.path}-wal").exists()


def _damaged() -> sqlite3.DatabaseError:
    error = sqlite3.DatabaseError("quick_check failed")
    error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
    return error
