"""The daemon: starts a configuration, keeps systemd informed, reloads on SIGHUP (build first, swap after), ends on SIGTERM.

Signals only raise a flag; the main thread acts. A reload that fails leaves the old configuration at work, and the
reserved target `watchdog` says so (`ConfigRejected`).
"""

import signal
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import FrameType

import structlog

from watchdog.core.decide import end_target
from watchdog.core.target import SELF
from watchdog.core.telling import Addressee
from watchdog.sd_notify import Notifier, watchdog_period_s
from watchdog.self_watch import SelfWatch
from watchdog.store import Store, StoreError
from watchdog.watching import Watching

__all__ = ["Build", "Built", "Daemon", "RejectedError"]

log = structlog.get_logger()

GRACE_S = 10.0
BEAT_S = 1.0


class RejectedError(Exception):
    """A configuration that cannot be used: the sentence says why."""


@dataclass(frozen=True, slots=True)
class Built:
    """One configuration, ready to be started."""

    watching: Watching
    addressees: tuple[Addressee, ...]
    targets: frozenset[str]
    rules: frozenset[str]
    service: str


Build = Callable[[], Built]
"""Reads the configuration anew and builds it; raises RejectedError. Touches nothing that runs."""


class Daemon:
    """Runs until it is told to end."""

    def __init__(
        self,
        build: Build,
        store: Store,
        self_watch: SelfWatch,
        *,
        environ: Mapping[str, str],
        clock: Callable[[], float],
        stopwatch: Callable[[], float],
    ) -> None:
        self._build, self._store, self._self_watch = build, store, self_watch
        self._clock, self._stopwatch = clock, stopwatch
        self._systemd = Notifier(environ)
        self._period_s = watchdog_period_s(environ)
        self._wake = threading.Event()
        self._end = False
        self._reload = False

    def run(self) -> None:
        """Start, watch, and return once ended. StoreError: the database cannot be used; RejectedError: the configuration."""
        with self._store.lease():
            self._listen()
            recovered = self._store.recover()
            built = self._begin(self._build())
            log.info(
                "watchdog_started",
                targets=len(built.targets - {SELF}),
                rules=len(built.rules),
                database=str(self._store.path),
                resumed=recovered,
            )
            self._first_cycles(built)
            while not self._end:
                self._wake.wait(self._pause_s())
                self._wake.clear()
                if self._reload and not self._end:
                    built = self._reloaded(built)
                self._feed(built)
            self._systemd.say("STOPPING=1")
            built.watching.stop(GRACE_S)
            log.info("watchdog_ended")

    def end(self, *_: object) -> None:
        """End soon: what SIGTERM and SIGINT ask for."""
        self._end = True
        self._wake.set()

    def reload(self, *_: object) -> None:
        """Reload soon: what SIGHUP asks for."""
        self._reload = True
        self._wake.set()

    def _listen(self) -> None:
        if threading.current_thread() is not threading.main_thread():
            return
        handlers: dict[signal.Signals, Callable[[int, FrameType | None], None]] = {
            signal.SIGTERM: self.end,
            signal.SIGINT: self.end,
            signal.SIGHUP: self.reload,
        }
        for number, act in handlers.items():
            signal.signal(number, act)

    def _begin(self, built: Built) -> Built:
        self._end_removed_targets(built)
        self._self_watch.forget_all_but(set(built.targets), set(built.rules))
        built.watching.start()
        return built

    def _first_cycles(self, built: Built) -> None:
        """Ready once every target has been looked at and judged; or once that takes too long to wait for."""
        longest = max(c.longest_s for c in built.watching.cycles) + 2 * GRACE_S
        began = self._stopwatch()
        while not self._end and self._stopwatch() - began < longest:
            if built.watching.wait_first(BEAT_S / 2):
                break
        self._systemd.say("READY=1", f"STATUS=watching {len(built.targets - {SELF})} targets")

    def _reloaded(self, old: Built) -> Built:
        """The new configuration at work, or the old one with the reason why not."""
        self._reload = False
        self._systemd.say("RELOADING=1", f"MONOTONIC_USEC={int(self._stopwatch() * 1e6)}")
        try:
            new = self._build()
        except (RejectedError, StoreError) as error:
            self._self_watch.config_error = str(error)
            log.error("reload_rejected", reason=str(error))  # noqa: TRY400 - the sentence says it all
            self._systemd.say("READY=1", "STATUS=reload rejected; the old configuration is in force")
            return old
        old.watching.stop(GRACE_S)
        self._self_watch.config_error = ""
        self._begin(new)
        log.info("configuration_reloaded", targets=len(new.targets - {SELF}), rules=len(new.rules))
        self._systemd.say("READY=1", f"STATUS=watching {len(new.targets - {SELF})} targets")
        return new

    def _end_removed_targets(self, built: Built) -> None:
        for target in sorted(self._store.all_open_targets() - built.targets):
            with self._store.cycle() as transaction:
                plan = end_target(target, transaction.load(target), built.addressees, self._clock(), built.service)
                transaction.commit(plan)
            log.info("target_removed", target=target, ended=len(plan.incidents))

    def _pause_s(self) -> float:
        return min(BEAT_S, self._period_s / 2) if self._period_s else BEAT_S

    def _feed(self, built: Built) -> None:
        if self._period_s is None:
            return
        overdue = built.watching.overdue()
        if not overdue:
            self._systemd.say("WATCHDOG=1")
