"""The store's interface: everything the cycle, the delivery, the daemon and the command line may ask of the database file."""

from collections.abc import Callable, Collection, Container, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from types import TracebackType
from typing import Self

from watchdog.core.history.frames import Frame
from watchdog.core.history.series import Slice
from watchdog.core.incidents.lifecycle import Incident
from watchdog.core.incidents.messages import Message
from watchdog.core.incidents.outcome import Outcome
from watchdog.core.incidents.plan import Loaded
from watchdog.core.model.last_look import LastLook
from watchdog.core.model.rows import Sample
from watchdog.core.model.self_seen import ReceiverSeen
from watchdog.core.model.servers.database_url import DatabaseUrl
from watchdog.store import cycles, retention
from watchdog.store.looks import frames, history, table_memory
from watchdog.store.looks.progress import Progressing
from watchdog.store.looks.row_cache import CachedTarget
from watchdog.store.outbox import dead_letters, settling
from watchdog.store.outbox import queue as outbox
from watchdog.store.outbox import removed_receivers as removed
from watchdog.store.outbox.dead_letters import OutboxShown, Retried
from watchdog.store.outbox.digests import Digests
from watchdog.store.outbox.queue import Claimed
from watchdog.store.outbox.settling import Settled
from watchdog.store.outbox.upcoming import Upcoming
from watchdog.store.reads import shown
from watchdog.store.reads.incident_history import IncidentHistory
from watchdog.store.reads.receivers_seen import receivers_seen
from watchdog.store.reads.shown import IncidentShown, Watched
from watchdog.store.refusals import NotApartError, OvertakenError, StoreError, UnsureError
from watchdog.store.requests.requests import Requests
from watchdog.store.sql import Daemons, Database, DatabasePlace, Wait
from watchdog.store.sqlite.database import DatabaseFile
from watchdog.store.transaction import Transaction
from watchdog.store.twins import SharedIncidents

__all__ = ["KEEP_S", "Store"]

KEEP_S = 30 * 86400.0
"""How long ended incidents and delivered messages are kept, in seconds."""


