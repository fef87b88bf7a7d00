"""The outbox, from sending to an end or back to waiting: applies the outcome of an attempt to its message."""

import hashlib

from msgspec import Struct
from msgspec.structs import replace

from watchdog.core.incidents.outcome import Delivered, Later, Outcome, Refused
from watchdog.core.incidents.payload import smaller
from watchdog.store.cycles import notices_of
from watchdog.store.outbox import switched_off
from watchdog.store.outbox.notification_log import recount
from watchdog.store.outbox.queue import LONGEST_PAUSE_S
from watchdog.store.outbox.removed_receivers import IS_FAREWELL
from watchdog.store.outbox.splitting import put_in_place_of
from watchdog.store.records import message_from, plain
from watchdog.store.sql import Connection, Row

__all__ = ["Settled", "backoff_s", "settle"]

LONGEST_BACKOFF_S = 300.0

FEWEST_ATTEMPTS = 8
"""The fewest attempts before a message expires. One that waited through a day of downtime gets two minutes for the network to come up."""


class Settled(Struct, frozen=True):
    """The new state: `delivered`, `dead`, `waiting` until `due_at` (epoch seconds), or `split` into smaller ones; and the reason."""

    state: str
    reason: str = ""
    due_at: float | None = None
    switched_off: bool = False
    """The receiver gets nothing more until somebody fixes it."""


def settle(connection: Connection, message_id: str, outcome: Outcome, now: float, *, human: bool = False) -> Settled | None:
    """Record the outcome of an attempt; None if the message is not being sent (already settled).

    `human`: whether people read what the receiver gets.
    """
    row = connection.execute("SELECT * FROM messages WHERE id = ? AND state = 'sending'", (message_id,)).fetchone()
    if row is None:
        return None
    match outcome:
        case Delivered(handle=handle):
            return _delivered(connection, row, handle, now)  # it counts since it was claimed, because it could have arrived
        case Refused(reason, too_large=True) if split := _split(connection, row, reason, now, human=human):
            return split
        case Refused(reason, gone):
            settled = _dead(connection, row, reason)
            if gone:
                switched_off.switch_off(connection, row["receiver"], row["settings"], plain(reason), now)
                settled = replace(settled, switched_off=True)
        case Later() as later:
            settled = _later(connection, row, later, now)
    recount(connection, message_id, row["receiver"])
    return settled


def _delivered(connection: Connection, row: Row, handle: str, now: float) -> Settled:
    connection.execute(
        "UPDATE messages SET state = 'delivered', delivered_at = ?, last_error = NULL, handle = ? WHERE id = ?", (now, handle, row["id"])
    )
    connection.execute(
        "INSERT INTO receivers VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET last_ok_at = excluded.last_ok_at", (row["receiver"], now)
    )
    return Settled("delivered")


_DEAD = f"""
    UPDATE messages SET state = 'dead', last_error = ?, settings = CASE WHEN {IS_FAREWELL} THEN '' ELSE settings END WHERE id = ?"""  # noqa: S608


def _dead(connection: Connection, row: Row, reason: str) -> Settled:
    connection.execute(_DEAD, (plain(reason), row["id"]))
    return Settled("dead", reason)


def _split(connection: Connection, row: Row, reason: str, now: float, *, human: bool) -> Settled | None:
    """Replace the message by smaller ones; None if it cannot be made smaller."""
    parts = smaller(message_from(row, notices_of(connection, row["id"])), human=human)
    if not parts:
        return None
    put_in_place_of(connection, row, parts, now)
    goes = "goes as two messages" if len(parts) > 1 else "goes without description and runbook"
    return Settled("split", f"{reason}; it {goes}", now)


def _later(connection: Connection, row: Row, later: Later, now: float) -> Settled:
    if now >= row["expires_at"] and row["attempts"] >= FEWEST_ATTEMPTS:
        return _dead(connection, row, f"out of time after {row['attempts']} attempts; the last: {later.reason}")
    pause = _pause_s(row, later)
    arrived = bool(row["may_have_arrived"]) or not later.never_arrived
    connection.execute(
        "UPDATE messages SET state = 'waiting', not_before = ?, wait_s = ?, may_have_arrived = ?, last_error = ?,"
        " body = CASE WHEN ? <> 0 THEN body END WHERE id = ?",
        (now + pause, pause, arrived, plain(later.reason), arrived, row["id"]),
    )
    return Settled("waiting", later.reason, now + pause)


def _pause_s(row: Row, later: Later) -> float:
    if later.retry_after_s is None:
        return backoff_s(row["id"], row["attempts"])
    return min(max(later.retry_after_s, 1.0), LONGEST_PAUSE_S)


def backoff_s(message_id: str, attempt: int) -> float:
    """Seconds to wait: 1, 2, 4 … after the first, second, third … attempt, plus up to a quarter as jitter; at most 300."""
    digest = hashlib.sha256(f"{message_id}:{attempt}".encode()).digest()
    jitter = int.from_bytes(digest[:4], "big") / 2**32
    return min(2.0 ** min(attempt - 1, 9) * (1 + jitter / 4), LONGEST_BACKOFF_S)
