"""One write transaction as its users see it: what a cycle, or a new configuration, may do between its begin and its commit."""

from collections.abc import Collection, Container, Iterable

from watchdog.core.history.frames import Frame
from watchdog.core.history.series import Keeping, Slice
from watchdog.core.incidents.messages import Message
from watchdog.core.incidents.plan import Loaded, Plan
from watchdog.store import cycles
from watchdog.store.looks import frames, history, in_force
from watchdog.store.looks.history import Looked
from watchdog.store.looks.row_cache import CachedTarget
from watchdog.store.outbox import removed_receivers as removed
from watchdog.store.refusals import NotApartError
from watchdog.store.sql import Database
from watchdog.store.twins import SharedIncidents

__all__ = ["Transaction"]


class Transaction:
    """One write transaction in which a cycle loads, decides and commits, so that nothing changes in between."""

    def __init__(self, file: Database, shared: SharedIncidents, *, apart: bool = False) -> None:
        """`apart`: whether cycles of other targets are committed at the same time. Then only a plan that changes nothing may be written."""
        self._file, self._shared, self._apart = file, shared, apart

    def load(
        self,
        target: str,
        kept: CachedTarget | None = None,
        fired_within: tuple[float, float] | None = None,
        servers: Collection[str] = (),
        *,
        after: int | None = None,
        configuration: str | None = None,
    ) -> Loaded:
        """The stored state of a target. `kept`: the cache of this caller's previous load; unchanged rows are not decoded again.

        `fired_within`: from when to when earlier firings count for flapping; without it they are not read. `servers`: see
        `Incident.server`. `after`: the number of the cycle that must be the target's last one (see `Store.last_cycle`): `OvertakenError`
        if there was another. `configuration`: the fingerprint of that by which it looked, if another process says which one is in
        force; `OvertakenError` if it is another one.
        """
        with self._file.speaking():
            began = cycles.Began(after, configuration)
            return cycles.load(self._file.connection(), target, kept or CachedTarget(), fired_within, servers, self._shared, began)

    def commit(self, plan: Plan) -> None:
        """Write a plan; it is durable once the transaction ends. `NotApartError`: not beside cycles of other targets."""
        if self._apart and not plan.changes_nothing:
            raise NotApartError(f"target {plan.target}: what its cycle changes is not written beside other targets' cycles")
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

    def put_in_force(self, fingerprint: str) -> None:
        """From now on, others look by the configuration that has this fingerprint, or not at all."""
        with self._file.speaking():
            in_force.put_in_force(self._file.connection(), fingerprint)

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
