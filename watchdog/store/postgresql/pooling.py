"""A pooler between watchdog and PostgreSQL must leave each client its connection for as long as it stays: PgBouncer's pool mode `session`.

In the modes `transaction` and `statement`, what one client has set is another's, and a daemon's connections do not end with it: the limits
of statements, the reader that may not write and the lease rest on both. In: a connection that was just opened, and how to open another.
Out: nothing, or the reason for which it cannot be used.
"""

from collections.abc import Callable
from contextlib import closing

import psycopg

from watchdog.core.model.servers.database_url import DatabaseUrl
from watchdog.store.postgresql.connection import PostgresConnection
from watchdog.store.refusals import StoreError

__all__ = ["refuse_shared_sessions"]

_ATTEMPTS = 3
"""Other clients of a pool may take the connection first."""
_PID = "SELECT pg_backend_pid() AS pid"


def refuse_shared_sessions(connection: PostgresConnection, another: Callable[[], PostgresConnection], url: DatabaseUrl) -> None:
    """`StoreError` if a pooler shares sessions; nothing is asked of a server that answers itself."""
    pid = _pid_of(connection)
    if pid == connection.raw.info.backend_pid:
        return
    with closing(another()) as other:
        for _ in range(_ATTEMPTS):
            if _taken_by(other, url) == _pid_of(connection):
                raise StoreError(_SHARED.format(url=url, mode="transaction"))


def _taken_by(other: PostgresConnection, url: DatabaseUrl) -> int:
    """The process of the server that serves another connection, which keeps it to the end of a transaction."""
    try:
        other.run("BEGIN")
        return _pid_of(other)
    except psycopg.errors.ProtocolViolation:
        raise StoreError(_SHARED.format(url=url, mode="statement")) from None
    finally:
        other.roll_back()


def _pid_of(connection: PostgresConnection) -> int:
    return int(connection.execute(_PID).fetchone()["pid"])


_SHARED = (
    "database {url}: a pooler stands before it that shares connections between clients, as PgBouncer with pool_mode = {mode} does; "
    "watchdog needs pool_mode = session for its database, or PostgreSQL's own port"
)
