"""Runs one configuration: its cycles on a scheduler, its deliveries beside them. A reload builds a second one and swaps.

In: cycles, a delivery, the store. It runs each cycle at its interval, logs transitions, wakes the delivery after each commit, and keeps the
self-monitoring data. A cycle that fails does not prevent the next one.
"""

import threading
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import structlog

from watchdog.daemon.beside.digests import Digests
from watchdog.daemon.beside.mirrors import Mirrors
from watchdog.daemon.beside.parts import NOTHING_BESIDE, Beside, Engine
from watchdog.daemon.cycle import Cycle, Done
from watchdog.daemon.delivery import Delivery
from watchdog.daemon.logs.transition_log import log_transitions
from watchdog.daemon.punctuality import Punctuality
from watchdog.daemon.self_monitor import SelfMonitor
from watchdog.net.descriptor_limits import own_limit
from watchdog.polling.poller import StoppedError
from watchdog.receivers.base import Receiver
from watchdog.store import AwayError, OvertakenError, Store, StoreError

if TYPE_CHECKING:
    from apscheduler.schedulers.background import BackgroundScheduler

__all__ = ["Watching"]

log = structlog.get_logger()

RETENTION_EVERY_S = 3600.0
DIGESTS_EVERY_S = 10.0
MIRRORS_EVERY_S = 60.0
LET_GO_S = 1.0
"""How long a stop waits for the engine's broker."""
THREADS = 16
"""A target that hangs holds one until its timeouts end. More would only wait longer for their turn to write: with 60 of them, and a slow
disk, some waited longer than the database's timeout.
"""


