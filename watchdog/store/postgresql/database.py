"""A PostgreSQL database as the store: one connection per thread, opened again once it was lost; one write transaction at a time.

Writers take a lock of the database for the length of their transaction, as SQLite's `BEGIN IMMEDIATE` does: what a cycle reads, decides
and writes is about one state. Cycles that change no incident share that lock, and each takes one of its target beside it. A daemon that
holds the lease has every transaction ask first whether it still does; who looks beside it, whether the tables are still those it knows. A
database that is away costs a bounded time for each attempt, and nothing is decided without it.
"""

import os
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress

import structlog

from watchdog.core.model.servers.database_url import DatabaseUrl
from watchdog.store.refusals import StoreError, UnsureError

try:
    import psycopg
except ImportError:
    raise StoreError("database: psycopg is not installed, which speaks to PostgreSQL: pip install 'celery-watchdog[postgres]'") from None

from watchdog.store.migrations import STEPS
from watchdog.store.postgresql import lease, standbys
from watchdog.store.postgresql.connection import PostgresConnection, connected
from watchdog.store.postgresql.pooling import refuse_shared_sessions
from watchdog.store.postgresql.refusals import refused, speaking_of
from watchdog.store.postgresql.rows import NamedRow
from watchdog.store.postgresql.schema import apply_steps, check_version
from watchdog.store.sql import Daemons, Wait

__all__ = ["PostgresDatabase"]

_log = structlog.get_logger("watchdog.store")

