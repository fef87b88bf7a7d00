"""One configuration at work: its cycles on a scheduler, its deliveries beside them. A reload builds a second one and swaps.

In: cycles, a delivery, the store. It runs each cycle at its interval, logs what moved, wakes the delivery after each
commit, and keeps what watchdog knows of itself. Whatever a cycle trips over, the next one still comes.
"""

import threading
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import structlog

from watchdog.daemon.cycle import Cycle, Done
from watchdog.daemon.delivery import Delivery
from watchdog.daemon.heartbeat import Heartbeat
from watchdog.daemon.self_monitor import SelfMonitor
from watchdog.daemon.transition_log import log_transitions
from watchdog.net.descriptor_limits import own_limit
from watchdog.polling.poller import StoppedError
from watchdog.receivers.base import Receiver
from watchdog.store import Store, StoreError

if TYPE_CHECKING:
    from apscheduler.schedulers.background import BackgroundScheduler

__all__ = ["Watching"]

log = structlog.get_logger()

RETENTION_EVERY_S = 3600.0


class Watching:
    """Runs the cycles and deliveries of one configuration until it is stopped."""

    def __init__(  # noqa: PLR0913 - what one configuration is at work
        self,
        cycles: Sequence[Cycle],
        delivery: Delivery,
        store: Store,
        self_monitor: SelfMonitor,
        heartbeat: Heartbeat | None = None,
        *,
        retention_s: float,
        clock: Callable[[], float],
        stopwatch: Callable[[], float],
    ) -> None:
        self.cycles = cycles
        self._delivery, self._store, self._self_monitor, self._heartbeat = delivery, store, self_monitor, heartbeat
        self._retention_s, self._clock, self._stopwatch = retention_s, clock, stopwatch
        self._scheduler: BackgroundScheduler | None = None
        self._begun_at = stopwatch()
        self._retries_seen = dict(store.retried())
        self._ended_at: dict[str, float] = {}  # target -> the end of its last cycle, well or not
        self._committed: set[str] = set()
        self._progress = threading.Condition()

    def start(self) -> None:
        """Begin: every cycle at once, then at its interval."""
        from apscheduler.executors.pool import ThreadPoolExecutor  # noqa: PLC0415 - 90 ms, for the daemon alone
        from apscheduler.schedulers.background import BackgroundScheduler  # noqa: PLC0415

        self._scheduler = BackgroundScheduler(
            timezone="UTC",
            executors={"default": ThreadPoolExecutor(min(16, len(self.cycles) + 1))},
            job_defaults={"max_instances": 1, "coalesce": True, "misfire_grace_time": None},
        )
        self._delivery.start()
        self._begun_at = self._stopwatch()
        if self._heartbeat is not None:
            self._heartbeat.start({cycle.target.name: self._patience_s(cycle) for cycle in self.cycles})
        for cycle in self.cycles:
            self._every(cycle.target.interval_s, self._one_cycle, cycle, cycle.target.name)
        self._every(RETENTION_EVERY_S, self._retain, None, "retention")
        self._scheduler.start()

    def stop(self, grace_s: float) -> None:
        """End: cycles under way stop asking after the batch in hand, the delivery in hand is settled, sockets are given back."""
        if self._heartbeat is not None:
            self._heartbeat.stop()
        for cycle in self.cycles:
            cycle.stop()
        if self._scheduler is not None:
            self._scheduler.shutdown(wait=True)
        self._delivery.stop(grace_s)
        for cycle in self.cycles:
            cycle.close()

    @property
    def longest_stop_s(self) -> float:
        """The longest that `stop` may take (seconds), its grace aside."""
        return max((cycle.longest_s for cycle in self.cycles), default=0.0) + self._store_patience_s

    def tidied(self) -> bool:
        """After `stop`: settle what its deliveries left unsettled; whether nothing is left. StoreError: not now."""
        return self._delivery.tidied()

    def notice_retries(self) -> None:
        """Where an operator had something tried again: look at once, for what burns is told by a cycle, and send at once."""
        retried = self._store.retried()
        names = [name for name, number in retried.items() if number != self._retries_seen.get(name, 0)]
        if names:
            self._retries_seen = dict(retried)
            log.info("retry_noticed", receivers=names)
            self._look_now()
            self._delivery.wake(names)

    def finish_removed(self, receivers: Iterable[Receiver]) -> None:
        """Once started: tell these what waits for them, with what is left of the old configuration."""
        self._delivery.finish_removed(receivers)

    def removed(self) -> list[Receiver]:
        """Those seen off that are not done with."""
        return self._delivery.removed()

    def delivering(self) -> bool:
        """Whether every receiver's thread lives, once started."""
        return self._scheduler is None or self._delivery.alive()

    def wait_first(self, timeout_s: float) -> bool:
        """Wait until every target has had a cycle that was committed; whether that is so."""
        with self._progress:
            return self._progress.wait_for(lambda: all(c.target.name in self._committed for c in self.cycles), timeout_s)

    def overdue(self) -> list[str]:
        """Targets whose last cycle ended longer ago than its interval and its sources' timeouts allow: something hangs.

        A cycle that could not be written has ended as well: no restart makes room on a disk, and one cuts short what is being sent.
        """
        if self._scheduler is None:  # it waits for the database, and hangs as little
            return []
        now = self._stopwatch()
        return [c.target.name for c in self.cycles if now - self._ended_at.get(c.target.name, self._begun_at) > self._patience_s(c)]

    def _patience_s(self, cycle: Cycle) -> float:
        """The longest from one cycle's end to the next (seconds)."""
        return cycle.target.interval_s + cycle.longest_s + self._store_patience_s

    _store_patience_s = 15.0
    """What a locked database may cost a cycle on top."""

    def _every(self, seconds: float, work: Callable[..., None], argument: Cycle | None, name: str) -> None:
        from datetime import UTC, datetime  # noqa: PLC0415

        assert self._scheduler is not None  # noqa: S101 - start() made it
        arguments: list[Any] = [argument] if argument is not None else []
        self._scheduler.add_job(work, "interval", arguments, seconds=seconds, id=name, next_run_time=datetime.now(UTC))

    def _look_now(self) -> None:
        from datetime import UTC, datetime  # noqa: PLC0415

        if self._scheduler is not None:
            for cycle in self.cycles:
                self._scheduler.modify_job(cycle.target.name, next_run_time=datetime.now(UTC))

    def _one_cycle(self, cycle: Cycle) -> None:
        name, began = cycle.target.name, self._stopwatch()
        try:
            done = cycle.run()
        except StoppedError:
            return
        except StoreError as error:
            self._cycle_failed(name, str(error))
            return
        except Exception as error:
            if lack := own_limit(error):
                self._cycle_failed(name, lack)
                return
            log.debug("cycle_crashed", target=name, exc_info=True)
            self._cycle_failed(name, f"unexpected {type(error).__name__}; please report it, with the log at level debug")
            return
        self._cycle_ended(cycle, done, self._stopwatch() - began)

    def _cycle_failed(self, name: str, why: str) -> None:
        with self._progress:
            self._ended_at[name] = self._stopwatch()
        if self._heartbeat is not None:
            self._heartbeat.cycle_ended(name, why)
        if self._self_monitor.cycle_failed(name, why):
            log.error("cycle_failed", target=name, reason=why)

    def _cycle_ended(self, cycle: Cycle, done: Done, took_s: float) -> None:
        """What was committed is acted on first, and spoken of last."""
        name = cycle.target.name
        if done.plan.messages:
            self._delivery.wake()
        with self._progress:
            self._ended_at[name] = self._stopwatch()
            self._committed.add(name)
            self._progress.notify_all()
        if self._heartbeat is not None:
            self._heartbeat.cycle_ended(name)
        if self._self_monitor.cycle_ended(name, done, took_s, cycle.target.interval_s):
            log.info("cycle_recovered", target=name)
        log_transitions(done)

    def _retain(self) -> None:
        try:
            self._store.retention(self._clock(), self._retention_s)
        except StoreError as error:
            log.warning("retention_failed", reason=str(error))
