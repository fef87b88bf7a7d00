"""One daemon per database, by a row of it: who holds the lease, under which epoch, and until when by the database's own clock.

Each taking has an epoch of its own, one above the last. Every transaction of the holder asks, under the lock of those who write, whether
the epoch is still its own; a taker waits for that lock, too. So nothing is written by who has lost the lease, whatever any clock says. A
holder that cannot reach the database keeps the lease as long as nobody takes it.
"""

import os
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress

import structlog

from watchdog.store.postgresql.connection import SESSION
from watchdog.store.refusals import StoreError
from watchdog.store.sql import Connection, Database, Wait

__all__ = ["RENEW_S", "TTL_S", "Renewal", "holder_of", "is_held", "take"]

_log = structlog.get_logger("watchdog.store")

TTL_S = 5.0
"""How long the lease lasts without a renewal."""
RENEW_S = TTL_S / 3
_LOOK_S = 0.5

_SEEN = "SELECT holder, until > clock_timestamp() AS held, until::text AS until FROM lease"
_END_SESSIONS = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name IN (SELECT session FROM lease WHERE until <= clock_timestamp())
        AND application_name <> ?"""
"""One that is frozen in the middle of a transaction would keep others from writing for as long as it is."""
_TAKE = """
    UPDATE lease SET epoch = epoch + 1, holder = ?, session = ?, until = clock_timestamp() + make_interval(secs => ?)
    WHERE until <= clock_timestamp() RETURNING epoch"""
_RENEW = "UPDATE lease SET until = clock_timestamp() + make_interval(secs => ?) WHERE epoch = ?"
_GIVE_BACK = "UPDATE lease SET until = '-infinity' WHERE epoch = ?"


def take(database: Database, wait: Wait | None = None, pause: Callable[[float], None] = time.sleep) -> int:
    """Take the lease, and return its epoch, as soon as it is free. `StoreError` once `wait` is content with another holding it; without
    `wait`, one whose holder died is waited for, and one that its holder renews is not.
    """
    before = ""
    while True:
        try:
            with database.speaking():
                seen = database.connection().execute(_SEEN).fetchone()
            if not seen["held"] and (epoch := _taken(database)) is not None:
                return epoch
            reason, now = f"another watchdog ({seen['holder']}) uses {database.place}", str(seen["until"])
        except StoreError as error:  # the database is away, or is written to for long
            if wait is None:
                raise
            reason = now = str(error)
        if not (wait(reason) if wait else before in ("", now)):
            raise StoreError(f"{reason}; stop it first, or let `database` in the configuration name another one")
        before = now
        pause(_LOOK_S)


def _taken(database: Database) -> int | None:
    """The epoch; None if another was faster. Whoever held the lease before can write no more: its connections are ended first."""
    with database.speaking():
        database.connection().execute(_END_SESSIONS, (SESSION,))
    with database.writing() as connection, database.speaking():
        row = connection.execute(_TAKE, (_own_name(), SESSION, TTL_S)).fetchone()
        return None if row is None else int(row["epoch"])


def is_held(connection: Connection) -> bool:
    """Whether a daemon holds the lease."""
    return bool(connection.execute(_SEEN).fetchone()["held"])


def holder_of(connection: Connection) -> str:
    """Who holds it, or held it last."""
    return str(connection.execute(_SEEN).fetchone()["holder"])


def _own_name() -> str:
    return f"{socket.gethostname()}, pid {os.getpid()}"


class Renewal:
    """Renews the lease in a thread of its own until it is given back; calls `lost` once it is another's."""

    def __init__(self, database: Database, epoch: int, lost: Callable[[], None]) -> None:
        self._database, self._epoch, self._lost = database, epoch, lost
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lease", daemon=True)
        self._thread.start()

    def give_back(self) -> None:
        """End, and let the next daemon take it at once."""
        self._ended.set()
        self._thread.join(TTL_S)
        with suppress(StoreError), self._database.speaking():
            self._database.connection().execute(_GIVE_BACK, (self._epoch,))

    def _run(self) -> None:
        failing = ""
        while not self._ended.wait(RENEW_S):
            try:
                with self._database.speaking():
                    renewed = self._database.connection().execute(_RENEW, (TTL_S, self._epoch)).rowcount
            except StoreError as error:
                if failing != str(error):
                    _log.error("lease_not_renewed", reason=str(error))
                failing = str(error)
                continue
            failing = ""
            if not renewed:
                self._lost()
                return
