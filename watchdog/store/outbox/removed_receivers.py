"""Receivers that are renamed or removed: their records move to the new name, get a last deadline, or are given up."""

import sqlite3

from watchdog.core.incidents.lifecycle import Ended
from watchdog.store.cycles import TRIED_FOR_S
from watchdog.store.outbox.notification_log import recount, recount_all

__all__ = ["IS_FAREWELL", "give_up", "leave_by", "rename", "stay", "unfinished", "unfinished_receivers"]

_UNSENT = "receiver = ? AND state IN ('waiting', 'sending')"
_UNFINISHED = """
    SELECT receiver FROM messages WHERE state IN ('waiting', 'sending')
    UNION SELECT told.receiver FROM told JOIN incidents ON incidents.id = told.incident WHERE told.event <> 'resolved'
    UNION SELECT receiver FROM switched_off"""


IS_FAREWELL = f"""EXISTS (SELECT 1 FROM notices WHERE notices.message = messages.id
    AND notices.event = 'resolved' AND instr(notices.snapshot, '"ended":"{Ended.RECEIVER_REMOVED.value}"'))"""  # noqa: S608 - our own SQL
"""Whether a message is the final notification of a removed receiver. If it was refused, that says nothing about the incident's real end.

Matched as text: a snapshot may contain infinity, which SQLite does not accept as JSON; a bare quote cannot occur inside a JSON string.
"""


def rename(connection: sqlite3.Connection, old: str, new: str) -> bool:
    """Move `old`'s notification log, messages and switched-off state to `new`. Returns whether there was anything to move."""
    moved = connection.execute("UPDATE messages SET receiver = ? WHERE receiver = ?", (new, old)).rowcount
    moved += connection.execute("DELETE FROM told WHERE receiver = ?", (old,)).rowcount
    moved += connection.execute("UPDATE OR IGNORE switched_off SET receiver = ? WHERE receiver = ?", (new, old)).rowcount
    moved += connection.execute("UPDATE OR IGNORE receivers SET name = ? WHERE name = ?", (new, old)).rowcount
    moved += connection.execute("UPDATE OR IGNORE digests SET receiver = ? WHERE receiver = ?", (new, old)).rowcount
    connection.execute("DELETE FROM switched_off WHERE receiver = ?", (old,))
    connection.execute("DELETE FROM digests WHERE receiver = ?", (old,))
    connection.execute("DELETE FROM receivers WHERE name = ?", (old,))
    if moved:
        recount_all(connection, new)
    return moved > 0


def unfinished_receivers(connection: sqlite3.Connection) -> frozenset[str]:
    """Receivers, configured or not, that have unfinished messages, that believe an incident is firing, or that are switched off."""
    return frozenset(row["receiver"] for row in connection.execute(_UNFINISHED))


def unfinished(connection: sqlite3.Connection, receiver: str) -> int:
    """How many of the receiver's messages wait or are being sent."""
    return int(connection.execute(f"SELECT count(*) FROM messages WHERE {_UNSENT}", (receiver,)).fetchone()[0])  # noqa: S608


def leave_by(connection: sqlite3.Connection, receiver: str, at: float) -> None:
    """Let the receiver's messages expire at `at` (epoch seconds) at the latest."""
    connection.execute(f"UPDATE messages SET expires_at = min(expires_at, ?) WHERE {_UNSENT}", (at, receiver))  # noqa: S608


def stay(connection: sqlite3.Connection, receiver: str) -> None:
    """The receiver is configured: restore the normal expiry of its messages, which was shortened if it had been removed."""
    connection.execute(
        f"UPDATE messages SET expires_at = created_at + :s WHERE {_UNSENT.replace('?', ':receiver')} AND expires_at < created_at + :s",  # noqa: S608
        {"receiver": receiver, "s": TRIED_FOR_S},
    )


def give_up(connection: sqlite3.Connection, receiver: str, reason: str) -> int:
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
