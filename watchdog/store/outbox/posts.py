"""Which earlier messages of a receiver show the incidents of a message: a receiver that can change what it posted is given them back.

In: a message, as it is claimed. Out: its posts, newest first, each with what is known of its incidents by now. A post is a delivered
message for which the receiver gave a handle (`Delivered.handle`); a receiver of another type cannot use it.
"""

import sqlite3

from watchdog.core.incidents.messages import Event, Message, Post
from watchdog.store.records import notice_from

__all__ = ["MOST_POSTS", "posts_of"]

MOST_POSTS = 5
"""Each costs a request. An incident is in more than one post only if it has got worse."""

# CROSS JOIN, or SQLite starts at the messages, of which there may be many.
_POSTS = """
    SELECT DISTINCT messages.id, messages.handle, messages.number FROM notices AS mine
    CROSS JOIN notices AS theirs ON theirs.incident = mine.incident AND theirs.message <> mine.message
    CROSS JOIN messages ON messages.id = theirs.message
    WHERE mine.message = :message AND messages.receiver = :receiver AND messages.handle <> ''
      AND substr(messages.settings, 1, instr(messages.settings, ':')) = :type
    ORDER BY messages.number DESC LIMIT :most"""
# With max(number), SQLite takes the snapshot from the row that holds the maximum (sqlite.org/lang_select.html#bareagg).
_NEWEST = """
    SELECT theirs.snapshot, max(messages.number) FROM notices AS mine
    CROSS JOIN notices AS theirs ON theirs.incident = mine.incident
    CROSS JOIN messages ON messages.id = theirs.message
    WHERE mine.message = :post AND messages.receiver = :receiver AND (messages.id = :message OR messages.state = 'delivered')
    GROUP BY mine.position ORDER BY mine.position"""


def posts_of(connection: sqlite3.Connection, message: Message, settings: str) -> tuple[Post, ...]:
    """The posts that show an incident of the message, and that a receiver with these settings can change. A beginning has none."""
    if all(notice.event is Event.FIRST for notice in message.notices):
        return ()
    asked = {"message": message.id, "receiver": message.receiver}
    mine = {**asked, "type": settings[: settings.find(":") + 1], "most": MOST_POSTS}
    found = connection.execute(_POSTS, mine).fetchall()
    return tuple(
        Post(row["handle"], tuple(notice_from(newest) for newest, _ in connection.execute(_NEWEST, {**asked, "post": row["id"]})))
        for row in found
    )
