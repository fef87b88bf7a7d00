"""Digests in the file: when each receiver had its last one, and the message that brings it, written together so that none comes twice.

From there on a digest is a message like any other: tried again, given up, listed. It is about no incident: nothing waits for it, no cycle
merges or withdraws it, and the notification log does not know it.
"""

import json
from collections.abc import Collection, Mapping

from watchdog.core.incidents.messages import Message
from watchdog.core.report.schedule import Digested
from watchdog.store.cycles import queue
from watchdog.store.sql import Database

__all__ = ["Digests"]

_PASSED = """
    INSERT INTO digests VALUES (:receiver, :schedule, :due_at)
    ON CONFLICT (receiver) DO UPDATE SET schedule = excluded.schedule, due_at = excluded.due_at"""


class Digests:
    """The part of the store that remembers digests."""

    _file: Database

    def digested(self) -> Mapping[str, Digested]:
        """Receiver -> its last digest, sent or skipped."""
        with self._file.speaking():
            rows = self._file.connection().execute("SELECT * FROM digests").fetchall()
            return {row["receiver"]: Digested(row["schedule"], row["due_at"]) for row in rows}

    def digest_passed(self, receiver: str, digested: Digested, message: Message | None, now: float) -> None:
        """Remember that this moment of a receiver has passed, and queue its digest, if it gets one, in one transaction."""
        with self._file.writing() as connection, self._file.speaking():
            connection.execute(_PASSED, {"receiver": receiver, "schedule": digested.schedule, "due_at": digested.due_at})
            if message is not None:
                queue(connection, [message], now)

    def forget_digests(self, but: Collection[str]) -> None:
        """Forget all receivers but these: one that is configured again later begins anew."""
        with self._file.writing() as connection, self._file.speaking():
            connection.execute("DELETE FROM digests WHERE receiver NOT IN (SELECT value FROM json_each(?))", (json.dumps(list(but)),))
