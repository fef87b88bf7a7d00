"""One daemon per database, by a row of it: who holds the lease, under which epoch, and until when by the database's own clock.

Each taking has an epoch of its own, one above the last. Every transaction of the holder asks, under the lock of those who write, whether
the epoch is still its own; a taker waits for that lock, too. So nothing is written by who has lost the lease, whatever any clock says. A
holder that cannot reach the database keeps the lease as long as nobody takes it.

A holder that dies is not waited for: the kernel closes its connections, PostgreSQL forgets them, and who stands by, and saw them before,
takes the lease at once. One that never saw them (a pooler may rename them) waits until the lease has run out.
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
from watchdog.store.sql import Connection, Database, Row, StandBy, Wait

__all__ = ["RENEW_S", "TTL_S", "Renewal", "holder_of", "is_held", "is_ours", "own_name", "take"]

_log = structlog.get_logger("watchdog.store")

TTL_S = 5.0
"""How long the lease lasts without a renewal."""
RENEW_S = TTL_S / 3
_LOOK_S = 0.2
"""How often who stands by looks at the lease. Measured: a look takes 40 µs of its CPU and 33 of the server's."""
_NONE = -1
"""No epoch."""
_RETRY_S = 0.5
"""How long it leaves a database alone that it cannot reach."""

_CONNECTED = "EXISTS (SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND application_name = lease.session)"
_SEEN = f"""
    SELECT epoch, holder, until > clock_timestamp() AS held, until = '-infinity' AS given_back, until::text AS until,
        {_CONNECTED} AS connected FROM lease"""  # noqa: S608 - our own SQL
_END_SESSIONS = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name IN (SELECT session FROM lease WHERE until <= clock_timestamp())
        AND application_name <> ?"""
"""One that is frozen in the middle of a transaction would keep others from writing for as long as it is."""
_TAKE = f"""
    UPDATE lease SET epoch = epoch + 1, holder = ?, session = ?, until = clock_timestamp() + make_interval(secs => ?)
    WHERE until <= clock_timestamp() OR (epoch = ? AND NOT {_CONNECTED}) RETURNING epoch"""  # noqa: S608
_IS_OURS = "SELECT epoch = ? AS ours FROM lease"
_RENEW = "UPDATE lease SET until = clock_timestamp() + make_interval(secs => ?) WHERE epoch = ?"
_GIVE_BACK = "UPDATE lease SET until = '-infinity' WHERE epoch = ?"


def take(database: Database, wait: Wait | None = None, pause: Callable[[float], None] = time.sleep) -> int:
    """Take the lease, and return its epoch, as soon as it is free. `StoreError` once `wait` is content with another holding it; without
    `wait`, one whose holder died is waited for, and one that its holder renews is not.
    """
    before, alive = "", _NONE
    while True:
        try:
            with database.speaking():
                seen = database.connection().execute(_SEEN).fetchone()
            alive = seen["epoch"] if seen["connected"] else alive
            died = alive == seen["epoch"] and not seen["connected"]
            if (died or not seen["held"]) and (epoch := _taken(database, alive)) is not None:
                _log.info("lease_taken", epoch=epoch, reason=_why_free(seen))
                return epoch
            why = StandBy(f"another watchdog ({seen['holder']}) uses {database.place}", str(seen["holder"]))
            now, pause_s = str(seen["until"]), _LOOK_S
        except StoreError as error:  # the database is away, or is written to for long
            if wait is None:
                raise
            why, now = StandBy(str(error)), str(error)
            alive, pause_s = _NONE, _RETRY_S  # a server that went away has ended the connections of a holder that lives
        if not (wait(why) if wait else before in ("", now)):
            raise StoreError(f"{why.reason}; stop it first, or let `database` in the configuration name another one")
        before = now
        pause(pause_s)


def _taken(database: Database, alive: int) -> int | None:
    """The epoch; None if another was faster. Whoever held the lease before can write no more: its connections are ended first.

    `alive`: the epoch whose holder was seen to be connected; it need not run out if that one no longer is.
    """
    with database.speaking():
        database.connection().execute(_END_SESSIONS, (SESSION,))
    with database.writing() as connection, database.speaking():
        row = connection.execute(_TAKE, (own_name(), SESSION, TTL_S, alive)).fetchone()
        return None if row is None else int(row["epoch"])


def _why_free(seen: Row) -> str:
    """Why the lease could be taken, in words."""
    if seen["given_back"]:
        return "nobody held it"
    return f"{seen['holder']} " + ("did not renew it" if not seen["held"] else "has ended: PostgreSQL has no connection of it any more")


def is_ours(connection: Connection, epoch: int) -> bool:
    """Whether the lease is still that of this epoch: nobody has taken it since."""
    return bool(connection.execute(_IS_OURS, (epoch,)).fetchone()["ours"])


def is_held(connection: Connection) -> bool:
    """Whether a daemon holds the lease."""
    return bool(connection.execute(_SEEN).fetchone()["held"])


def holder_of(connection: Connection) -> str:
    """Who holds it, or held it last."""
    return str(connection.execute(_SEEN).fetchone()["holder"])


def own_name() -> str:
    """By which name people find this process."""
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
