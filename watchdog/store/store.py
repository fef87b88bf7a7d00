"""The store's front: everything the cycle, the delivery, the daemon and the command line may ask of the database file."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from watchdog.core.incidents.lifecycle import Incident
from watchdog.core.incidents.messages import Message
from watchdog.core.incidents.outcome import Outcome
from watchdog.core.incidents.plan import Loaded, Plan
from watchdog.core.model.rows import Sample
from watchdog.core.model.self_seen import ReceiverSeen
from watchdog.store import cycles, lease, reading, retention, table_memory
from watchdog.store.database import DatabaseFile
from watchdog.store.outbox import dead_letters, settling
from watchdog.store.outbox import queue as outbox
from watchdog.store.outbox import removed_receivers as removed
from watchdog.store.outbox.dead_letters import OutboxShown, Retried
from watchdog.store.outbox.queue import Claimed
from watchdog.store.outbox.settling import Settled
from watchdog.store.reading import IncidentShown, Watched
from watchdog.store.row_cache import CachedTarget

__all__ = ["KEEP_S", "Store", "Transaction"]

KEEP_S = 30 * 86400.0
"""How long ended incidents and delivered messages are kept."""


class Transaction:
    """One writing transaction in which a cycle loads, decides and commits, so that nothing changes in between."""

    def __init__(self, file: DatabaseFile) -> None:
        self._file = file

    def load(self, target: str, kept: CachedTarget | None = None) -> Loaded:
        """What is known of a target. `kept`: what this caller's last load of it made; what did not change since is not made again."""
        with self._file.speaking():
            return cycles.load(self._file.connection(), target, kept or CachedTarget())

    def commit(self, plan: Plan) -> None:
        """Write a plan; it holds once the transaction ends."""
        with self._file.speaking():
            cycles.commit(self._file.connection(), plan)

    # --- from one configuration to the next ---------------------------------------------------------------------------

    def queue(self, messages: Iterable[Message], withdrawn: Iterable[str], now: float) -> None:
        """New messages beside a cycle, in place of those withdrawn."""
        with self._file.speaking():
            cycles.withdraw(self._file.connection(), withdrawn)
            cycles.queue(self._file.connection(), messages, now)

    def unfinished_targets(self) -> frozenset[str]:
        """Targets of which something burns, or is still to be told."""
        with self._file.speaking():
            return cycles.unfinished_targets(self._file.connection())

    def unfinished_receivers(self) -> frozenset[str]:
        """Receivers, configured or not, that something waits for or that believe something to burn."""
        with self._file.speaking():
            return removed.unfinished_receivers(self._file.connection())

    def unfinished_messages(self, receiver: str) -> int:
        """How many wait for it or are in hand."""
        with self._file.speaking():
            return removed.unfinished(self._file.connection(), receiver)

    def rename_receiver(self, old: str, new: str) -> bool:
        """What `old` was told, and what waits for it, is `new`'s; whether there was anything."""
        with self._file.speaking():
            return removed.rename(self._file.connection(), old, new)

    def leave_by(self, receiver: str, at: float) -> None:
        """What waits for it is tried until then at most."""
        with self._file.speaking():
            removed.leave_by(self._file.connection(), receiver, at)

    def stay(self, receiver: str) -> None:
        """What waits for it is tried as long as anything."""
        with self._file.speaking():
            removed.stay(self._file.connection(), receiver)

    def give_up(self, receiver: str, reason: str) -> int:
        """What waits for it is dead; how many messages."""
        with self._file.speaking():
            return removed.give_up(self._file.connection(), receiver, reason)


