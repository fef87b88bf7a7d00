"""The outbox, from waiting to sending: which message goes next, and how its body is frozen at its first attempt.

A message waits while an earlier unfinished one for the same receiver shares an incident with it, so that an end never overtakes its
beginning. If a beginning was refused for good, the notices that depend on it (its end, an escalation) are removed from unsent messages.
What changes earlier posts is rendered anew for each attempt, because they may have changed since.
Nothing is sent to a receiver that is switched off; its messages are given up when they expire.
"""

from collections.abc import Callable, Iterable

import structlog
from msgspec import Struct
from msgspec.structs import replace

from watchdog.core.incidents.messages import Event, Message
from watchdog.store.cycles import notices_of
from watchdog.store.outbox import switched_off
from watchdog.store.outbox.notification_log import note, recount
from watchdog.store.outbox.posts import posts_of
from watchdog.store.records import message_from
from watchdog.store.sql import Connection

__all__ = ["LONGEST_PAUSE_S", "Claimed", "Render", "belonging", "claim", "is_due", "next_due", "recover", "take_back", "upcoming"]

LONGEST_PAUSE_S = 900.0
"""The longest pause between attempts, in seconds; a longer Retry-After is capped to it."""

_log = structlog.get_logger("watchdog.store")
Render = Callable[[Message], bytes]


class Claimed(Struct, frozen=True):
    """A message taken for sending: its frozen body, and the number of this attempt (from 1)."""

    message: Message
    body: bytes
    attempt: int


# A due time further away than the longest possible wait was set by a different clock: it is due now.
_DUE_AT = "CASE WHEN not_before - :now > wait_s AND not_before - :now > :longest_pause THEN :now ELSE not_before END"
# Two conditions on the state, so that the partial index is used; CROSS JOIN, or SQLite starts at the other messages, which is quadratic.
_UNBLOCKED = f"""
    SELECT *, {_DUE_AT} AS due_at FROM messages WHERE receiver = :receiver AND state IN ('waiting', 'sending') AND state = 'waiting'
    AND NOT EXISTS (
        SELECT 1 FROM notices AS mine
        CROSS JOIN notices AS theirs ON theirs.incident = mine.incident
        CROSS JOIN messages AS earlier ON earlier.id = theirs.message
        WHERE mine.message = messages.id AND earlier.receiver = messages.receiver AND earlier.number < messages.number
          AND earlier.state IN ('waiting', 'sending')
    )"""  # noqa: S608 - our own SQL
_NEXT = f"SELECT * FROM ({_UNBLOCKED}) AS unblocked WHERE due_at <= :now ORDER BY number LIMIT 1"  # noqa: S608
_FIRST_DUE = f"SELECT min(due_at) AS due_at FROM ({_UNBLOCKED}) AS unblocked"  # noqa: S608
_ATTEMPT = """
    UPDATE messages SET state = 'sending', body = :body, attempts = attempts + 1, settings = :settings,
        first_attempt_at = coalesce(first_attempt_at, :now), last_attempt_at = :now WHERE id = :id"""
_UNRENDERED = """
    UPDATE messages SET state = 'dead', body = x'', attempts = attempts + 1, settings = :settings, last_error = :reason,
        first_attempt_at = coalesce(first_attempt_at, :now), last_attempt_at = :now WHERE id = :id"""

_STILL = """
    SELECT count(*), coalesce(sum(CASE WHEN event = 'acknowledged' THEN 1 ELSE 0 END), 0) FROM told
    WHERE receiver = ? AND group_id = ? AND event <> 'resolved' AND coalesce(refused, '') <> 'resolved'
        AND incident NOT IN (SELECT incident FROM notices WHERE message = ?)"""


def claim(connection: Connection, receiver: str, now: float, settings: str, render: Render) -> Claimed | None:
    """Take the oldest due message and mark it as being sent; None if none is due. `now`: epoch seconds."""
    if switched_off.still(connection, receiver, settings):
        switched_off.give_up_late(connection, receiver, settings, now)
        return None
    asked = {"receiver": receiver, "now": now, "longest_pause": LONGEST_PAUSE_S}
    while (row := connection.execute(_NEXT, asked).fetchone()) is not None:
        message = message_from(row, notices_of(connection, row["id"]))
        body: bytes | None = row["body"]
        trimmed = message if body is not None else _without_orphans(connection, message)
        if trimmed is None:
            continue
        posts = posts_of(connection, trimmed, settings)
        if body is None or posts or _other_type(row["settings"], settings):
            still, acknowledged = _still_firing(connection, trimmed)
            message = replace(trimmed, still=still, acknowledged=acknowledged, posts=posts)
            body = _rendered(connection, message, render, {"settings": settings, "now": now})
            if body is None:
                continue
        connection.execute(_ATTEMPT, {"id": message.id, "body": body, "settings": settings, "now": now})
        note(connection, message.id, receiver)
        return Claimed(message, body, row["attempts"] + 1)
    return None


def _other_type(before: str, now: str) -> bool:
    """Whether the receiver's type has changed since: the new type cannot use a body frozen for the old one."""
    types = before.partition(":")[0], now.partition(":")[0]
    return ":" in before and ":" in now and types[0] != types[1]


