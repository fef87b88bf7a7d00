"""What may go after a while, so that the file does not grow for ever.

Ended incidents, their transitions and what receivers were told of them, messages that arrived, and dead letters that were handled. Never:
an open incident, what receivers were told of it, a message that waits, a dead letter that nobody handled, or an incident that one of these
mentions.
"""

import sqlite3

from watchdog.store.migrations import OPEN_STATES

__all__ = ["forget"]

_MENTIONED = """
    SELECT notices.incident FROM messages JOIN notices ON notices.message = messages.id
    WHERE messages.state IN ('waiting', 'sending') OR (messages.state = 'dead' AND messages.handled IS NULL)"""


def forget(connection: sqlite3.Connection, before: float) -> int:
    """Remove what ended or arrived before then (epoch seconds). Returns how many incidents went."""
    ended = connection.execute(
        f"DELETE FROM incidents WHERE resolved_at < ? AND state NOT IN {OPEN_STATES} AND id NOT IN ({_MENTIONED}) RETURNING id",  # noqa: S608
        (before,),
    ).fetchall()
    gone = [(row["id"],) for row in ended]
    connection.executemany("DELETE FROM transitions WHERE incident = ?", gone)
    connection.executemany("DELETE FROM told WHERE incident = ?", gone)
    connection.execute(
        "DELETE FROM messages WHERE (state = 'delivered' AND delivered_at < ? OR handled IS NOT NULL AND handled_at < ?) AND NOT EXISTS ("
        " SELECT 1 FROM notices JOIN incidents ON incidents.id = notices.incident WHERE notices.message = messages.id)",
        (before, before),
    )
    return len(gone)
