"""The store's interface: everything the cycle, the delivery, the daemon and the command line may ask of the database file."""

from collections.abc import Callable, Collection, Container, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from watchdog.core.history.frames import Frame
from watchdog.core.history.series import Keeping, Slice
from watchdog.core.incidents.lifecycle import Incident
from watchdog.core.incidents.messages import Message
from watchdog.core.incidents.outcome import Outcome
from watchdog.core.incidents.plan import Loaded, Plan
from watchdog.core.model.last_look import LastLook
from watchdog.core.model.rows import Sample
from watchdog.core.model.self_seen import ReceiverSeen
from watchdog.store import cycles, lease, reading, retention
from watchdog.store.database import DatabaseFile
from watchdog.store.incident_history import IncidentHistory
from watchdog.store.looks import frames, history, table_memory
from watchdog.store.looks.history import Looked
from watchdog.store.looks.row_cache import CachedTarget
from watchdog.store.outbox import dead_letters, settling
from watchdog.store.outbox import queue as outbox
from watchdog.store.outbox import removed_receivers as removed
from watchdog.store.outbox.dead_letters import OutboxShown, Retried
from watchdog.store.outbox.digests import Digests
from watchdog.store.outbox.queue import Claimed
from watchdog.store.outbox.settling import Settled
from watchdog.store.outbox.upcoming import Upcoming
from watchdog.store.reading import IncidentShown, Watched
from watchdog.store.requests.requests import Requests
from watchdog.store.twins import SharedIncidents

__all__ = ["KEEP_S", "Store", "Transaction"]

KEEP_S = 30 * 86400.0
"""How long ended incidents and delivered messages are kept, in seconds."""


class Transaction:
    """One write transaction in which a cycle loads, decides and commits, so that nothing changes in between."""

    def __init__(self, file: DatabaseFile, shared: SharedIncidents) -> None:
        self._file, self._shared = file, shared

    def load(
        self,
        target: str,
        kept: CachedTarget | None = None,
        fired_within: tuple[float, float] | None = None,
        servers: Collection[str] = (),
    ) -> Loaded:
        """The stored state of a target. `kept`: the cache of this caller's previous load; unchanged rows are not decoded again.

        `fired_within`: from when to when earlier firings count for flapping; without it they are not read. `servers`: see
        `Incident.server`.
        """
        with self._file.speaking():
            return cycles.load(self._file.connection(), target, kept or CachedTarget(), fired_within, servers, self._shared)

    def commit(self, plan: Plan) -> None:
        """Write a plan; it is durable once the transaction ends."""
        with self._file.speaking():
            cycles.commit(self._file.connection(), plan)

    def record(self, looked: Looked, keeping: Keeping) -> None:
        """Add one look to the history of its target."""
        with self._file.speaking():
            history.write(self._file.connection(), looked, keeping)

    def record_frame(self, target: str, frame: Frame, keep_s: float, before_at: float | None) -> None:
        """Add the rows of one look, for replays."""
        with self._file.speaking():
            frames.write(self._file.connection(), target, frame, keep_s, before_at)

    def minutes(self, target: str, now: float, tables: Container[str]) -> tuple[Slice, ...]:
        """One look of each of the last 30 minutes, oldest first."""
        with self._file.speaking():
            return history.minutes(self._file.connection(), target, now, tables)

    # --- from one configuration to the next ---------------------------------------------------------------------------

    def queue(self, messages: Iterable[Message], withdrawn: Iterable[str], now: float) -> None:
        """Insert messages outside a cycle, replacing the withdrawn ones."""
        with self._file.speaking():
            cycles.withdraw(self._file.connection(), withdrawn)
            cycles.queue(self._file.connection(), messages, now)

    def unfinished_targets(self) -> frozenset[str]:
        """Targets with an open incident, or with a notification still to be sent."""
        with self._file.speaking():
            return cycles.unfinished_targets(self._file.connection())

    def unfinished_receivers(self) -> frozenset[str]:
        """Receivers, configured or not, that have unfinished messages, believe an incident is firing, or are switched off."""
        with self._file.speaking():
            return removed.unfinished_receivers(self._file.connection())

    def unfinished_messages(self, receiver: str) -> int:
        """How many of the receiver's messages wait or are being sent."""
        with self._file.speaking():
            return removed.unfinished(self._file.connection(), receiver)

    def rename_receiver(self, old: str, new: str) -> bool:
        """Move `old`'s notification log and messages to `new`. Returns whether there was anything to move."""
        with self._file.speaking():
            return removed.rename(self._file.connection(), old, new)

    def leave_by(self, receiver: str, at: float) -> None:
        """Let the receiver's messages expire at `at` at the latest."""
        with self._file.speaking():
            removed.leave_by(self._file.connection(), receiver, at)

    def stay(self, receiver: str) -> None:
        """Restore the normal expiry of the receiver's messages."""
        with self._file.speaking():
            removed.stay(self._file.connection(), receiver)

    def give_up(self, receiver: str, reason: str) -> int:
        """Make the receiver's waiting messages dead. Returns how many."""
        with self._file.speaking():
            return removed.give_up(self._file.connection(), receiver, reason)