class Watching:
    """Runs the cycles and deliveries of one configuration until it is stopped."""

    def __init__(  # noqa: PLR0913 - the parts of one configuration
        self,
        cycles: Sequence[Cycle],
        delivery: Delivery,
        store: Store,
        self_monitor: SelfMonitor,
        beside: Beside = NOTHING_BESIDE,
        *,
        retention_s: float,
        clock: Callable[[], float],
        stopwatch: Callable[[], float],
    ) -> None:
        self.cycles = cycles
        self._delivery, self._store, self._self_monitor = delivery, store, self_monitor
        self._heartbeat, self._decision_log, self._digests = beside.heartbeat, beside.decision_log, beside.digests
        self._remedies, self._engine, self._mirrors = beside.remedies, beside.engine, Mirrors(beside.mirrors, store, clock)
        self._retention_s, self._clock, self._stopwatch = retention_s, clock, stopwatch
        self._scheduler: BackgroundScheduler | None = None
        self._scheduling, self._stopping = threading.Lock(), False
        self._begun_at, self._retries_seen = stopwatch(), dict(store.retried())
        self._ended_at: dict[str, float] = {}  # target -> the end of its last cycle, successful or not
        self._punctuality = Punctuality(len(cycles))
        self._committed: set[str] = set()
        self._progress = threading.Condition()

    def start(self) -> None:
        """Start: every cycle at once, then at its interval."""
        from apscheduler.executors.pool import ThreadPoolExecutor  # noqa: PLC0415 - takes 90 ms, and only the daemon needs it
        from apscheduler.schedulers.background import BackgroundScheduler  # noqa: PLC0415

        self._scheduler = BackgroundScheduler(
            timezone="UTC",
            executors={"default": ThreadPoolExecutor(min(THREADS, len(self.cycles) + 3 + len(self._mirrors.every)))},
            job_defaults={"max_instances": 1, "coalesce": True, "misfire_grace_time": None},
        )
        self._delivery.start()
        if self._remedies is not None:
            self._remedies.resume()
        self._begun_at = self._stopwatch()
        if self._heartbeat is not None:
            self._heartbeat.start({cycle.target.name: self._patience_s(cycle) for cycle in self.cycles})
        if self._engine is not None:
            self._engine.start()
            self._every(self._engine.notice_s, self._notice_looks, self._engine, "looks of others")
        for cycle in self.cycles:
            self._every(cycle.target.interval_s, self._one_cycle, cycle, cycle.target.name)
        self._every(RETENTION_EVERY_S, self._retain, None, "retention")
        if self._digests is not None:
            self._every(DIGESTS_EVERY_S, self._digest, self._digests, "digests")
        for mirror in self._mirrors.every:
            self._every(MIRRORS_EVERY_S, self._mirrors.send, mirror, mirror.name)
        self._scheduler.start()

    def stop(self, grace_s: float) -> None:
        """Stop: running cycles stop polling after the current batch, running delivery attempts are settled, sockets are closed."""
        if self._heartbeat is not None:
            self._heartbeat.stop()
        for cycle in self.cycles:
            cycle.stop()
        with self._scheduling:
            self._stopping = True
        if self._scheduler is not None:
            self._scheduler.shutdown(wait=True)  # it waits for running jobs with its locks held: none of them may need the scheduler now
        if self._engine is not None:
            self._engine.stop(LET_GO_S)
        if self._remedies is not None:
            self._remedies.finish(grace_s)
        self._delivery.stop(grace_s)
        for cycle in self.cycles:
            cycle.close()
        self._mirrors.close()
        if self._decision_log is not None:
            self._decision_log.close()

    @property
    def longest_stop_s(self) -> float:
        """The longest that `stop` may take (seconds), besides its grace."""
        return max((cycle.longest_s for cycle in self.cycles), default=0.0) + self._store_patience_s

    def tidied(self) -> bool:
        """After `stop`: settle what its deliveries left unsettled. Returns whether nothing is left. `StoreError`: not possible now."""
        return self._delivery.tidied()

    def notice_retries(self) -> None:
        """After an operator's retry: run all cycles now, since they notify of open incidents, and deliver at once."""
        retried = self._store.retried()
        names = [name for name, number in retried.items() if number != self._retries_seen.get(name, 0)]
        if names:
            self._retries_seen = dict(retried)
            log.info("retry_noticed", receivers=names)
            self._run_now(cycle.target.name for cycle in self.cycles)
            self._delivery.wake(names)

    def finish_removed(self, receivers: Iterable[Receiver]) -> None:
        """After `start`: deliver the remaining messages of these receivers of the old configuration."""
        self._delivery.finish_removed(receivers)

    def removed(self) -> list[Receiver]:
        """Removed receivers whose final messages are not all delivered."""
        return self._delivery.removed()

    def delivering(self) -> bool:
        """Whether every receiver's thread is running, once started."""
        return self._scheduler is None or self._delivery.alive()

    def wait_first(self, timeout_s: float) -> bool:
        """Wait until every target has had a committed cycle. Returns whether that is so."""
        with self._progress:
            return self._progress.wait_for(self.ready, timeout_s)

    def ready(self) -> bool:
        """Whether every target has had a committed cycle."""
        return all(cycle.target.name in self._committed for cycle in self.cycles)

    def overdue(self) -> list[str]:
        """Targets whose last cycle ended longer ago than its interval and its sources' timeouts allow: something hangs.

        A cycle that could not be written has ended too: a restart does not free disk space, and would cut short what is being sent.
        """
        if self._scheduler is None:  # not started: it waits for the database, so nothing hangs
            return []
        now = self._stopwatch()
        return [c.target.name for c in self.cycles if now - self._ended_at.get(c.target.name, self._begun_at) > self._patience_s(c)]

    def _patience_s(self, cycle: Cycle) -> float:
        """The longest time from one cycle's end to the next (seconds)."""
        return cycle.target.interval_s + cycle.longest_s + self._store_patience_s

    _store_patience_s = 15.0
    """How much a locked database may add to a cycle, in seconds."""

    def _every(self, seconds: float, work: Callable[..., None], argument: object, name: str) -> None:
        from datetime import UTC, datetime  # noqa: PLC0415

        assert self._scheduler is not None  # noqa: S101 - start() sets it
        arguments: list[Any] = [argument] if argument is not None else []
        self._scheduler.add_job(work, "interval", arguments, seconds=seconds, id=name, next_run_time=datetime.now(UTC))

    def _run_now(self, jobs: Iterable[str]) -> None:
        from datetime import UTC, datetime  # noqa: PLC0415

        with self._scheduling:
            if self._scheduler is not None and not self._stopping:
                for job in jobs:
                    self._scheduler.modify_job(job, next_run_time=datetime.now(UTC))

    def _one_cycle(self, cycle: Cycle) -> None:
        """Look at a target, unless others have the look."""
        if self._engine is None:
            self._look(cycle)
        elif not self._engine.takes(cycle.target.name):
            at = None
            try:
                at = self._look(cycle)
            finally:
                self._engine.looked(cycle.target.name, at)

    def _look(self, cycle: Cycle) -> float | None:
        """Run a cycle. Returns when it was; None if nothing was committed."""
        name, began = cycle.target.name, self._stopwatch()
        late = self._punctuality.began(name, began, cycle.target.interval_s)
        try:
            done = cycle.run()
        except StoppedError:
            return None
        except OvertakenError:  # somebody else has just looked, which is as good
            self._ended(name)
        except StoreError as error:
            self._cycle_failed(name, str(error), away=isinstance(error, AwayError))
        except Exception as error:
            if not (reason := own_limit(error)):
                log.debug("cycle_crashed", target=name, exc_info=True)
                reason = f"unexpected {type(error).__name__}; please report it, with the log at level debug"
            self._cycle_failed(name, reason)
        else:
            self._cycle_ended(cycle, done, self._stopwatch() - began, late=late)
            return done.plan.at
        return None

    def _notice_looks(self, engine: Engine) -> None:
        """Act on what others have committed, as on commits of our own; and look where nobody does."""
        try:
            noticed = engine.notice(self._store.progress())
        except StoreError:  # our own looks say so
            self._run_now(engine.overdue())
            return
        if noticed.messages:
            self._delivery.wake()
        if noticed.incidents:
            self._run_now(mirror.name for mirror in self._mirrors.every)
        if noticed.looked and self._remedies is not None:
            self._remedies.begin_stored()
        for name, late in noticed.looked.items():
            self._committed_by(name)
            self._punctuality.forget(name)
            if self._self_monitor.looked_elsewhere(name, late=late):
                log.info("cycle_recovered", target=name)
        self._run_now(noticed.overdue)

    def _cycle_failed(self, name: str, why: str, *, away: bool = False) -> None:
        self._ended(name)
        if self._heartbeat is not None:
            self._heartbeat.cycle_ended(name, why, away=away)
        if self._self_monitor.cycle_failed(name, why):
            log.error("cycle_failed", target=name, reason=why)

    def _cycle_ended(self, cycle: Cycle, done: Done, took_s: float, *, late: bool) -> None:
        """Act on the commit first, and log last."""
        name = cycle.target.name
        if done.plan.messages:
            self._delivery.wake()
        if done.plan.attempts and self._remedies is not None:
            self._remedies.begin(done.plan.attempts)
        if done.plan.transitions:
            self._run_now(mirror.name for mirror in self._mirrors.every)
        self._committed_by(name)
        if self._self_monitor.cycle_ended(name, done, took_s, late=late or took_s > cycle.target.interval_s):
            log.info("cycle_recovered", target=name)
        log_transitions(done)
        if self._decision_log is not None:
            self._decision_log.write(done.plan)

    def _committed_by(self, name: str) -> None:
        """A look at this target was committed, here or elsewhere."""
        self._ended(name)
        with self._progress:
            self._committed.add(name)
            self._progress.notify_all()
        if self._heartbeat is not None:
            self._heartbeat.cycle_ended(name)

    def _ended(self, name: str) -> None:
        now = self._stopwatch()
        self._punctuality.ended(name, now)
        with self._progress:
            self._ended_at[name] = now

    def _digest(self, digests: Digests) -> None:
        if digests.send_due(self._clock()):
            self._delivery.wake()

    def _retain(self) -> None:
        try:
            self._store.retention(self._clock(), self._retention_s)
        except StoreError as error:
            log.warning("retention_failed", reason=str(error))
