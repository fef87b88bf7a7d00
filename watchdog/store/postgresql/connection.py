"""One connection to PostgreSQL with the face of the store's connections, on which no statement waits longer than it may.

The server ends a statement that takes too long (`statement_timeout`). A server that is frozen, or behind a network that swallows packets,
ends nothing: so the client counts, too, and closes the connection. What was committed may then be unknown; the caller is told so.
"""

import secrets
import time
from collections.abc import Generator, Iterable
from contextlib import suppress
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus

from watchdog.core.model.servers.database_url import DatabaseUrl
from watchdog.store.postgresql.dialect import for_psycopg
from watchdog.store.postgresql.rows import named_rows, storable
from watchdog.store.sql import Cursor, Given

__all__ = ["SESSION", "PostgresConnection", "SilentError", "connected"]

SESSION = f"watchdog {secrets.token_hex(8)}"
"""The name of this process's connections, which no other process has: not even the next one in the same container."""
CONNECT_S = 3
"""How long a connection may take to open, in whole seconds, for each address of the host."""
_NOTICE_DEATH_MS = 300
"""How soon the server notices, in the middle of a statement, that its client is gone: PostgreSQL 14 and later, where its system can."""


class SilentError(psycopg.OperationalError):
    """The server did not answer within the time of a statement."""


class _Bounded(psycopg.Connection[Any]):
    longest_s = 10.0

    def wait(self, gen: Any, *args: Any, **more: Any) -> Any:
        """As psycopg's own, but no longer than `longest_s`: then the connection is closed."""
        try:
            return super().wait(_until(gen, time.monotonic() + self.longest_s), *args, **more)
        except SilentError:
            self.pgconn.finish()
            raise


def _until(gen: Generator[Any, Any, Any], deadline: float) -> Generator[Any, Any, Any]:
    """The same steps of a conversation, until the deadline. psycopg wakes it several times a second, whatever the server does."""
    try:
        step = next(gen)
        while True:
            ready = yield step
            if not ready and time.monotonic() > deadline:
                raise SilentError("no answer in time")
            step = gen.send(ready)
    except StopIteration as ended:
        return ended.value


class PostgresConnection:
    """One connection of one thread."""

    def __init__(self, raw: psycopg.Connection[Any]) -> None:
        self.raw = raw
        self.row_factory: object = None  # rows are tuples already: what `sql.tuples` sets has no effect

    def execute(self, sql: str, given: Given = ()) -> Cursor:
        """Run one statement."""
        return self.raw.execute(for_psycopg(sql).encode(), storable(given))

    def executemany(self, sql: str, given: Iterable[Given]) -> None:
        """Run one statement with each of these values, in one round trip."""
        rows = [storable(one) for one in given]
        if rows:
            self.raw.cursor().executemany(for_psycopg(sql).encode(), rows)

    def cursor(self) -> Any:
        """Itself: each statement has a cursor of its own."""
        return self

    def run(self, *statements: str) -> None:
        """Run statements without values, in one round trip."""
        self.raw.execute("; ".join(statements).encode())

    def roll_back(self) -> None:
        """Undo what is not committed. Never raises: of a connection that is lost, the server undoes it."""
        if self.usable and self.raw.info.transaction_status != TransactionStatus.IDLE:
            with suppress(psycopg.Error):
                self.run("ROLLBACK")

    @property
    def usable(self) -> bool:
        """Whether it is still connected, as far as is known."""
        return not self.raw.closed

    def close(self) -> None:
        """Close it."""
        self.raw.close()


def connected(url: DatabaseUrl, *, read_only: bool, longest_s: float, idle_s: float) -> PostgresConnection:
    """A new connection. `longest_s`: for one statement. `idle_s`: how long a transaction may pause before the server ends it."""
    settings = {
        "statement_timeout": int(longest_s * 1000),
        "idle_in_transaction_session_timeout": int(idle_s * 1000),
        "default_transaction_read_only": "on" if read_only else "off",
        "synchronous_commit": "on",  # what is told must be kept, whatever the server's default is
    }
    raw = _Bounded.connect(
        url.reveal(),
        connect_timeout=CONNECT_S,
        tcp_user_timeout=int(longest_s * 1000),
        keepalives_idle=5,
        keepalives_interval=2,
        keepalives_count=3,
        application_name=SESSION,
        client_encoding="utf8",
        autocommit=True,  # every transaction is started explicitly
        row_factory=named_rows,
    )
    raw.longest_s = longest_s + 1.0  # the server's own limit comes first, and says what it ended
    made = PostgresConnection(raw)
    try:
        made.run(*(f"SET {name} = {value}" for name, value in settings.items()))  # no startup options: PgBouncer takes none
        with suppress(psycopg.errors.UndefinedObject, psycopg.errors.InvalidParameterValue):
            made.run(f"SET client_connection_check_interval = {_NOTICE_DEATH_MS}")
    except BaseException:
        made.close()
        raise
    return made