class Store(Requests, IncidentHistory, Digests, Upcoming):
    """One database file, usable from any thread. Every method raises `StoreError` if it fails, with nothing written. Times are epoch
    seconds.
    """

    def __init__(self, path: str | Path, *, read_only: bool = False, busy_timeout_s: float = 5.0) -> None:
        self._file = DatabaseFile(path, read_only=read_only, busy_timeout_s=busy_timeout_s)
        self._shared = SharedIncidents()

    @classmethod
    def open(
        cls, path: str | Path, *, create: bool = True, write: bool = False, busy_timeout_s: float = 5.0, command: str = "watchdog run"
    ) -> Self:
        """Open the file, or refuse it with a reason.

        `create`: for writing; a missing file is created, an older one copied and migrated. Only `write`: the same, but a missing file is
        refused. Otherwise read-only, with or without a running daemon: nothing is created or changed. `command` is what the user typed, for
        the hint on how to run it with sufficient permissions.
        """
        store = cls(path, read_only=not (create or write), busy_timeout_s=busy_timeout_s)
        store._file.open(command, create=create)
        return store

    @property
    def path(self) -> Path:
        """The path of the file."""
        return self._file.path

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; a thread that is still using it finishes its statement first."""
        self._file.close()

    def lease(self) -> AbstractContextManager[None]:
        """Be the only daemon on this file; `StoreError` at once if there is another."""
        return lease.lease(self.path)

    def sign_of_life(self) -> None:
        """Record that the daemon is alive, by setting the modification time of `<database>.lock`. Never raises."""
        lease.sign_of_life(self.path)

    # --- the cycle ----------------------------------------------------------------------------------------------------

    @contextmanager
    def cycle(self) -> Iterator[Transaction]:
        """A `BEGIN IMMEDIATE` … `COMMIT` transaction; an exception rolls all of it back."""
        try:
            with self._file.writing():
                yield Transaction(self._file, self._shared)
        except BaseException:
            self._shared.outdated = True
            raise

    def load_memories(self, target: str, types: Mapping[str, type]) -> Mapping[str, object]:
        """Table -> its memory of a target; `types`: table -> its memory's type. Used when the daemon starts."""
        with self._file.speaking():
            return table_memory.load_memories(self._file.connection(), target, types)

    def load_samples(self, target: str, since: float) -> Mapping[str, tuple[Sample, ...]]:
        """Table -> its samples since `since`, oldest first. Used when the daemon starts."""
        with self._file.speaking():
            return table_memory.load_samples(self._file.connection(), target, since)

    # --- the delivery -------------------------------------------------------------------------------------------------

    def claim(self, receiver: str, now: float, settings: str, render: Callable[[Message], bytes]) -> Claimed | None:
        """Take the receiver's oldest due message and freeze its body; None if none is due. The caller must settle it."""
        with self._file.writing() as connection, self._file.speaking():
            return outbox.claim(connection, receiver, now, settings, render)

    def settle(self, message_id: str, outcome: Outcome, now: float, *, human: bool = False) -> Settled | None:
        """Record the outcome of a claimed message; None if it is not being sent. `human`: whether people read what the receiver gets."""
        with self._file.writing() as connection, self._file.speaking():
            return settling.settle(connection, message_id, outcome, now, human=human)

    def unfinished_messages(self, receiver: str) -> int:
        """How many of the receiver's messages wait or are being sent."""
        with self._file.speaking():
            return removed.unfinished(self._file.connection(), receiver)

    def recover(self) -> int:
        """At startup, while holding the lease: messages a dead daemon was sending wait again. Returns how many."""
        with self._file.writing() as connection, self._file.speaking():
            return outbox.recover(connection)

    # --- people and watchdog itself -----------------------------------------------------------------------------------

    def outbox_shown(self) -> OutboxShown:
        """Every message that is waiting, being sent or dead, oldest first; and the receivers that are switched off."""
        return dead_letters.outbox_shown(self._file)

    def retry(self, ids: Iterable[str], now: float) -> list[Retried]:
        """Retry these messages, and switch their receivers on. Returns the results for those that were found."""
        with self._file.writing() as connection, self._file.speaking():
            return dead_letters.retry(connection, ids, now)

    def switch_on(self, receiver: str) -> bool:
        """Have the receiver retried now. Returns whether it was switched off."""
        with self._file.writing() as connection, self._file.speaking():
            return dead_letters.switch_on(connection, receiver)

    def drop(self, ids: Iterable[str], now: float) -> list[str]:
        """Give these messages up for good. Returns the ids that were found."""
        with self._file.writing() as connection, self._file.speaking():
            return dead_letters.drop(connection, ids, now)

    def retried(self) -> Mapping[str, int]:
        """Receiver -> a number that grows with every retry by an operator."""
        with self._file.speaking():
            return dead_letters.retried(self._file.connection())

    def incidents(self, ended_since: float | None = None) -> tuple[Incident, ...]:
        """Open incidents, and those that fired and ended since `ended_since`, oldest first."""
        return reading.incidents(self._file, ended_since)

    def show(self, named: str) -> IncidentShown:
        """One incident by id, unique prefix of an id, or fingerprint; `NotFoundError` if none or several match."""
        return reading.show(self._file, named)

    def loaded(self, target: str, servers: Collection[str] = ()) -> Loaded:
        """What a cycle of this target would load, without a transaction: to explain what is decided on."""
        with self._file.speaking():
            return cycles.load(self._file.connection(), target, CachedTarget(), None, servers)

    def notified(self) -> Mapping[str, tuple[str, ...]]:
        """Id of each open incident that somebody may have heard of -> the receivers, by name."""
        return reading.notified(self._file)

    def watched(self) -> Watched:
        """Whether a watchdog is running on this database, and when each target was last polled."""
        return reading.watched(self._file)

    def history(
        self, target: str, since: float, now: float, tables: Container[str] | None = None, *, finest: bool = False
    ) -> tuple[Slice, ...]:
        """A target's history since `since`, oldest first: five-minute buckets, then single looks. `finest`: single looks alone."""
        with self._file.speaking():
            return history.slices(self._file.connection(), target, since, now, tables, finest=finest)

    def frames(self, target: str, since: float, until: float) -> Iterator[Frame]:
        """The rows of every look of a target from `since` to `until` as far as they are kept, oldest first; read bit by bit."""
        return frames.read(self._file, target, since, until)

    def last_looks(self) -> Mapping[str, LastLook]:
        """Target -> what its last cycle saw."""
        with self._file.speaking():
            return history.last_looks(self._file.connection())

    def receivers_seen(self) -> tuple[ReceiverSeen, ...]:
        """The outbox of every known receiver, configured or not."""
        return reading.receivers_seen(self._file)

    def database_bytes(self) -> int:
        """The size of the file and its write-ahead log."""
        return self._file.bytes_used()

    def retention(self, now: float, keep_s: float = KEEP_S) -> int:
        """Delete what ended longer ago than `keep_s`; to be called at most once an hour. Returns the number of incidents deleted."""
        with self._file.writing() as connection, self._file.speaking():
            return retention.forget(connection, now - keep_s)
