"""Which earlier messages of a receiver show the incidents of a message: a receiver that can change what it posted is given them back.

In: a message, as it is claimed. Out: its posts, newest first, each with what is known of its incidents by now. A post is a delivered
message for which the receiver gave a handle (`Delivered.handle`); a receiver of another type cannot use it.
"""

from watchdog.core.incidents.messages import Event, Message, Post
from watchdog.store.records import notice_from
from watchdog.store.sql import Connection

__all__ = ["posts_of"]

MOST_POSTS = 5
"""Each costs a request. An incident is in more than one post only if it has got worse."""

# CROSS JOIN, or SQLite starts at the messages, of which there may be many.
_POSTS = """
    SELECT DISTINCT messages.id, messages.handle, messages.number FROM notices AS mine
    CROSS JOIN notices AS theirs ON theirs.incident = mine.incident AND theirs.message <> mine.message
    CROSS JOIN messages ON messages.id = theirs.message
    WHERE mine.message = :message AND messages.receiver = :receiver AND messages.handle <> ''
      AND substr(messages.settings, 1, :length) = :type
    ORDER BY messages.number DESC LIMIT :most"""
_NEWEST = """
    SELECT snapshot FROM (
        SELECT theirs.snapshot, mine.position, row_number() OVER (PARTITION BY mine.position ORDER BY messages.number DESC) AS place
        FROM notices AS mine
        CROSS JOIN notices AS theirs ON theirs.incident = mine.incident
        CROSS JOIN messages ON messages.id = theirs.message
        WHERE mine.message = :post AND messages.receiver = :receiver AND (messages.id = :message OR messages.state = 'delivered')
    ) AS known WHERE place = 1 ORDER BY position"""


def posts_of(connection: Connection, message: Message, settings: str) -> tuple[Post, ...]:
    """The posts that show an incident of the message, and that a receiver with these settings can change. A beginning has none."""
    if all(notice.event is Event.FIRST for notice in message.notices):
        return ()
    asked = {"message": message.id, "receiver": message.receiver}
    kind = settings[: settings.find(":") + 1]
    mine = {**asked, "type": kind, "length": len(kind), "most": MOST_POSTS}
    found = connection.execute(_POSTS, mine).fetchall()
    return tuple(
        Post(row["handle"], tuple(notice_from(newest) for (newest,) in connection.execute(_NEWEST, {**asked, "post": row["id"]})))
        for row in found
    )
