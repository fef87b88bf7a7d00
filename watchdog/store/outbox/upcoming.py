"""What waits in the outbox of a receiver, read without the lock: whether something is due, when, and which message is next."""

from watchdog.core.incidents.messages import Message
from watchdog.store.outbox import queue
from watchdog.store.sql import Database

__all__ = ["Upcoming"]


class Upcoming:
    """The part of the store that looks at what is due."""

    _file: Database
    _unsent: set[str]

    def is_due(self, receiver: str, now: float, settings: str) -> bool:
        """Whether `claim` has something to do for the receiver now. Writes nothing, and does not scan all waiting messages."""
        with self._file.speaking():
            if self._unsent and queue.belonging(self._file.connection(), receiver, tuple(self._unsent)):
                return True
            return queue.is_due(self._file.connection(), receiver, now, settings)

    def upcoming(self, receiver: str, now: float) -> Message | None:
        """The message that `claim` would take now, to prepare what its body needs; None if none is due."""
        with self._file.speaking():
            return queue.upcoming(self._file.connection(), receiver, now)

    def next_due(self, receiver: str, now: float, settings: str | None = None) -> float | None:
        """When `claim` next has something to do for the receiver with these settings; None if nothing waits."""
        with self._file.speaking():
            return queue.next_due(self._file.connection(), receiver, now, settings)
