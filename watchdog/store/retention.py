"""Deletes old records, so that the file does not grow forever.

Deleted: ended incidents with their transitions and notification log, delivered messages, handled dead letters, silences and deploys; the
history of targets that are no longer watched. Never deleted: an open incident and its notification log, a waiting message, an unhandled
dead letter, an incident that one of these refers to, or the audit log of actions.
"""

from watchdog.store.looks.frames import FRAMES
from watchdog.store.migrations import OPEN_STATES
from watchdog.store.sql import Connection

__all__ = ["OLD_FRAMES", "forget"]

_MENTIONED = """
    SELECT notices.incident FROM messages JOIN notices ON notices.message = messages.id
    WHERE messages.state IN ('waiting', 'sending') OR (messages.state = 'dead' AND messages.handled IS NULL)"""

OLD_FRAMES = "DELETE FROM history WHERE target IN (SELECT target FROM looks) AND folded = ? AND at < ?"
"""The targets are named because the key begins with them: else all of history is read (20 targets for 48 h: 22 ms, 70 in a file)."""


def forget(connection: Connection, before: float) -> int:
    """Delete what ended or was delivered before `before` (epoch seconds). Returns the number of incidents deleted."""
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
    connection.executemany("DELETE FROM acknowledgements WHERE incident = ?", gone)
    connection.execute("DELETE FROM remedies WHERE ended_at < ? AND helped <> ''", (before,))
    connection.execute("DELETE FROM silences WHERE ends_at < ?", (before,))
    connection.execute("DELETE FROM deploys WHERE ends_at < ?", (before,))
    connection.execute("DELETE FROM history WHERE target IN (SELECT target FROM looks WHERE at < ?)", (before,))
    connection.execute("DELETE FROM looks WHERE at < ?", (before,))
    connection.execute(OLD_FRAMES, (FRAMES, before))
    return len(gone)
