"""Delivery: drain the outbox. One thread a receiver, so that a slow one never delays another: wait for a turn, claim, send, settle.

In: messages that cycles committed, with a `wake` after each commit. Out: every message delivered, waiting for its next attempt, or dead,
and a log line for each attempt. Whatever happens in a receiver or in the store is logged, and ends no thread. A receiver has one message
in hand at a time; it waits for its turn with none, so that nothing is held up by a pace.
"""

import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

import structlog

from watchdog.receivers.base import Later, Outcome, Receiver
from watchdog.receivers.pace import Pace
from watchdog.store import Claimed, Settled, Store, StoreError

__all__ = ["Delivery"]

LAST_TRIES = 2
"""So often is an outcome written, once watchdog stops, before it is left to `tidied` or to the next start."""

LONGEST_NAP_S = 30.0
"""After it the clock is read again, which may have been set."""

_OnOutcome = Callable[[Claimed, Outcome, Settled | None], None]
_EVENTS = {"delivered": "message_delivered", "waiting": "message_deferred", "dead": "message_refused"}


class Delivery:
    """Delivers to these receivers, from `start` to `stop`.

    `clock`: epoch seconds; `pace`: shared by all deliveries of the process; `on_outcome` hears of every settled attempt.
    """

    def __init__(
        self,
        store: Store,
        receivers: Iterable[Receiver],
        *,
        clock: Callable[[], float] = time.time,
        pace: Pace | None = None,
        on_outcome: _OnOutcome | None = None,
        log: Any = None,
    ) -> None:
        receivers = tuple(receivers)
        self._store, self._clock, self._pace, self._on_outcome = store, clock, pace or Pace(), on_outcome
        self._log = log or structlog.get_logger("watchdog.delivery")
        self._clerks = {receiver.name: self._clerk(receiver, _slowest(receiver, receivers)) for receiver in receivers}

    def _clerk(self, receiver: Receiver, per_second: float, *, leaving: bool = False) -> "_Clerk":
        turns = _Turns(self._pace, receiver.address, per_second)
        return _Clerk(self._store, receiver, turns, self._clock, self._on_outcome, self._log, leaving=leaving)

    def start(self) -> None:
        """Begin; what waits is sent at once."""
        for clerk in self._clerks.values():
            clerk.thread.start()

    def see_off(self, receivers: Iterable[Receiver]) -> None:
        """Beside the others, deliver to these what waits for them, and be done with them then: they are not configured any more."""
        for receiver in receivers:
            clerk = self._clerks[receiver.name] = self._clerk(receiver, receiver.per_second, leaving=True)
            clerk.thread.start()

    def leaving(self) -> list[Receiver]:
        """Those seen off that are not done with."""
        return [clerk.receiver for clerk in self._clerks.values() if clerk.leaving and not clerk.done]

    def wake(self, at_once: Iterable[str] = ()) -> None:
        """There may be something new to send; to these receivers at once, whatever pause they asked for."""
        for name in at_once:
            if name in self._clerks:
                self._clerks[name].turns.release()
        for clerk in self._clerks.values():
            clerk.woken.set()

    def alive(self) -> bool:
        """Whether every receiver's thread is at work."""
        return all(clerk.thread.is_alive() or clerk.done for clerk in self._clerks.values())

    def drain_once(self, receiver: str) -> int:
        """Send what is due to one receiver, here and now; how many attempts were made."""
        return self._clerks[receiver].drain()

    def stop(self, grace_s: float) -> bool:
        """Finish the deliveries in hand, end, and give back the receivers' sockets.

        False where a delivery takes longer than `grace_s` (seconds): it is settled later, or sent again at the next start.
        """
        for clerk in self._clerks.values():
            clerk.stopping.set()
            clerk.woken.set()
        deadline = time.monotonic() + grace_s
        for clerk in self._clerks.values():
            if clerk.thread.is_alive():
                clerk.thread.join(max(deadline - time.monotonic(), 0.0))
        self._close_ended()
        return not any(clerk.thread.is_alive() for clerk in self._clerks.values())

    def tidied(self) -> bool:
        """After `stop`: settle what threads that have ended could not, so that it holds up no later message; whether nothing is left.

        What a living thread has in hand is its own. StoreError where the database cannot be written yet: try again.
        """
        self._close_ended()
        for clerk in self._ended():
            clerk.settle_in_hand()
        return len(self._ended()) == len(self._clerks)

    def _ended(self) -> "list[_Clerk]":
        return [clerk for clerk in self._clerks.values() if not clerk.thread.is_alive()]

    def _close_ended(self) -> None:
        for clerk in self._ended():
            clerk.receiver.close()


def _slowest(receiver: Receiver, receivers: Iterable[Receiver]) -> float:
    """Messages a second that all receivers with this one's address agree to."""
    return min(other.per_second for other in receivers if other.address == receiver.address)


class _Turns:
    """One receiver's view of the pace of its address."""

    def __init__(self, pace: Pace, address: str, per_second: float) -> None:
        self._pace, self._address, self._per_second = pace, address, per_second

    def next(self) -> float:
        return self._pace.turn(self._address, self._per_second)

    def held(self) -> float:
        return self._pace.held(self._address)

    def hold(self, seconds: float) -> None:
        self._pace.hold(self._address, seconds)

    def release(self) -> None:
        self._pace.release(self._address)


