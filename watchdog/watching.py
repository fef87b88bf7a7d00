"""One configuration at work: its cycles on a scheduler, its deliveries beside them. A reload builds a second one and swaps.

In: cycles, a delivery, the store. It runs each cycle at its interval, logs what moved, wakes the delivery after each
commit, and keeps what watchdog knows of itself. Whatever a cycle trips over, the next one still comes.
"""

import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import structlog

from watchdog.core.durations import format_duration
from watchdog.core.selfwatch import ReceiverSeen, RuleSeen, SelfSeen
from watchdog.cycle import Cycle, Done
from watchdog.delivery import Delivery
from watchdog.store import Store, StoreError

if TYPE_CHECKING:
    from apscheduler.schedulers.background import BackgroundScheduler

__all__ = ["SelfWatch", "Watching"]

log = structlog.get_logger()

RETENTION_EVERY_S = 3600.0
LOUD = {"firing": "incident_fired", "recovering": "incident_recovering", "resolved": "incident_resolved", "dropped": "incident_dropped"}


class SelfWatch:
    """What watchdog knows of itself, across configurations. Any thread may tell it or ask it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._failed: dict[tuple[str, str], str] = {}
        self._took: dict[tuple[str, str], float] = {}
        self._cycle_s: dict[str, float] = {}
        self._late = 0
        self.config_error = ""

    def cycle_ended(self, target: str, done: Done, took_s: float, interval_s: float) -> None:
        """One cycle ended well."""
        with self._lock:
            self._cycle_s[target] = took_s
            self._late += took_s > interval_s
            for judgement in done.judgements:
                self._failed[target, judgement.rule.name] = judgement.failed or ""
                self._took[target, judgement.rule.name] = judgement.took_ms

    def forget_all_but(self, targets: set[str], rules: set[str]) -> None:
        """After a reload: what is no longer configured is no longer told."""
        with self._lock:
            self._failed = {k: v for k, v in self._failed.items() if k[0] in targets and k[1] in rules}
            self._took = {k: v for k, v in self._took.items() if k in self._failed}
            self._cycle_s = {k: v for k, v in self._cycle_s.items() if k in targets}

    def seen(self, receivers: tuple[ReceiverSeen, ...], database_bytes: int) -> SelfSeen:
        """Everything, as the tables of the target `watchdog` read it."""
        with self._lock:
            names = sorted({rule for _, rule in self._failed})
            rules = tuple(RuleSeen(name, self._error(name), max(t for (_, r), t in self._took.items() if r == name)) for name in names)
            longest = max(self._cycle_s.values(), default=0.0)
            return SelfSeen(receivers, rules, longest, self._late, self.config_error, database_bytes)

    def _error(self, rule: str) -> str:
        return next((f"{target}: {error}" for (target, name), error in self._failed.items() if name == rule and error), "")


class Watching:
    """Runs the cycles and deliveries of one configuration until it is stopped."""

    def __init__(
        self,
        cycles: Sequence[Cycle],
        delivery: Delivery,
        store: Store,
        self_watch: SelfWatch,
        *,
        retention_s: float,
        clock: Callable[[], float],
        stopwatch: Callable[[], float],
    ) -> None:
        self.cycles = cycles
        self._delivery, self._store, self._self_watch = delivery, store, self_watch
        self._retention_s, self._clock, self._stopwatch = retention_s, clock, stopwatch
        self._scheduler: BackgroundScheduler | None = None
        self._begun_at = stopwatch()
        self._ended_at: dict[str, float] = {}
        self._failing: dict[str, str] = {}
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
        for cycle in self.cycles:
            self._every(cycle.target.interval_s, self._one_cycle, cycle, cycle.target.name)
        self._every(RETENTION_EVERY_S, self._retain, None, "retention")
        self._scheduler.start()

    def stop(self, grace_s: float) -> None:
        """End: cycles under way finish, the delivery in hand is settled, sockets are given back."""
        if self._scheduler is not None:
            self._scheduler.shutdown(wait=True)
        self._delivery.stop(grace_s)
        for cycle in self.cycles:
            cycle.close()

    def wait_first(self, timeout_s: float) -> bool:
        """Wait until every target has had a cycle that was committed; whether that is so."""
        with self._progress:
            return self._progress.wait_for(lambda: all(c.target.name in self._ended_at for c in self.cycles), timeout_s)

    def overdue(self) -> list[str]:
        """Targets whose last cycle lies further back than its interval and its sources' timeouts allow."""
        now = self._stopwatch()
        return [
            c.target.name
            for c in self.cycles
            if now - self._ended_at.get(c.target.name, self._begun_at) > c.target.interval_s + c.longest_s + self._store_patience_s
        ]

    _store_patience_s = 15.0
    """What a locked database may cost a cycle on top."""

    def _every(self, seconds: float, work: Callable[..., None], argument: Cycle | None, name: str) -> None:
        from datetime import UTC, datetime  # noqa: PLC0415

        assert self._scheduler is not None  # noqa: S101 - start() made it
        arguments: list[Any] = [argument] if argument is not None else []
        self._scheduler.add_job(work, "interval", arguments, seconds=seconds, id=name, next_run_time=datetime.now(UTC))

    def _one_cycle(self, cycle: Cycle) -> None:
        name, began = cycle.target.name, self._stopwatch()
        try:
            done = cycle.run()
        except StoreError as error:
            self._cycle_failed(name, str(error))
            return
        except Exception as error:
            log.debug("cycle_crashed", target=name, exc_info=True)
            self._cycle_failed(name, f"unexpected {type(error).__name__}; please report it, with the log at level debug")
            return
        self._cycle_ended(cycle, done, self._stopwatch() - began)

    def _cycle_failed(self, name: str, why: str) -> None:
        if self._failing.get(name) != why:
            log.error("cycle_failed", target=name, reason=why)
        self._failing[name] = why

    def _cycle_ended(self, cycle: Cycle, done: Done, took_s: float) -> None:
        name = cycle.target.name
        if self._failing.pop(name, None) is not None:
            log.info("cycle_recovered", target=name)
        self._self_watch.cycle_ended(name, done, took_s, cycle.target.interval_s)
        log_moves(done)
        if done.plan.messages:
            self._delivery.wake()
        with self._progress:
            self._ended_at[name] = self._stopwatch()
            self._progress.notify_all()

    def _retain(self) -> None:
        try:
            self._store.retention(self._clock(), self._retention_s)
        except StoreError as error:
            log.warning("retention_failed", reason=str(error))


def log_moves(done: Done) -> None:
    """One line a transition."""
    named = {i.id: i for i in done.plan.incidents}
    for move in done.plan.transitions:
        incident = named.get(move.incident)
        if incident is None:
            continue
        event = (
            "incident_began"
            if not move.before
            else "incident_fired_again"
            if move.before == "recovering" and move.after == "firing"
            else LOUD[move.after]
        )
        lasted = format_duration(round(move.at - incident.started_at)) if not incident.open else None
        fields = {"lasted": lasted, "summary": incident.summary if event == "incident_fired" else None}
        log.info(
            event,
            target=incident.target,
            rule=incident.rule,
            **{f"key_{name}": value for name, value in incident.key.items()},
            severity=incident.severity.value,
            reason=move.reason,
            incident=incident.id,
            **{name: value for name, value in fields.items() if value},
        )