WRITERS = 0x57444F47
"""`WDOG`: the advisory lock of those who write."""
_END_STALLED = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name LIKE 'watchdog %%' AND state = 'active' AND wait_event = 'ClientRead'
        AND query_start < clock_timestamp() - make_interval(secs => %s)"""
"""Those of a process that is frozen in the middle of what psycopg sends as a pipeline, which no timeout of PostgreSQL ends."""


class PostgresDatabase:
    """One database and this process's connections to it. With `read_only`, nothing is created or written."""

    def __init__(
        self, url: DatabaseUrl, *, read_only: bool = False, busy_timeout_s: float = 5.0, lost: Callable[[], None] | None = None
    ) -> None:
        """`lost`: called once the lease is another's; without it the process ends at once."""
        self.url, self.read_only, self.busy_timeout_s = url, read_only, busy_timeout_s
        self._lost = lost or _end_at_once
        self._epoch: int | None = None
        self._joined = False
        self._local = threading.local()
        self._opened: list[tuple[threading.Thread, PostgresConnection]] = []
        self._opening = threading.Lock()
        self._turn = threading.Lock()

    @property
    def place(self) -> DatabaseUrl:
        """Its URL, which shows no password."""
        return self.url

    def open(self, command: str, *, create: bool = True) -> None:
        """Check that it is usable, and with `create` create or migrate its tables. `StoreError` gives the reason if it is not."""
        try:
            with self.speaking():
                refuse_shared_sessions(self.connection(), self._new, self.url)
                self._look(create=create)
        except BaseException:
            self.close()
            raise

    def join(self) -> None:
        """Use the tables as a daemon of this version has made them, and go on only as long as they are these. Nothing is created."""
        try:
            with self.speaking():
                refuse_shared_sessions(self.connection(), self._new, self.url)
                version = check_version(self.connection(), self.url)
        except BaseException:
            self.close()
            raise
        if version != len(STEPS):
            self.close()
            found = f"is of version {version}, this watchdog works with {len(STEPS)}" if version else "holds nothing of watchdog yet"
            what = f"database {self.url}: {found}; start `watchdog run` of this version first, which makes its tables"
            raise StoreError(what, passes=True)
        self._joined = True

    def _look(self, *, create: bool) -> None:
        version = check_version(self.connection(), self.url)
        if version == 0 and not create:
            raise StoreError(f"database {self.url}: holds nothing of watchdog yet; `watchdog run` creates its tables")
        if version == len(STEPS):
            return
        if self.read_only:
            raise StoreError(
                f"database {self.url}: is of version {version}, this watchdog reads version {len(STEPS)}; "
                "`watchdog run` brings it up to date"
            )
        if version and self._epoch is None and self.is_held():
            if create:
                return  # who is about to stand by waits for its end, and has the lease as the steps run
            raise StoreError(f"{lease.holder_of(self.connection())} runs an older watchdog on {self.url}; stop it first")
        with self.writing() as connection:
            apply_steps(connection, self.url)

    def check_current(self) -> None:
        """`StoreError` if its tables are not of this watchdog's version."""
        with self.speaking():
            version = check_version(self.connection(), self.url)
        if version < len(STEPS):
            raise StoreError(
                f"database {self.url}: is of version {version}, and an older watchdog works on it; "
                f"this one brings it to version {len(STEPS)} as it takes over"
            )

    def connection(self) -> PostgresConnection:
        """This thread's connection."""
        found: PostgresConnection | None = getattr(self._local, "connection", None)
        if found is None or not found.usable:
            with self.speaking():
                found = self._local.connection = self._connect()
        return found

    def _connect(self) -> PostgresConnection:
        made = self._new()
        with self._opening:
            for thread, old in list(self._opened):
                if not thread.is_alive() or thread is threading.current_thread():
                    old.close()
                    self._opened.remove((thread, old))
            self._opened.append((threading.current_thread(), made))
        return made

    def _new(self) -> PostgresConnection:
        return connected(self.url, read_only=self.read_only, longest_s=self.busy_timeout_s * 2, idle_s=lease.TTL_S)

    def speaking(self) -> AbstractContextManager[None]:
        """psycopg's errors raised inside become a `StoreError` about this database."""
        return speaking_of(self.url)

    @contextmanager
    def writing(self, apart: str = "") -> Iterator[PostgresConnection]:
        """The one write transaction of this moment, or with `apart` that of its target; any exception rolls it back and propagates."""
        with nullcontext() if apart else self._turn_of_this_thread():
            connection = self._begun(_locking(apart))
            try:
                yield connection
                self._commit(connection)
            finally:
                connection.roll_back()

    @contextmanager
    def _turn_of_this_thread(self) -> Iterator[None]:
        if not self._turn.acquire(timeout=self.busy_timeout_s):
            raise StoreError(
                f"database {self.url}: another thread of watchdog writes for more than {self.busy_timeout_s:g}s, nothing was written"
            )
        try:
            yield
        finally:
            self._turn.release()

    def _begun(self, locking: str) -> PostgresConnection:
        """A connection on which a transaction has begun. One that was lost since its last use is opened again first."""
        connection = self.connection()
        with self.speaking():
            try:
                self._begin(connection, locking)
            except psycopg.Error:
                if connection.usable:
                    raise
                connection = self.connection()
                self._begin(connection, locking)
        return connection

    def _end_stalled(self, connection: PostgresConnection) -> None:
        """Before the next attempt: whoever holds a lock and does not go on loses it, and its transaction."""
        with suppress(psycopg.Error):
            connection.raw.execute(_END_STALLED.encode(), (lease.TTL_S,))

    def _begin(self, connection: PostgresConnection, locking: str) -> None:
        """Begin a transaction with its locks, if what must hold in each of them does. If it fails, none is left behind."""
        beginning = f"BEGIN; SET LOCAL lock_timeout = {int(self.busy_timeout_s * 1000)}; {locking}; SELECT {self._condition()} AS ours"
        try:
            cursor = connection.raw.execute(beginning.encode())
        except psycopg.Error:
            if connection.usable:
                connection.roll_back()
                self._end_stalled(connection)
            raise
        while cursor.nextset():
            """Only the last statement's answer is of interest."""
        begun: NamedRow = cursor.fetchone() or NamedRow()
        if begun["ours"] is False:
            connection.roll_back()
            if self._epoch is None:
                raise StoreError(
                    f"database {self.url}: a newer watchdog changed its tables, nothing was written; install that one here, too"
                )
            raise self._taken_over("nothing was written")

    def _condition(self) -> str:
        """What must hold in each transaction, as SQL."""
        if self._epoch is not None:
            return f"(SELECT epoch = {self._epoch} FROM lease)"  # noqa: S608 - a number of our own
        return f"(SELECT version = {len(STEPS)} FROM watchdog_schema)" if self._joined else "NULL"  # noqa: S608 - the same

    def _taken_over(self, outcome: str) -> StoreError:
        """What is said, if that is not the end of the process, once the lease is another's."""
        self._lost()
        return StoreError(f"database {self.url}: another watchdog took over, {outcome}")

    def _commit(self, connection: PostgresConnection) -> None:
        try:
            connection.run("COMMIT")
        except psycopg.Error as error:
            if error.sqlstate and connection.usable:
                raise refused(error, self.url) from error
            raise UnsureError(
                f"database {self.url}: the connection was lost as something was written, and it is not known whether it was; "
                "look before you repeat it"
            ) from error

    # --- one daemon ---------------------------------------------------------------------------------------------------

    @contextmanager
    def lease(self, wait: Wait | None = None) -> Iterator[None]:
        """Be the only daemon on this database; `StoreError` if there is another. Each transaction then asks whether that still holds."""
        self._epoch = lease.take(self, wait and standbys.noted(self, wait))
        renewal = lease.Renewal(self, self._epoch, self._lost)
        try:
            self._look(create=True)  # another version may have worked on it meanwhile
            with suppress(StoreError), self.speaking():
                standbys.forget(self.connection())
            yield
        finally:
            renewal.give_back()
            self._epoch = None

    def confirm_lease(self) -> None:
        """`StoreError` unless the lease is still this daemon's, by the database's word at this moment."""
        if self._epoch is None:
            return
        with self.speaking():
            ours = lease.is_ours(self.connection(), self._epoch)
        if not ours:
            raise self._taken_over("nothing was sent")

    def daemons(self) -> Daemons:
        """Which daemons work on it or stand by."""
        with self.speaking():
            connection = self.connection()
            return Daemons(lease.holder_of(connection) if lease.is_held(connection) else "", standbys.standing_by(connection))

    def is_held(self) -> bool:
        """Whether a daemon works on it."""
        with self.speaking():
            return lease.is_held(self.connection())

    def sign_of_life(self) -> None:
        """Nothing more is needed: the lease is renewed."""

    # --- the rest -----------------------------------------------------------------------------------------------------

    def bytes_used(self) -> int:
        """The size of the database."""
        with self.speaking():
            return int(self.connection().execute("SELECT pg_database_size(current_database()) AS bytes").fetchone()["bytes"])

    def close(self) -> None:
        """Close this thread's connection and those of threads that have ended; that of another is closed as it lets go of it."""
        with self._opening:
            for thread, connection in self._opened:
                if thread is threading.current_thread() or not thread.is_alive():
                    connection.close()
            self._opened.clear()
            self._local = threading.local()


def _locking(apart: str) -> str:
    """The locks of a transaction, as SQL: all others are kept out, or those that are not about one target, and those about this one."""
    if not apart:
        return f"SELECT pg_advisory_xact_lock({WRITERS})"
    number = zlib.crc32(apart.encode()) - 2**31  # two targets of the same number wait for each other, which is all
    return f"SELECT pg_advisory_xact_lock_shared({WRITERS}); SELECT pg_advisory_xact_lock({WRITERS}, {number})"


def _end_at_once() -> None:
    """Crash-only: whoever lost the lease has nothing to write and nothing to say; what supervises it starts the next one."""
    _log.error("lease_lost", reason="another watchdog took over; this one ends at once")
    os._exit(1)
