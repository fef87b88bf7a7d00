"""Delivery: drain the outbox. One thread a receiver, so that a slow one never delays another: wait for a turn, claim, send, settle.

In: messages that cycles committed, with a `wake` after each commit. Out: every message delivered, waiting for its next attempt, or dead,
and a log line for each attempt. Whatever happens in a receiver or in the store is logged, and ends no thread. A receiver has one message
in hand at a time; it waits for its turn with none, so that nothing is held up by a pace.
"""

import time
from collections.abc import Callable, Iterable
from typing import Any

import structlog

from watchdog.daemon.delivery_worker import DeliveryWorker, OnOutcome, Turns
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
        self._delivery_workers = {receiver.name: self._delivery_worker(receiver, _slowest(receiver, receivers)) for receiver in receivers}

    def _delivery_worker(self, receiver: Receiver, per_second: float, *, removed: bool = False) -> DeliveryWorker:
        turns = Turns(self._pace, receiver.address, per_second)
        return DeliveryWorker(self._store, receiver, turns, self._clock, self._on_outcome, self._log, removed=removed)

    def start(self) -> None:
        """Begin; what waits is sent at once."""
        for delivery_worker in self._delivery_workers.values():
            delivery_worker.thread.start()

    def finish_removed(self, receivers: Iterable[Receiver]) -> None:
        """Beside the others, deliver to these what waits for them, and be done with them then: they are not configured any more."""
        for receiver in receivers:
            delivery_worker = self._delivery_workers[receiver.name] = self._delivery_worker(receiver, receiver.per_second, removed=True)
            delivery_worker.thread.start()

    def removed(self) -> list[Receiver]:
        """Those seen off that are not done with."""
        return [
            delivery_worker.receiver
            for delivery_worker in self._delivery_workers.values()
            if delivery_worker.removed and not delivery_worker.done
        ]

    def wake(self, at_once: Iterable[str] = ()) -> None:
        """There may be something new to send; to these receivers at once, whatever pause they asked for."""
        for name in at_once:
            if name in self._delivery_workers:
                self._delivery_workers[name].turns.release()
        for delivery_worker in self._delivery_workers.values():
            delivery_worker.woken.set()

    def alive(self) -> bool:
        """Whether every receiver's thread is at work."""
        return all(delivery_worker.thread.is_alive() or delivery_worker.done for delivery_worker in self._delivery_workers.values())

    def drain_once(self, receiver: str) -> int:
        """Send what is due to one receiver, here and now; how many attempts were made."""
        return self._delivery_workers[receiver].drain()

    def stop(self, grace_s: float) -> bool:
        """Finish the deliveries in hand, end, and give back the receivers' sockets.

        False where a delivery takes longer than `grace_s` (seconds): it is settled later, or sent again at the next start.
        """
        for delivery_worker in self._delivery_workers.values():
            delivery_worker.stopping.set()
            delivery_worker.woken.set()
        deadline = time.monotonic() + grace_s
        for delivery_worker in self._delivery_workers.values():
            if delivery_worker.thread.is_alive():
                delivery_worker.thread.join(max(deadline - time.monotonic(), 0.0))
        self._close_ended()
        return not any(delivery_worker.thread.is_alive() for delivery_worker in self._delivery_workers.values())

    def tidied(self) -> bool:
        """After `stop`: settle what threads that have ended could not, so that it holds up no later message; whether nothing is left.

        What a living thread has in hand is its own. StoreError where the database cannot be written yet: try again.
        """
        self._close_ended()
        for delivery_worker in self._ended():
            delivery_worker.settle_in_hand()
        return len(self._ended()) == len(self._delivery_workers)

    def _ended(self) -> list[DeliveryWorker]:
        return [delivery_worker for delivery_worker in self._delivery_workers.values() if not delivery_worker.thread.is_alive()]

    def _close_ended(self) -> None:
        for delivery_worker in self._ended():
            delivery_worker.receiver.close()


def _slowest(receiver: Receiver, receivers: Iterable[Receiver]) -> float:
    """Messages a second that all receivers with this one's address agree to."""
    return min(other.per_second for other in receivers if other.address == receiver.address)
