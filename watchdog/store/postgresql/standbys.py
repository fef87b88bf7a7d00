"""Who stands by: each daemon that waits for the lease has a row, which counts for some seconds, by the database's clock.

In: what waits for the lease. Out: the same, known to all while it waits; the names of those who stand by, for who asks.
"""

import time
from contextlib import suppress

from msgspec.structs import replace

from watchdog.store.migrations import STEPS
from watchdog.store.postgresql.connection import SESSION
from watchdog.store.postgresql.lease import own_name
from watchdog.store.postgresql.schema import version_of
from watchdog.store.refusals import StoreError
from watchdog.store.sql import Connection, Database, StandBy, Wait

__all__ = ["GONE_S", "forget", "noted", "standing_by"]

NOTE_EVERY_S = 2.0
GONE_S = 10.0
"""A daemon that gave no sign for so long does not stand by any more: it ended, or cannot reach the database."""

_NOTE = """
    INSERT INTO standbys (session, name, seen_at) VALUES (?, ?, clock_timestamp())
    ON CONFLICT (session) DO UPDATE SET seen_at = excluded.seen_at"""
_GONE = "DELETE FROM standbys WHERE seen_at < clock_timestamp() - make_interval(secs => ?)"
_FORGET = "DELETE FROM standbys WHERE session = ?"
_SEEN = "SELECT name FROM standbys WHERE seen_at >= clock_timestamp() - make_interval(secs => ?) ORDER BY name"


def noted(database: Database, wait: Wait) -> Wait:
    """`wait`, which is told whether an older watchdog works; this process is among those who stand by as long as it waits."""
    noted_at, older = float("-inf"), False

    def noting(seen: StandBy) -> bool:
        nonlocal noted_at, older
        due = bool(seen.holder) and time.monotonic() - noted_at >= NOTE_EVERY_S
        with suppress(StoreError), database.speaking():
            older = version_of(database.connection()) < len(STEPS) if due else older
        waits = wait(replace(seen, older=older))
        with suppress(StoreError), database.speaking():
            if not waits and seen.holder:
                forget(database.connection())
            elif due:
                _note(database.connection())
                noted_at = time.monotonic()
        return waits

    return noting


def _note(connection: Connection) -> None:
    connection.execute(_NOTE, (SESSION, own_name()))
    connection.execute(_GONE, (GONE_S,))


def forget(connection: Connection) -> None:
    """This process no longer stands by."""
    connection.execute(_FORGET, (SESSION,))


def standing_by(connection: Connection) -> tuple[str, ...]:
    """The names of those who stand by now."""
    return tuple(str(row["name"]) for row in connection.execute(_SEEN, (GONE_S,)))
