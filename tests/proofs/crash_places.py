"""Where the daemons of the crash proof keep what they know: a file of SQLite, or a database of PostgreSQL.

In: a folder, or a server. Out: a place that is empty, and what is done once a daemon has died on it.
"""

from pathlib import Path
from typing import Protocol

import psycopg

from tests.proofs.crash_account import sound
from tests.servers.postgresql import RealPostgreSQL
from watchdog.core.model.servers.database_url import DatabaseUrl
from watchdog.store import Store
from watchdog.store.sql import DatabasePlace

__all__ = ["InAFile", "InPostgreSQL", "Kept"]


class Kept(Protocol):
    """One of them."""

    @property
    def place(self) -> DatabasePlace:
        """What the configuration names."""

    def empty(self) -> None:
        """Nothing is known any more."""

    def after_a_death(self) -> None:
        """AssertionError if what the dead left cannot be used as it is."""


class InAFile:
    """SQLite's."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.place = folder / "watchdog.db"

    def empty(self) -> None:
        for left in self._folder.glob(f"{self.place.name}*"):
            left.unlink()

    def after_a_death(self) -> None:
        if self.place.exists():
            assert sound(self.place, self._folder / "aside") == "ok"


class InPostgreSQL:
    """A server's. Its lease, which has still to run out, is taken from the dead at once: how long that takes is `test_failover`'s."""

    def __init__(self, server: RealPostgreSQL) -> None:
        self._server = server
        self.place = DatabaseUrl(server.emptied_database())
        Store.open(self.place).close()  # with its tables, as each telling after the first finds it: so all have the same moments

    def empty(self) -> None:
        self._server.emptied_database()

    def after_a_death(self) -> None:
        with psycopg.connect(self.place.reveal()) as connection:
            connection.execute("UPDATE lease SET until = '-infinity'")
