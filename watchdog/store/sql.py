"""What every module of the store asks of a database, SQLite's file or PostgreSQL: connections, cursors and rows.

The SQL of the store is written once, in words that both understand. Where they have no word in common, it is SQLite's, and
`store/postgresql/dialect.py` says what PostgreSQL calls it. Cells are texts, numbers and bytes in both; a flag is 0 or 1.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol

from msgspec import Struct

from watchdog.core.model.servers.database_url import DatabaseUrl

__all__ = [
    "LAST_MESSAGE", "MESSAGES_UP_TO", "NOW", "Connection", "Cursor", "Daemons", "Database", "DatabasePlace", "Given", "Row",
    "RunsStatements", "StandBy", "Wait", "tuples",
]  # fmt: skip

DatabasePlace = Path | DatabaseUrl
"""Where a database is: a file of SQLite, or a database of PostgreSQL."""
Given = Sequence[Any] | Mapping[str, Any]
"""The values of a statement: `?` in order, or `:name` by name."""


class StandBy(Struct, frozen=True):
    """Why a lease cannot be had. `holder`: who has it; empty if the database could not be asked. `older`: it runs an older watchdog."""

    reason: str
    holder: str = ""
    older: bool = False

    @property
    def sentence(self) -> str:
        """For people: for whom a daemon stands by. Unlike `reason`, it names no database."""
        if not self.holder:
            return "stands by, and does not reach the database"
        return f"stands by for {self.holder}" + (", which runs an older watchdog" if self.older else "")


Wait = Callable[[StandBy], bool]
"""Asked again and again while a lease cannot be had: whether to wait on."""


class Daemons(Struct, frozen=True):
    """The daemons of a database that several may share, by name. `works` is empty if none does."""

    works: str = ""
    stand_by: tuple[str, ...] = ()


LAST_MESSAGE = "SELECT seq FROM sqlite_sequence WHERE name = 'messages'"
"""The highest number that a message was ever given; no row if there was none."""
NOW = "SELECT (julianday('now') - 2440587.5) * 86400.0 AS now"
"""The database's own clock (epoch seconds)."""
MESSAGES_UP_TO = "UPDATE sqlite_sequence SET seq = ? WHERE name = 'messages'"


class RunsStatements(Protocol):
    """What a step is applied to: SQLite's database, or PostgreSQL's, which translates (`postgresql/schema.py`)."""

    def execute(self, statement: str, /) -> object:
        """Run one statement."""


class Row(Protocol):
    """One row: its cells by name, or in order."""

    def __getitem__(self, name: str, /) -> Any: ...

    def __iter__(self) -> Iterator[Any]: ...


class Cursor(Protocol):
    """What a statement found or did."""

    @property
    def rowcount(self) -> int:
        """How many rows it changed."""

    def fetchone(self) -> Any:
        """The next row; None: there is none."""

    def fetchall(self) -> list[Any]:
        """The rows that are left."""

    def __iter__(self) -> Iterator[Any]: ...


class _OwnCursor(Cursor, Protocol):
    row_factory: Any

    def execute(self, sql: str, given: Given = (), /) -> Any: ...


class Connection(Protocol):
    """One connection of one thread."""

    def execute(self, sql: str, given: Given = (), /) -> Cursor:
        """Run one statement."""

    def executemany(self, sql: str, given: Iterable[Given], /) -> object:
        """Run one statement with each of these values."""

    def cursor(self) -> _OwnCursor:
        """A cursor of which the caller may choose what it makes of a row."""


class Database(Protocol):
    """A database that is open: see `SqliteFile` and `PostgresDatabase`."""

    @property
    def place(self) -> DatabasePlace:
        """Where it is."""

    def open(self, command: str, *, create: bool = True) -> None:
        """Check that it is usable, and with `create` create or migrate it; `StoreError` gives the reason if it is not."""

    def join(self) -> None:
        """Use what a daemon of this version has made, beside it: nothing is created or migrated. `StoreError` if that cannot be."""

    def connection(self) -> Connection:
        """This thread's connection."""

    def speaking(self) -> AbstractContextManager[None]:
        """The database's errors raised inside become a `StoreError`."""

    def writing(self, apart: str = "") -> AbstractContextManager[Connection]:
        """The one write transaction of this moment; any exception rolls it back and propagates. `apart`: the target that it is about:
        PostgreSQL lets those about other targets go on beside it.
        """

    def lease(self, wait: Wait | None = None) -> AbstractContextManager[None]:
        """Be the only daemon on this database; `StoreError` if there is another. PostgreSQL's can be waited for: see `Wait`."""

    def confirm_lease(self) -> None:
        """`StoreError` unless whoever has the lease has it still, and that can be told: asked before something is sent."""

    def is_held(self) -> bool | None:
        """Whether a daemon works on it; None: that cannot be told."""

    def check_current(self) -> None:
        """`StoreError` if its tables are not of this watchdog's version."""

    def daemons(self) -> Daemons | None:
        """Which daemons work on it or stand by; None: it is a file, which nobody shares."""

    def sign_of_life(self) -> None:
        """Note that the daemon lives, for who looks from outside. Never raises."""

    def bytes_used(self) -> int:
        """Its size."""

    def close(self) -> None:
        """Close this thread's connection, and those of threads that have ended."""


def tuples(connection: Connection, sql: str, given: Given) -> Iterable[tuple[Any, ...]]:
    """Plain tuples instead of rows: where there are many, and most are only compared."""
    cursor = connection.cursor()
    cursor.row_factory = None
    found: Iterable[tuple[Any, ...]] = cursor.execute(sql, given)
    return found
