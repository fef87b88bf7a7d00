"""Delivery: drain the outbox. One thread a receiver, so that a slow one never delays another: wait for a turn, claim, send, settle.

In: messages that cycles committed, with a `wake` after each commit. Out: every message delivered, waiting for its next attempt, or dead,
and a log line for each attempt. Whatever happens in a receiver or in the store is logged, and ends no thread. A receiver has one message
in hand at a time; it waits for its turn with none, so that nothing is held up by a pace.
"""

import time
from collections.abc import Callable, Iterable
from typing import Any

import structlog

from watchdog.daemon.delivery_worker import Clerk, OnOutcome, Turns
from watchdog.receivers.base import Receiver
from watchdog.receivers.pace import Pace
from watchdog.store import Store

__all__ = ["Delivery"]


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
        on_outcome: OnOutcome | None = None,
        log: Any = None,
    ) -> None:
        receivers = tuple(receivers)
        self._store, self._clock, self._pace, self._on_outcome = store, clock, pace or Pace(), on_outcome
        self._log = log or structlog.get_logger("watchdog.delivery")
        self._clerks = {receiver.name: self._clerk(receiver, _slowest(receiver, receivers)) for receiver in receivers}

    def _clerk(self, receiver: Receiver, per_second: float, *, leaving: bool = False) -> Clerk:
        turns = Turns(self._pace, receiver.address, per_second)
        return Clerk(self._store, receiver, turns, self._clock, self._on_outcome, self._log, leaving=leaving)

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

    def _ended(self) -> list[Clerk]:
        return [clerk for clerk in self._clerks.values() if not clerk.thread.is_alive()]

    def _close_ended(self) -> None:
        for clerk in self._ended():
            clerk.receiver.close()


def _slowest(receiver: Receiver, receivers: Iterable[Receiver]) -> float:
    """Messages a second that all receivers with this one's address agree to."""
    return min(other.per_second for other in receivers if other.address == receiver.address)
