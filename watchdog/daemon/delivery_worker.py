"""The delivery worker: a thread that delivers to one receiver: wait for a turn, claim, send, settle; then sleep until a message is due.

In: the outbox, one receiver, the pace of its address. Out: every attempt settled and logged. No error of a receiver or the store ends the
thread; a message that was sent but could not be settled stays claimed until it can.
"""

import threading
from collections.abc import Callable
from typing import Any

from watchdog.core.incidents.outcome import Delivered, Later, Outcome
from watchdog.daemon.figures.rendering import Rendering
from watchdog.receivers.base import Receiver
from watchdog.receivers.pace import Pace
from watchdog.store import Claimed, Settled, Store, StoreError

__all__ = ["DeliveryWorker", "OnOutcome", "Turns"]

LAST_TRIES = 2
"""How often settling is tried while watchdog stops, before it is left to `Delivery.tidied` or to the next start."""

LONGEST_NAP_S = 30.0
"""The longest sleep, in seconds; then the clock, which may have been set, is read again."""

OnOutcome = Callable[[Claimed, Outcome, Settled | None], None]
_EVENTS = {"delivered": "message_delivered", "waiting": "message_deferred", "dead": "message_refused", "split": "message_split"}


class Turns:
    """One receiver's view of the pace of its address."""

    def __init__(self, pace: Pace, address: str, per_second: float) -> None:
        self._pace, self._address, self._per_second = pace, address, per_second

    def next(self) -> float:
        """Take a turn. Returns how far away it is (seconds)."""
        return self._pace.turn(self._address, self._per_second)

    def held(self) -> float:
        """How much longer the address must be left alone (seconds)."""
        return self._pace.held(self._address)

    def hold(self, seconds: float) -> None:
        """The address asked to be left alone."""
        self._pace.hold(self._address, seconds)

    def release(self) -> None:
        """An operator wants it tried anyway."""
        self._pace.release(self._address)


class DeliveryWorker:
    """The thread of one receiver. That of a removed receiver is done once no message waits for it."""

    def __init__(
        self,
        store: Store,
        receiver: Receiver,
        turns: Turns,
        clock: Callable[[], float],
        on_outcome: OnOutcome | None,
        log: Any,
        *,
        removed: bool,
    ) -> None:
        self._store = store
        self.receiver = receiver
        self.turns = turns
        self.removed, self.done = removed, False
        self._clock = clock
        self._on_outcome = on_outcome
        self._log = log.bind(receiver=receiver.name)
        self.charted: Rendering | None = None
        """How its messages are rendered, if charts go along with them."""
        self._failures = 0
        self._in_hand: tuple[Claimed, Outcome] | None = None  # sent, but not settled yet
        self.woken = threading.Event()
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self._run, name=f"deliver-{receiver.name}", daemon=True)

    def _run(self) -> None:
        while not self.stopping.is_set() and not self.done:
            try:
                self._send_and_nap()
            except Exception:  # noqa: BLE001 - nothing may end the thread that notifies people, not even a failing log
                self.stopping.wait(1.0)
        if self.done:
            self.receiver.close()

    def _send_and_nap(self) -> None:
        self.woken.clear()
        try:
            self.drain()
            self.done = self.removed and not self._store.unfinished_messages(self.receiver.name)
            nap_s = 0.0 if self.done else self._until_due()
        except Exception as error:  # noqa: BLE001 - neither the store nor a receiver
            self._wait_after("outbox_failed", error)
            return
        self._failures = 0
        if not self.stopping.is_set():  # if set before the `clear` above, the wait would sleep through it
            self.woken.wait(nap_s)

    def drain(self) -> int:
        """Send what is due, until nothing is or the receiver asks for a pause. Returns the number of attempts."""
        attempts = 0
        while self._may_send():
            render = self.receiver.render if self.charted is None else self.charted.upcoming(self._clock())
            claimed = self._store.claim(self.receiver.name, self._clock(), self.receiver.settings, render)
            if claimed is None:
                break
            self._store.confirm(claimed)  # the answer to the claim may have come after another daemon took over
            attempts += 1
            outcome = self._send(claimed)
            if isinstance(outcome, Later) and outcome.retry_after_s is not None:
                self.turns.hold(outcome.retry_after_s)  # for all receivers of this address
            self._settle(claimed, outcome)
        return attempts

    def _may_send(self) -> bool:
        """Whether a message is due and may be sent. Waits for the turn, without having claimed a message."""
        if self.stopping.is_set() or self.turns.held() or not self._store.is_due(self.receiver.name, self._clock(), self.receiver.settings):
            return False
        return not self.stopping.wait(self.turns.next()) and not self.turns.held()

    def _send(self, claimed: Claimed) -> Outcome:
        try:
            return self.receiver.send(claimed.body, claimed.message.id, self._clock())
        except Exception as error:  # noqa: BLE001 - its text may contain a secret, its type does not
            return Later(f"the receiver failed ({type(error).__name__})")

    def _settle(self, claimed: Claimed, outcome: Outcome) -> Settled | None:
        """Write the outcome, retrying as long as necessary. None if watchdog stops first: `tidied` or the next start settles it."""
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
        """Settle the unsettled attempt, if there is one. Called by this worker's thread, or after its end."""
        if self._in_hand is None:
            return None
        claimed, outcome = self._in_hand
        settled = self._store.settle(claimed.message.id, outcome, self._clock(), human=self.receiver.human)
        self._in_hand, self._failures = None, 0
        self._report(claimed, outcome, settled)
        return settled

    def _report(self, claimed: Claimed, outcome: Outcome, settled: Settled | None) -> None:
        if settled is not None:
            told: dict[str, object] = {"incidents": len(claimed.message.notices)} if claimed.message.digest is None else {"digest": True}
            about = {"message": claimed.message.id, **told, "attempt": claimed.attempt}
            reason = {"reason": settled.reason} if settled.reason else {}
            write = self._log.info if settled.state == "delivered" else self._log.warning
            write(_EVENTS[settled.state], **about, **reason)
            if isinstance(outcome, Delivered) and outcome.problem:
                self._log.warning("message_delivered_in_part", message=claimed.message.id, reason=outcome.problem)
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
        """Log the error and pause: 1, 2, 4 … up to 30 s, or until watchdog stops."""
        pause_s = min(2.0 ** min(self._failures, 5), LONGEST_NAP_S)
        self._failures += 1
        reason = str(error) if isinstance(error, StoreError) else f"{type(error).__name__}"
        self._log.error(event, reason=reason, again_in_s=pause_s)
        self.stopping.wait(pause_s)