class _Clerk:
    """One receiver's thread and what it is at. One that is leaving is done once nothing waits for it."""

    def __init__(
        self,
        store: Store,
        receiver: Receiver,
        turns: _Turns,
        clock: Callable[[], float],
        on_outcome: _OnOutcome | None,
        log: Any,
        *,
        leaving: bool,
    ) -> None:
        self._store = store
        self.receiver = receiver
        self.turns = turns
        self.leaving, self.done = leaving, False
        self._clock = clock
        self._on_outcome = on_outcome
        self._log = log.bind(receiver=receiver.name)
        self._failures = 0
        self._in_hand: tuple[Claimed, Outcome] | None = None  # sent, and not yet settled
        self.woken = threading.Event()
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self._run, name=f"deliver-{receiver.name}", daemon=True)

    def _run(self) -> None:
        while not self.stopping.is_set() and not self.done:
            try:
                self._send_and_nap()
            except Exception:  # noqa: BLE001 - nothing may end the thread that tells people, not even a log that fails
                self.stopping.wait(1.0)
        if self.done:
            self.receiver.close()

    def _send_and_nap(self) -> None:
        self.woken.clear()
        try:
            self.drain()
            self.done = self.leaving and not self._store.unfinished_messages(self.receiver.name)
            nap_s = 0.0 if self.done else self._until_due()
        except Exception as error:  # noqa: BLE001 - nor the store, nor a receiver
            self._wait_after("outbox_failed", error)
            return
        self._failures = 0
        if not self.stopping.is_set():  # set before the last `clear`, it would be slept through
            self.woken.wait(nap_s)

    def drain(self) -> int:
        """Send what is due, until nothing is or the receiver asks for a pause; how many attempts were made."""
        attempts = 0
        while self._may_send():
            claimed = self._store.claim(self.receiver.name, self._clock(), self.receiver.settings, self.receiver.render)
            if claimed is None:
                break
            attempts += 1
            outcome = self._send(claimed)
            if isinstance(outcome, Later) and outcome.retry_after_s is not None:
                self.turns.hold(outcome.retry_after_s)  # for all that waits for this address
            self._settle(claimed, outcome)
        return attempts

    def _may_send(self) -> bool:
        """Whether something is due and may go: waits for the turn, with nothing in hand."""
        if self.stopping.is_set() or self.turns.held() or not self._store.is_due(self.receiver.name, self._clock(), self.receiver.settings):
            return False
        return not self.stopping.wait(self.turns.next()) and not self.turns.held()

    def _send(self, claimed: Claimed) -> Outcome:
        try:
            return self.receiver.send(claimed.body, claimed.message.id, self._clock())
        except Exception as error:  # noqa: BLE001 - its text may hold a secret, its type does not
            return Later(f"the receiver failed ({type(error).__name__})")

    def _settle(self, claimed: Claimed, outcome: Outcome) -> Settled | None:
        """Write the outcome, as often as it takes; None where watchdog stops before: then `tidied` or the next start sees to it."""
        self._in_hand = claimed, outcome
        tries_left = LAST_TRIES
        while tries_left:
            tries_left -= self.stopping.is_set()
            try:
                return self.settle_in_hand()
            except Exception as error:  # noqa: BLE001
                self._wait_after("outcome_not_written", error)
        return None

    def settle_in_hand(self) -> Settled | None:
        """Write what became of the message in hand, if there is one. By this clerk's thread, or after its end."""
        if self._in_hand is None:
            return None
        claimed, outcome = self._in_hand
        settled = self._store.settle(claimed.message.id, outcome, self._clock())
        self._in_hand, self._failures = None, 0
        self._report(claimed, outcome, settled)
        return settled

    def _report(self, claimed: Claimed, outcome: Outcome, settled: Settled | None) -> None:
        if settled is not None:
            about = {"message": claimed.message.id, "incidents": len(claimed.message.notices), "attempt": claimed.attempt}
            reason = {"reason": settled.reason} if settled.reason else {}
            write = self._log.info if settled.state == "delivered" else self._log.warning
            write(_EVENTS[settled.state], **about, **reason)
            if settled.switched_off:
                self._log.error("receiver_switched_off", **reason)
        if self._on_outcome is not None:
            self._on_outcome(claimed, outcome, settled)

    def _until_due(self) -> float:
        """How long to sleep unless woken (seconds)."""
        now = self._clock()
        due = self._store.next_due(self.receiver.name, now, self.receiver.settings)
        if due is None:
            return LONGEST_NAP_S
        return min(max(due - now, self.turns.held(), 0.0), LONGEST_NAP_S)

    def _wait_after(self, event: str, error: Exception) -> None:
        """Log it and hold off: 1, 2, 4 … up to 30 s, or until watchdog stops."""
        pause_s = min(2.0 ** min(self._failures, 5), LONGEST_NAP_S)
        self._failures += 1
        reason = str(error) if isinstance(error, StoreError) else f"{type(error).__name__}"
        self._log.error(event, reason=reason, again_in_s=pause_s)
        self.stopping.wait(pause_s)
