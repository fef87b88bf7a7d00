"""Django: the source that reads the schedule of django-celery-beat from its database, with one SELECT on a connection that cannot write.

In: the query. Out: its tasks, or a gap that says what was found and what to do. A connection is opened for each look, every 30 s at most,
so that none is held in between. PostgreSQL is read by psycopg, an optional dependency; SQLite by Python itself. A PostgreSQL that hangs, or
a pooler before it, keeps a thread of its own, and no cycle.
"""

import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from watchdog.core.model.gaps import Gap
from watchdog.core.model.queries import Query
from watchdog.core.model.schedules.periodic import PeriodicTasks
from watchdog.core.model.schedules.queries import DjangoTasks
from watchdog.net.background import Outcome, in_background
from watchdog.net.descriptor_limits import raise_if_own
from watchdog.sources.base import Answers
from watchdog.sources.django.rows import STATEMENT, periodic_tasks
from watchdog.sources.django.settings import DjangoSettings

if TYPE_CHECKING:
    import psycopg

__all__ = ["DjangoSettings", "DjangoSource"]

NO_LIBRARY = "django: psycopg is not installed, which reads PostgreSQL: pip install 'celery-watchdog[postgres]'"
KEEPALIVES: Mapping[str, Any] = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3}
"""A server that is gone without a word ends the question after half a minute, not after the system's two hours."""
TO_GRANT = "GRANT SELECT on the tables django_celery_beat_* to this user"
NO_TABLES = "the tables of django-celery-beat are not there (is it in INSTALLED_APPS, and migrated?), or lack a column of release 2.9"


class DjangoSource:
    """One database. Used by one cycle at a time."""

    name = "django"

    def __init__(self, settings: DjangoSettings, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._clock = clock
        self._under_way: Outcome[PeriodicTasks | Gap] | None = None

    @property
    def longest_s(self) -> float:
        """The longest that one batch may take (seconds), without name resolution."""
        return self._connect_s + 2 * self._settings.timeout

    def ask(self, queries: Sequence[Query]) -> Answers:
        """Answer every query with its reply type or a gap."""
        began = self._clock()
        answers = {query: self._answer(query) for query in queries}
        return Answers(answers, latency_ms=(self._clock() - began) * 1000)

    def close(self) -> None:
        """Nothing is held."""

    def _answer(self, query: Query) -> PeriodicTasks | Gap:
        if not isinstance(query, DjangoTasks):
            return Gap(f"django: does not know the question {type(query).__name__}")
        path = self._settings.path
        return self._within_time() if path is None else self._from_sqlite(path)

    def _within_time(self) -> PeriodicTasks | Gap:
        """What PostgreSQL has. It ends a statement that takes too long, unless it is frozen, or waits behind a pooler."""
        place = self._settings.place
        try:
            import psycopg  # noqa: F401, PLC0415 - slow, optional, and never imported in a thread of its own
        except ImportError:
            return Gap(NO_LIBRARY)
        if self._under_way is not None and not self._under_way.wait(0):
            return Gap(f"django: not asked: an earlier question to the database at {place} has not ended yet: does it hang?")
        self._under_way = in_background(self._from_postgresql, "asking-django")
        if not self._under_way.wait(self.longest_s):
            return Gap(f"django: no answer from the database at {place} within {self.longest_s:g}s: it hangs, or its pooler waits for it")
        return self._under_way.result()

    def _from_sqlite(self, path: str) -> PeriodicTasks | Gap:
        import sqlite3  # noqa: PLC0415 - for this alone

        try:
            with contextlib.closing(sqlite3.connect(f"file:{quote(path)}?mode=ro", uri=True, timeout=self._settings.timeout)) as connection:
                return periodic_tasks(connection.execute(STATEMENT).fetchall())
        except sqlite3.OperationalError as error:
            said = str(error)
            why = NO_TABLES if said.startswith(("no such table", "no such column")) else f"it cannot be opened or read ({said[:100]})"
            return Gap(f"django: expected the schedule in {path}, found none: {why}")
        except sqlite3.DatabaseError:
            return Gap(f"django: expected a SQLite database in {path}, found something else")

    def _from_postgresql(self) -> PeriodicTasks | Gap:
        import psycopg  # noqa: PLC0415 - it is by now

        try:
            with self._connected() as connection, connection.transaction():
                connection.execute(
                    "SET TRANSACTION READ ONLY"
                )  # no options at start-up: PgBouncer takes none, and the URL may have its own
                connection.execute(f"SET LOCAL statement_timeout = {int(self._settings.timeout * 1000)}".encode())
                return periodic_tasks(connection.execute(STATEMENT.encode()).fetchall())
        except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn):
            return Gap(f"django: expected the schedule in the database at {self._settings.place}, found none: {NO_TABLES}")
        except psycopg.errors.InsufficientPrivilege:
            return Gap(f"django: the database at {self._settings.place} denies it: {TO_GRANT}")
        except psycopg.Error as error:
            raise_if_own(error)
            return Gap(f"django: cannot read the database at {self._settings.place}: {_plain(error)}")

    @property
    def _connect_s(self) -> int:
        """How long connecting may take: libpq takes whole seconds, at least 2."""
        return max(2, round(self._settings.connect_timeout))

    def _connected(self) -> "psycopg.Connection[tuple[object, ...]]":
        import psycopg  # noqa: PLC0415 - slow to import, and optional

        return psycopg.connect(
            self._settings.url.get_secret_value(),
            connect_timeout=self._connect_s,
            application_name="watchdog",
            autocommit=True,
            **KEEPALIVES,
        )


_KNOWN = {
    "authentication failed": "it refuses the user or the password",
    "no password supplied": "it wants a password, and the URL has none",
    "does not exist": "there is no such user or database",
    "timeout": "it did not answer in time",
    "remaining connection slots": "it has no connection left",
}
"""What libpq says of a failed connection, which has no code -> what is wrong."""


def _plain(error: "psycopg.Error") -> str:
    """What is wrong, without what the library says: that may repeat a login."""
    text = str(error)
    known = next((why for said, why in _KNOWN.items() if said in text), None)
    return known or f"{type(error).__name__}{f' ({error.sqlstate})' if error.sqlstate else ': is it running, and is this its address?'}"
