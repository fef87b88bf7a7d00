"""The schema in PostgreSQL: the same steps as SQLite's, in PostgreSQL's words, and the tables that SQLite has no need of.

The version is a row. The steps run in one transaction under the lock of those who write: none runs twice, and one that fails leaves the
database as it was. There is no copy beforehand: backups are the server's business.
"""

from watchdog.core.model.servers.database_url import DatabaseUrl
from watchdog.store.migrations import STEPS
from watchdog.store.postgresql.connection import PostgresConnection
from watchdog.store.postgresql.dialect import schema_for_postgresql
from watchdog.store.refusals import StoreError
from watchdog.store.sql import Connection

__all__ = ["apply_steps", "check_version", "version_of"]

_OWN = (
    "CREATE TABLE watchdog_schema (version BIGINT NOT NULL)",
    "INSERT INTO watchdog_schema VALUES (0)",
    "CREATE TABLE lease (epoch BIGINT NOT NULL, holder TEXT NOT NULL, session TEXT NOT NULL, until TIMESTAMPTZ NOT NULL)",
    "INSERT INTO lease VALUES (0, '', '', '-infinity')",
    "CREATE TABLE standbys (session TEXT PRIMARY KEY, name TEXT NOT NULL, seen_at TIMESTAMPTZ NOT NULL)",
)
_FOREIGN = "SELECT count(*) AS tables FROM pg_tables WHERE schemaname = current_schema()"
_IS_THERE = "SELECT to_regclass('watchdog_schema') IS NOT NULL AS there"


def check_version(connection: PostgresConnection, url: DatabaseUrl) -> int:
    """The version of the schema, 0 if there is none; `StoreError` if what is there is another program's, or a newer watchdog's."""
    if not connection.execute(_IS_THERE).fetchone()["there"]:
        if connection.execute(_FOREIGN).fetchone()["tables"]:
            raise StoreError(f"database {url}: holds tables of another program, and was left as it is; give watchdog a database of its own")
        return 0
    version = version_of(connection)
    if version > len(STEPS):
        raise StoreError(
            f"database {url}: is of version {version}, this watchdog knows versions up to {len(STEPS)}, and it was left as it is; "
            "install the newer watchdog again"
        )
    return version


def version_of(connection: Connection) -> int:
    """The version of the schema that is there."""
    return int(connection.execute("SELECT version FROM watchdog_schema").fetchone()["version"])


def apply_steps(connection: PostgresConnection, url: DatabaseUrl) -> None:
    """Run the steps that the database has not had, in the caller's transaction."""
    version = check_version(connection, url)
    if version == 0:
        connection.run(*_OWN)
    for step in STEPS[version:]:
        step(_Translating(connection))
    connection.execute("UPDATE watchdog_schema SET version = ?", (len(STEPS),))


class _Translating:
    """What a step runs its statements on."""

    def __init__(self, connection: PostgresConnection) -> None:
        self._connection = connection

    def execute(self, statement: str) -> None:
        """Run one statement of SQLite's schema."""
        self._connection.run(schema_for_postgresql(statement))
