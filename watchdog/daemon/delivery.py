"""Delivery: drains the outbox. One thread per receiver, so that a slow one never delays another: wait for a turn, claim, send, settle.

In: messages committed by cycles, with a `wake` after each commit. Out: every message delivered, waiting for its next attempt, or dead, and
a log line per attempt. Errors in a receiver or in the store are logged and end no thread. A receiver sends one message at a time and claims
it only when its turn has come, so that waiting for the pace holds up no message.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import structlog

from watchdog.daemon.delivery_worker import DeliveryWorker, OnOutcome, Turns
from watchdog.daemon.figures.rendering import ChartOf, Rendering
from watchdog.receivers.base import Receiver
from watchdog.receivers.pace import Pace
from watchdog.store import Store

__all__ = ["Delivery"]


class Delivery:
    """Delivers to these receivers, from `start` to `stop`.

    `clock`: epoch seconds; `pace`: shared by all deliveries of the process; `on_outcome` is called after every settled attempt.
    `charts`: receiver -> what makes the charts of its messages; those that are not in it get none.
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
        charts: Mapping[str, ChartOf] | None = None,
    ) -> None:
        receivers = tuple(receivers)
        self._store, self._clock, self._pace, self._on_outcome = store, clock, pace or Pace(), on_outcome
        self._charts = charts or {}
        self._log = log or structlog.get_logger("watchdog.delivery")
        self._delivery_workers = {receiver.name: self._delivery_worker(receiver, _slowest(receiver, receivers)) for receiver in receivers}

    def _delivery_worker(self, receiver: Receiver, per_second: float, *, removed: bool = False) -> DeliveryWorker:
        turns = Turns(self._pace, receiver.address, per_second)
        delivery_worker = DeliveryWorker(self._store, receiver, turns, self._clock, self._on_outcome, self._log, removed=removed)
        if (charts := self._charts.get(receiver.name)) is not None:
            delivery_worker.charted = Rendering(self._store, receiver, charts, self._log.bind(receiver=receiver.name))
        return delivery_worker

    def start(self) -> None:
        """Start the threads; waiting messages are sent at once."""
        for delivery_worker in self._delivery_workers.values():
            delivery_worker.thread.start()

    def finish_removed(self, receivers: Iterable[Receiver]) -> None:
        """Deliver the remaining messages of these receivers, which are no longer configured; each ends when it has none left."""
        for receiver in receivers:
            delivery_worker = self._delivery_workers[receiver.name] = self._delivery_worker(receiver, receiver.per_second, removed=True)
            delivery_worker.thread.start()

    def removed(self) -> list[Receiver]:
        """Removed receivers whose final messages are not all delivered."""
        return [
            delivery_worker.receiver
            for delivery_worker in self._delivery_workers.values()
            if delivery_worker.removed and not delivery_worker.done
        ]

    def wake(self, at_once: Iterable[str] = ()) -> None:
        """Check for new messages; receivers named in `at_once` are tried at once, whatever pause they asked for."""
        for name in at_once:
            if name in self._delivery_workers:
                self._delivery_workers[name].turns.release()
        for delivery_worker in self._delivery_workers.values():
            delivery_worker.woken.set()

    def alive(self) -> bool:
        """Whether every receiver's thread is running."""
        return all(delivery_worker.thread.is_alive() or delivery_worker.done for delivery_worker in self._delivery_workers.values())

    def drain_once(self, receiver: str) -> int:
        """Send what is due to one receiver, in this thread. Returns the number of attempts."""
        return self._delivery_workers[receiver].drain()

    def stop(self, grace_s: float) -> bool:
        """Finish the running attempts, end the threads, and close the receivers' sockets.

        Returns False if an attempt takes longer than `grace_s` (seconds): it is settled later, or sent again at the next start.
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
        """After `stop`: settle the attempts that ended threads could not, so that they block no later message. Returns whether all is
        settled.

        The attempt of a running thread is left to it. `StoreError` if the database cannot be written yet: try again.
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
    """The lowest limit, in messages per second, of all receivers with this one's address."""
    return min(other.per_second for other in receivers if other.address == receiver.address)
