"""Receivers that change their name or are taken out: what the file holds of them moves, is told within a time, or is given up."""

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
    AND notices.event = 'resolved' AND instr(notices.snapshot, '"ended":"{Ended.RECEIVER_REMOVED.value}"'))"""  # noqa: S608 - a text of our own
"""Whether a message tells a receiver that is taken out that all is over for it. Where it was refused, that says nothing of the true end.

Found by its text: a snapshot may hold infinity, which is no JSON to SQLite; within a text of JSON there is no bare quote."""


def rename(connection: sqlite3.Connection, old: str, new: str) -> bool:
    """All that `old` was told, what waits for it and whether it is off is `new`'s; whether there was anything."""
    moved = connection.execute("UPDATE messages SET receiver = ? WHERE receiver = ?", (new, old)).rowcount
    moved += connection.execute("DELETE FROM told WHERE receiver = ?", (old,)).rowcount
    moved += connection.execute("UPDATE OR IGNORE switched_off SET receiver = ? WHERE receiver = ?", (new, old)).rowcount
    moved += connection.execute("UPDATE OR IGNORE receivers SET name = ? WHERE name = ?", (new, old)).rowcount
    connection.execute("DELETE FROM switched_off WHERE receiver = ?", (old,))
    connection.execute("DELETE FROM receivers WHERE name = ?", (old,))
    if moved:
        recount_all(connection, new)
    return moved > 0


def unfinished_receivers(connection: sqlite3.Connection) -> frozenset[str]:
    """Receivers, configured or not, for which something waits, that believe something to burn, or that are switched off."""
    return frozenset(row["receiver"] for row in connection.execute(_UNFINISHED))


def unfinished(connection: sqlite3.Connection, receiver: str) -> int:
    """How many messages wait for it or are in hand."""
    return int(connection.execute(f"SELECT count(*) FROM messages WHERE {_UNSENT}", (receiver,)).fetchone()[0])  # noqa: S608


def leave_by(connection: sqlite3.Connection, receiver: str, at: float) -> None:
    """What waits for it is tried no longer than until then (epoch seconds)."""
    connection.execute(f"UPDATE messages SET expires_at = min(expires_at, ?) WHERE {_UNSENT}", (at, receiver))  # noqa: S608


def stay(connection: sqlite3.Connection, receiver: str) -> None:
    """It is configured: what waits for it, perhaps since it was taken out, is tried as long as anything."""
    connection.execute(
        f"UPDATE messages SET expires_at = created_at + :s WHERE {_UNSENT.replace('?', ':receiver')} AND expires_at < created_at + :s",  # noqa: S608
        {"receiver": receiver, "s": TRIED_FOR_S},
    )


def give_up(connection: sqlite3.Connection, receiver: str, reason: str) -> int:
    """Nothing can be sent to it any more: what waits is dead, whatever its settings are when it comes back. Returns how many."""
    waiting = connection.execute(f"SELECT id FROM messages WHERE {_UNSENT} AND state = 'waiting'", (receiver,)).fetchall()  # noqa: S608
    for row in waiting:
        connection.execute(
            "UPDATE messages SET state = 'dead', body = coalesce(body, x''), settings = '', last_error = ? WHERE id = ?",
            (reason, row["id"]),
        )
        recount(connection, row["id"], receiver)
    connection.execute("DELETE FROM switched_off WHERE receiver = ?", (receiver,))
    return len(waiting)