def _without_orphans(connection: Connection, message: Message) -> Message | None:
    """The message without notices whose beginning the receiver refused; None (and the message is deleted) if nothing is left."""
    if all(notice.event is Event.FIRST for notice in message.notices):
        return message
    told = {
        row["incident"]
        for row in connection.execute(
            "SELECT told.incident FROM told JOIN notices ON notices.incident = told.incident"
            " WHERE notices.message = ? AND told.receiver = ? AND told.event IS NOT NULL",
            (message.id, message.receiver),
        )
    }
    kept = tuple(notice for notice in message.notices if notice.event is Event.FIRST or notice.incident in told)
    if len(kept) == len(message.notices):
        return message
    dropped = {notice.incident for notice in message.notices} - {notice.incident for notice in kept}
    refused = "their beginning was refused"
    _log.info("notices_withdrawn", receiver=message.receiver, message=message.id, incidents=sorted(dropped), reason=refused)
    connection.executemany("DELETE FROM notices WHERE message = ? AND incident = ?", [(message.id, incident) for incident in dropped])
    if not kept:
        connection.execute("DELETE FROM messages WHERE id = ?", (message.id,))
        return None
    return replace(message, notices=kept)


def _still_firing(connection: Connection, message: Message) -> tuple[int, int]:
    """How many others of the message's group the receiver believes to fire, and how many of these somebody works on.

    One whose end it refuses to hear does not count.
    """
    counts = (Event.RESOLVED, Event.ACKNOWLEDGED)
    if not message.group_id or all(notice.event not in counts for notice in message.notices):
        return 0, 0
    still, acknowledged = connection.execute(_STILL, (message.receiver, message.group_id, message.id)).fetchone()
    return int(still), int(acknowledged)


def _rendered(connection: Connection, message: Message, render: Render, attempt: dict[str, object]) -> bytes | None:
    """The body; None if rendering fails: the message is then dead, and does not block those behind it."""
    try:
        return render(message)
    except Exception as error:  # noqa: BLE001 - one message that cannot be rendered must not block all that follow
        reason = f"could not be rendered ({type(error).__name__}); please report it, with the log at level debug"
        _log.debug("rendering_crashed", receiver=message.receiver, message=message.id, exc_info=True)
        _log.error("message_refused", receiver=message.receiver, message=message.id, incidents=len(message.notices), reason=reason)
        connection.execute(_UNRENDERED, {**attempt, "id": message.id, "reason": reason})
        recount(connection, message.id, message.receiver)
        return None


def is_due(connection: Connection, receiver: str, now: float, settings: str) -> bool:
    """Whether `claim` has something to do for the receiver now. The delivery checks this before it waits for the write lock."""
    if switched_off.is_off(connection, receiver, settings):
        late = switched_off.next_late(connection, receiver)
        return late is not None and late <= now
    return connection.execute(_NEXT, {"receiver": receiver, "now": now, "longest_pause": LONGEST_PAUSE_S}).fetchone() is not None


def upcoming(connection: Connection, receiver: str, now: float) -> Message | None:
    """The message that `claim` would take now, as far as it is known without the lock; None if none is due."""
    row = connection.execute(_NEXT, {"receiver": receiver, "now": now, "longest_pause": LONGEST_PAUSE_S}).fetchone()
    return None if row is None else message_from(row, notices_of(connection, row["id"]))


def next_due(connection: Connection, receiver: str, now: float, settings: str | None = None) -> float | None:
    """When `claim` next has something to do for the receiver (epoch seconds, may be past); None if nothing waits.

    `settings`: the receiver's. If it is switched off with these, the result is when its next message expires.
    """
    if settings is not None and switched_off.is_off(connection, receiver, settings):
        return switched_off.next_late(connection, receiver)
    row = connection.execute(_FIRST_DUE, {"receiver": receiver, "now": now, "longest_pause": LONGEST_PAUSE_S}).fetchone()
    return None if row["due_at"] is None else float(row["due_at"])


def belonging(connection: Connection, receiver: str, ids: Iterable[str]) -> tuple[str, ...]:
    """Of these messages, those of the receiver, which may have had another name as they were claimed."""
    asked = "SELECT 1 FROM messages WHERE id = ? AND receiver = ?"
    return tuple(message_id for message_id in ids if connection.execute(asked, (message_id, receiver)).fetchone() is not None)


def take_back(connection: Connection, ids: Iterable[str]) -> None:
    """Of these messages, which a claim took and nobody sent, those whose claim was committed wait again, as if it had not been."""
    for message_id in ids:
        connection.execute(
            "UPDATE messages SET state = 'waiting', attempts = attempts - 1 WHERE id = ? AND state = 'sending'", (message_id,)
        )


def recover(connection: Connection) -> int:
    """At startup: messages that a dead watchdog was sending wait again with the same body, as they may have arrived. Returns how many."""
    return connection.execute("UPDATE messages SET state = 'waiting', may_have_arrived = 1 WHERE state = 'sending'").rowcount
