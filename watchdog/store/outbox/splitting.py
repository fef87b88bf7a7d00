"""Replaces a message that its receiver refuses as too large by smaller ones, in one transaction.

The parts take its place in the order: unsent messages behind it move behind them, so that no end overtakes its beginning. What it said no
longer counts as notified until the parts are sent. It does not become a dead letter, because none of it is given up.
"""

from collections.abc import Sequence

from msgspec.structs import replace

from watchdog.core.incidents.messages import Message
from watchdog.store.cycles import queue
from watchdog.store.outbox.notification_log import recount_incidents
from watchdog.store.sql import LAST_MESSAGE, MESSAGES_UP_TO, Connection, Row, tuples

__all__ = ["put_in_place_of"]

_BEHIND = """
    SELECT number FROM messages WHERE receiver = ? AND number > ? AND state IN ('waiting', 'sending') AND state = 'waiting' AND body IS NULL
    ORDER BY number"""  # the second condition on the state for the partial index


def put_in_place_of(connection: Connection, row: Row, parts: Sequence[Message], now: float) -> None:
    """Replace the stored message `row` by `parts`, which together say the same. They are due now and keep its expiry."""
    behind = [number for (number,) in tuples(connection, _BEHIND, (row["receiver"], row["number"]))]
    connection.execute("DELETE FROM messages WHERE id = ?", (row["id"],))
    queue(connection, [replace(part, not_before=now) for part in parts], now)
    connection.executemany("UPDATE messages SET expires_at = ? WHERE id = ?", [(row["expires_at"], part.id) for part in parts])
    _renumber(connection, behind)
    recount_incidents(connection, [notice.incident for part in parts for notice in part.notices], row["receiver"])


def _renumber(connection: Connection, numbers: Sequence[int]) -> None:
    """Give these messages the next free numbers, in order."""
    [(last,)] = tuples(connection, LAST_MESSAGE, ())
    moves = [(last + place, number) for place, number in enumerate(numbers, 1)]
    connection.executemany("UPDATE messages SET number = ? WHERE number = ?", moves)
    connection.execute(MESSAGES_UP_TO, (last + len(moves),))