class Store(Requests, IncidentHistory, Digests, Upcoming, Progressing):
    """One database file, usable from any thread. Every method raises `StoreError` if it fails, with nothing written. Times are epoch
    seconds.
    """

    def __init__(self, place: str | DatabasePlace, *, read_only: bool = False, busy_timeout_s: float = 5.0) -> None:
        self._file = _database_at(place, read_only=read_only, busy_timeout_s=busy_timeout_s)
        self._shared = SharedIncidents()
        self._unsent: set[str] = set()  # messages that a claim took, or may have taken, and that were not sent

    @classmethod
    def open(
        cls,
        place: str | DatabasePlace,
        *,
        create: bool = True,
        write: bool = False,
        busy_timeout_s: float = 5.0,
        command: str = "watchdog run",
    ) -> Self:
        """Open the file, or refuse it with a reason.

        `create`: for writing; a missing file is created, an older one copied and migrated. Only `write`: the same, but a missing file is
        refused. Otherwise read-only, with or without a running daemon: nothing is created or changed. `command` is what the user typed, for
        the hint on how to run it with sufficient permissions.
        """
        store = cls(place, read_only=not (create or write), busy_timeout_s=busy_timeout_s)
        store._file.open(command, create=create)
        return store

    @classmethod
    def beside_daemon(cls, place: DatabasePlace, *, busy_timeout_s: float = 5.0) -> Self:
        """Open PostgreSQL without a lease, for cycles beside the daemon that has it.

        Nothing is created or migrated: `StoreError` if no daemon has made the tables yet, if they are of another version, or for a file.
        """
        store = cls(place, busy_timeout_s=busy_timeout_s)
        store._file.join()
        return store

    @property
    def path(self) -> DatabasePlace:
        """Where it is: the path of the file, or the URL of the database, which shows no password."""
        return self._file.place

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; a thread that is still using it finishes its statement first."""
        self._file.close()

    def lease(self, wait: Wait | None = None) -> AbstractContextManager[None]:
        """Be the only daemon on this database; `StoreError` if there is another, or once `wait` has enough of standing by."""
        return self._file.lease(wait)

    def daemons(self) -> Daemons | None:
        """Which daemons work on a database that several share, and which stand by; None for a file."""
        return self._file.daemons()

    def check_current(self) -> None:
        """`StoreError` if it is of another version than this watchdog, which waits for an older one to end."""
        self._file.check_current()

    def sign_of_life(self) -> None:
        """Record that the daemon is alive, by setting the modification time of `<database>.lock`. Never raises."""
        self._file.sign_of_life()

    # --- the cycle ----------------------------------------------------------------------------------------------------

    @contextmanager
    def cycle(self, apart: str = "") -> Iterator[Transaction]:
        """A `BEGIN IMMEDIATE` … `COMMIT` transaction; an exception rolls all of it back.

        `apart`: the target that it is about. PostgreSQL then commits those of other targets beside it, and it may change no incident: what
        cycles of other targets read is as it was, as long as it goes on.
        """
        try:
            with self._file.writing(apart):
                yield Transaction(self._file, self._shared, apart=bool(apart))
        except (NotApartError, OvertakenError):  # before anything was written
            raise
        except BaseException:
            self._shared.outdated = True
            raise

    def last_cycle(self, target: str) -> int:
        """The number of a target's last committed cycle; 0 if it had none. A cycle counts one up as it is committed."""
        with self._file.speaking():
            return cycles.last_number(self._file.connection(), target)

    def load_memories(self, target: str, types: Mapping[str, type]) -> Mapping[str, object]:
        """Table -> its memory of a target; `types`: table -> its memory's type."""
        with self._file.speaking():
            return table_memory.load_memories(self._file.connection(), target, types)

    def load_samples(self, target: str, since: float) -> Mapping[str, tuple[Sample, ...]]:
        """Table -> its samples since `since`, oldest first."""
        with self._file.speaking():
            return table_memory.load_samples(self._file.connection(), target, since)

    # --- the delivery -------------------------------------------------------------------------------------------------

    def claim(self, receiver: str, now: float, settings: str, render: Callable[[Message], bytes]) -> Claimed | None:
        """Take the receiver's oldest due message and freeze its body; None if none is due. The caller must settle it."""
        claimed = None
        try:
            with self._file.writing() as connection, self._file.speaking():
                unsent = outbox.belonging(connection, receiver, tuple(self._unsent))
                outbox.take_back(connection, unsent)
                claimed = outbox.claim(connection, receiver, now, settings, render)
        except UnsureError:
            self._unsent.update({claimed.message.id} if claimed else ())
            raise
        self._unsent.difference_update(unsent)
        return claimed

    def confirm(self, claimed: Claimed) -> None:
        """Just before a claimed message is sent: `StoreError` unless this is still the daemon that works. Then the message waits again,
        and the attempt, which was none, does not count.
        """
        try:
            self._file.confirm_lease()
        except StoreError:
            self._unsent.add(claimed.message.id)
            raise

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
        return shown.incidents(self._file, ended_since)

    def show(self, named: str) -> IncidentShown:
        """One incident by id, unique prefix of an id, or fingerprint; `NotFoundError` if none or several match."""
        return shown.show(self._file, named)

    def loaded(self, target: str, servers: Collection[str] = ()) -> Loaded:
        """What a cycle of this target would load, without a transaction: to explain what is decided on."""
        with self._file.speaking():
            return cycles.load(self._file.connection(), target, CachedTarget(), None, servers)

    def notified(self) -> Mapping[str, tuple[str, ...]]:
        """Id of each open incident that somebody may have heard of -> the receivers, by name."""
        return shown.notified(self._file)

    def watched(self) -> Watched:
        """Whether a watchdog is running on this database, and when each target was last polled."""
        return shown.watched(self._file)

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
        return receivers_seen(self._file)

    def database_bytes(self) -> int:
        """The size of the file and its write-ahead log."""
        return self._file.bytes_used()

    def retention(self, now: float, keep_s: float = KEEP_S) -> int:
        """Delete what ended longer ago than `keep_s`; to be called at most once an hour. Returns the number of incidents deleted."""
        with self._file.writing() as connection, self._file.speaking():
            return retention.forget(connection, now - keep_s)


def _database_at(place: str | DatabasePlace, *, read_only: bool, busy_timeout_s: float) -> Database:
    if not isinstance(place, DatabaseUrl):
        return DatabaseFile(place, read_only=read_only, busy_timeout_s=busy_timeout_s)
    from watchdog.store.postgresql.database import PostgresDatabase  # noqa: PLC0415 - its library is optional, and slow to import

    return PostgresDatabase(place, read_only=read_only, busy_timeout_s=busy_timeout_s)