class Store:
    """One database file. Any thread may use it; every method raises `StoreError`, and then has written nothing. Times are epoch seconds."""

    def __init__(self, path: str | Path, *, read_only: bool = False, busy_timeout_s: float = 5.0) -> None:
        self._file = DatabaseFile(path, read_only=read_only, busy_timeout_s=busy_timeout_s)

    @classmethod
    def open(
        cls, path: str | Path, *, create: bool = True, write: bool = False, busy_timeout_s: float = 5.0, command: str = "watchdog run"
    ) -> Self:
        """Open the file, or refuse it with a reason.

        `create`: to write; a missing file is made, an older one copied and brought up to date. `write` alone: the same, but a missing one
        is refused. Otherwise to read, beside a daemon or without one: nothing is made or changed. `command` is what the user typed, for
        the line that says how to type it with the right to.
        """
        store = cls(path, read_only=not (create or write), busy_timeout_s=busy_timeout_s)
        store._file.open(command, create=create)
        return store

    @property
    def path(self) -> Path:
        """The file."""
        return self._file.path

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections of all threads."""
        self._file.close()

    def lease(self) -> AbstractContextManager[None]:
        """Be the only daemon on this file; `StoreError` at once where there is another."""
        return lease.lease(self.path)

    def sign_of_life(self) -> None:
        """The daemon that holds the lease is at work: the time of `<database>.lock` says so. Never an error."""
        lease.sign_of_life(self.path)

    # --- the cycle ----------------------------------------------------------------------------------------------------

    @contextmanager
    def cycle(self) -> Iterator[Transaction]:
        """BEGIN IMMEDIATE … COMMIT; an exception inside rolls all of it back."""
        with self._file.writing():
            yield Transaction(self._file)

    def load_memories(self, target: str, types: Mapping[str, type]) -> Mapping[str, object]:
        """Table -> what it remembers of a target; `types`: table -> its memory's type. For the daemon's start."""
        with self._file.speaking():
            return table_memory.load_memories(self._file.connection(), target, types)

    def load_samples(self, target: str, since: float) -> Mapping[str, tuple[Sample, ...]]:
        """Table -> its samples since then, oldest first. For the daemon's start."""
        with self._file.speaking():
            return table_memory.load_samples(self._file.connection(), target, since)

    # --- the delivery -------------------------------------------------------------------------------------------------

    def claim(self, receiver: str, now: float, settings: str, render: Callable[[Message], bytes]) -> Claimed | None:
        """Take the receiver's oldest due message into hand and freeze it; None where none is due. It must be settled."""
        with self._file.writing() as connection, self._file.speaking():
            return outbox.claim(connection, receiver, now, settings, render)

    def settle(self, message_id: str, outcome: Outcome, now: float, *, human: bool = False) -> Settled | None:
        """Write what became of a claimed message; None where it is not in hand. `human`: whether people read what its receiver gets."""
        with self._file.writing() as connection, self._file.speaking():
            return settling.settle(connection, message_id, outcome, now, human=human)

    def is_due(self, receiver: str, now: float, settings: str) -> bool:
        """Whether `claim` has something to do for the receiver now. Writes nothing, and does not look at all that waits."""
        with self._file.speaking():
            return outbox.is_due(self._file.connection(), receiver, now, settings)

    def next_due(self, receiver: str, now: float, settings: str | None = None) -> float | None:
        """When `claim` next has something to do for the receiver, as it is with these settings; None where nothing waits."""
        with self._file.speaking():
            return outbox.next_due(self._file.connection(), receiver, now, settings)

    def unfinished_messages(self, receiver: str) -> int:
        """How many wait for the receiver or are in hand."""
        with self._file.speaking():
            return removed.unfinished(self._file.connection(), receiver)

    def recover(self) -> int:
        """At the daemon's start, under the lease: what a dead daemon had in hand waits again. Returns how many."""
        with self._file.writing() as connection, self._file.speaking():
            return outbox.recover(connection)

    # --- people and watchdog itself -----------------------------------------------------------------------------------

    def outbox_shown(self) -> OutboxShown:
        """Every message that waits, is in hand or is dead, oldest first; and who is switched off."""
        return dead_letters.outbox_shown(self._file)

    def retry(self, ids: Iterable[str], now: float) -> list[Retried]:
        """Try these again, and switch their receivers on; what it comes to, for those that were there."""
        with self._file.writing() as connection, self._file.speaking():
            return dead_letters.retry(connection, ids, now)

    def switch_on(self, receiver: str) -> bool:
        """Try the receiver again now; whether it was switched off."""
        with self._file.writing() as connection, self._file.speaking():
            return dead_letters.switch_on(connection, receiver)

    def drop(self, ids: Iterable[str], now: float) -> list[str]:
        """Give these up for good; the ids of those that were there."""
        with self._file.writing() as connection, self._file.speaking():
            return dead_letters.drop(connection, ids, now)

    def retried(self) -> Mapping[str, int]:
        """Receiver -> a number that grows with every retry by an operator."""
        with self._file.speaking():
            return dead_letters.retried(self._file.connection())

    def incidents(self, ended_since: float | None = None) -> tuple[Incident, ...]:
        """Open incidents, and those that fired and ended since then, oldest first."""
        return reading.incidents(self._file, ended_since)

    def show(self, named: str) -> IncidentShown:
        """One incident by id, unique beginning of an id, or fingerprint; `NotFoundError` where none or several fit."""
        return reading.show(self._file, named)

    def watched(self) -> Watched:
        """Whether a watchdog is at work on this database, and when each target was last looked at."""
        return reading.watched(self._file)

    def receivers_seen(self) -> tuple[ReceiverSeen, ...]:
        """The outbox of every receiver that it knows of, configured or not."""
        return reading.receivers_seen(self._file)

    def database_bytes(self) -> int:
        """The size of the file and its journal."""
        return self._file.bytes_used()

    def retention(self, now: float, keep_s: float = KEEP_S) -> int:
        """Remove what ended longer ago than `keep_s`; for at most once an hour. Returns how many incidents went."""
        with self._file.writing() as connection, self._file.speaking():
            return retention.forget(connection, now - keep_s)
