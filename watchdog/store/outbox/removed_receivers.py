"""Receivers that are renamed or removed: their records move to the new name, get a last deadline, or are given up."""

from watchdog.core.incidents.lifecycle import Ended
from watchdog.store.cycles import TRIED_FOR_S
from watchdog.store.outbox.notification_log import recount, recount_all
from watchdog.store.sql import Connection

__all__ = ["IS_FAREWELL", "give_up", "leave_by", "rename", "stay", "unfinished", "unfinished_receivers"]

_UNSENT = "receiver = ? AND state IN ('waiting', 'sending')"
_UNFINISHED = """
    SELECT receiver FROM messages WHERE state IN ('waiting', 'sending')
    UNION SELECT told.receiver FROM told JOIN incidents ON incidents.id = told.incident WHERE told.event <> 'resolved'
    UNION SELECT receiver FROM switched_off"""


IS_FAREWELL = f"""EXISTS (SELECT 1 FROM notices WHERE notices.message = messages.id
    AND notices.event = 'resolved' AND notices.snapshot LIKE '%"ended":"{Ended.RECEIVER_REMOVED.value}"%')"""  # noqa: S608 - our own SQL
"""Whether a message is the final notification of a removed receiver. If it was refused, that says nothing about the incident's real end.

Matched as text: a snapshot may contain infinity, which SQLite does not accept as JSON; a bare quote cannot occur inside a JSON string.
"""


def rename(connection: Connection, old: str, new: str) -> bool:
    """Move `old`'s notification log, messages and switched-off state to `new`. Returns whether there was anything to move."""
    moved = connection.execute("UPDATE messages SET receiver = ? WHERE receiver = ?", (new, old)).rowcount
    moved += connection.execute("DELETE FROM told WHERE receiver = ?", (old,)).rowcount
    moved += _moved(connection, "switched_off", "receiver", old, new)
    moved += _moved(connection, "receivers", "name", old, new)
    moved += _moved(connection, "digests", "receiver", old, new)
    connection.execute("DELETE FROM switched_off WHERE receiver = ?", (old,))
    connection.execute("DELETE FROM digests WHERE receiver = ?", (old,))
    connection.execute("DELETE FROM receivers WHERE name = ?", (old,))
    if moved:
        recount_all(connection, new)
    return moved > 0


def _moved(connection: Connection, table: str, column: str, old: str, new: str) -> int:
    """Rename in one of the tables that know a receiver once, unless they know the new name, too. Returns how many."""
    return connection.execute(
        f"UPDATE {table} SET {column} = ? WHERE {column} = ? AND NOT EXISTS (SELECT 1 FROM {table} WHERE {column} = ?)",  # noqa: S608 - our own names
        (new, old, new),
    ).rowcount


def unfinished_receivers(connection: Connection) -> frozenset[str]:
    """Receivers, configured or not, that have unfinished messages, that believe an incident is firing, or that are switched off."""
    return frozenset(row["receiver"] for row in connection.execute(_UNFINISHED))


def unfinished(connection: Connection, receiver: str) -> int:
    """How many of the receiver's messages wait or are being sent."""
    return int(connection.execute(f"SELECT count(*) FROM messages WHERE {_UNSENT}", (receiver,)).fetchone()[0])  # noqa: S608


def leave_by(connection: Connection, receiver: str, at: float) -> None:
    """Let the receiver's messages expire at `at` (epoch seconds) at the latest."""
    connection.execute(f"UPDATE messages SET expires_at = ? WHERE expires_at > ? AND {_UNSENT}", (at, at, receiver))  # noqa: S608


def stay(connection: Connection, receiver: str) -> None:
    """The receiver is configured: restore the normal expiry of its messages, which was shortened if it had been removed."""
    connection.execute(
        f"UPDATE messages SET expires_at = created_at + :s WHERE {_UNSENT.replace('?', ':receiver')} AND expires_at < created_at + :s",  # noqa: S608
        {"receiver": receiver, "s": TRIED_FOR_S},
    )


def give_up(connection: Connection, receiver: str, reason: str) -> int:
    """Nothing can be sent to the receiver any more: make its waiting messages dead, whatever its later settings. Returns how many."""
    waiting = connection.execute(f"SELECT id FROM messages WHERE {_UNSENT} AND state = 'waiting'", (receiver,)).fetchall()  # noqa: S608
    for row in waiting:
        connection.execute(
            "UPDATE messages SET state = 'dead', body = coalesce(body, x''), settings = '', last_error = ? WHERE id = ?",
            (reason, row["id"]),
        )
        recount(connection, row["id"], receiver)
    connection.execute("DELETE FROM switched_off WHERE receiver = ?", (receiver,))
    return len(waiting)
