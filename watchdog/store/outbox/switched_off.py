"""Receivers that are switched off: their address is permanently gone (410, or Slack's equivalent), so attempts are pointless.

The state is stored with the receiver settings it was found with. It ends when these change, or when an operator runs `watchdog outbox
retry`. Meanwhile messages keep waiting, and merge with new ones, until they expire.
"""

import structlog

from watchdog.store.outbox.notification_log import recount
from watchdog.store.outbox.removed_receivers import IS_FAREWELL
from watchdog.store.sql import Connection

__all__ = ["give_up_late", "is_off", "next_late", "still", "switch_off", "switch_on"]

_log = structlog.get_logger("watchdog.store")

_WAITING = "receiver = ? AND state IN ('waiting', 'sending') AND state = 'waiting'"  # the second condition for the partial index


_OUT_OF_TIME = f"""
    UPDATE messages SET state = 'dead', body = coalesce(body, x''), last_error = ?,
        settings = CASE WHEN {IS_FAREWELL} THEN '' ELSE ? END WHERE id = ?"""  # noqa: S608 - our own SQL


def switch_off(connection: Connection, receiver: str, settings: str, reason: str, now: float) -> None:
    """Switch the receiver off while it has these settings."""
    connection.execute(
        "INSERT INTO switched_off VALUES (?, ?, ?, ?) ON CONFLICT (receiver) DO UPDATE SET"
        " settings = excluded.settings, at = excluded.at, reason = excluded.reason",
        (receiver, settings, now, reason),
    )


def switch_on(connection: Connection, receiver: str) -> bool:
    """Switch the receiver on. Returns whether it was off."""
    return connection.execute("DELETE FROM switched_off WHERE receiver = ?", (receiver,)).rowcount > 0


def is_off(connection: Connection, receiver: str, settings: str) -> bool:
    """Whether the receiver is off with these settings."""
    return connection.execute("SELECT 1 FROM switched_off WHERE receiver = ? AND settings = ?", (receiver, settings)).fetchone() is not None


def still(connection: Connection, receiver: str, settings: str) -> bool:
    """Whether the receiver is off. If its settings have changed since, it is switched on."""
    if is_off(connection, receiver, settings):
        return True
    if switch_on(connection, receiver):
        _log.info("receiver_switched_on", receiver=receiver, reason="its settings have changed")
    return False


def next_late(connection: Connection, receiver: str) -> float | None:
    """When the receiver's next waiting message expires (epoch seconds)."""
    row = connection.execute(f"SELECT min(expires_at) AS at FROM messages WHERE {_WAITING}", (receiver,)).fetchone()  # noqa: S608
    return None if row["at"] is None else float(row["at"])


def give_up_late(connection: Connection, receiver: str, settings: str, now: float) -> None:
    """Make expired messages dead; they are not sent again with these settings."""
    late = connection.execute(f"SELECT id FROM messages WHERE {_WAITING} AND expires_at <= ?", (receiver, now)).fetchall()  # noqa: S608
    for row in late:
        reason = "out of time while the receiver was switched off"
        connection.execute(_OUT_OF_TIME, (reason, settings, row["id"]))
        recount(connection, row["id"], receiver)
        _log.warning("message_refused", receiver=receiver, message=row["id"], reason=reason)
