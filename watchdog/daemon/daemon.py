"""The daemon: starts a configuration, keeps systemd informed, reloads on SIGHUP (build first, then swap), stops on SIGTERM.

Signal handlers only set a flag; the main thread acts. A failed reload leaves the old configuration running, and the reserved target
`watchdog` reports it (`ConfigRejected`). What the database cannot take now (such as the outcome of a delivery that was in progress under
the old configuration) is unsettled, and written as soon as possible. A configuration starts to poll and notify only after its handover in
the database, one transaction: before that, nothing is decided under its names.
"""

import signal
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from queue import Empty, SimpleQueue
from types import FrameType

import structlog
from msgspec import Struct, field

from watchdog.core.incidents.routing import Recipient
from watchdog.core.model.self_seen import SelfSeen
from watchdog.core.model.target import SELF
from watchdog.daemon.handover import Handover, hand_over
from watchdog.daemon.rejected import RejectedError
from watchdog.daemon.sd_notify import Notifier, watchdog_period_s
from watchdog.daemon.self_monitor import SelfMonitor
from watchdog.daemon.starting.early_signals import noted_signals
from watchdog.daemon.watching import Watching
from watchdog.receivers.base import Receiver
from watchdog.store import Store, StoreError

__all__ = ["Build", "Built", "Daemon"]

log = structlog.get_logger()

GRACE_S = 10.0
BEAT_S = 1.0
SIGN_EVERY_S = 10.0
PATIENCE = f"EXTEND_TIMEOUT_USEC={30 * 10**6}"
"""Asks systemd for more time while starting and stopping. Repeated every beat, it never runs out."""


class Built(Struct, frozen=True):
    """One configuration, ready to be started."""

    watching: Watching
    recipients: tuple[Recipient, ...]
    targets: frozenset[str]
    rules: frozenset[str]
    service: str
    receivers: tuple[Receiver, ...] = ()
    was: Mapping[str, str] = field(default_factory=dict)
    """A receiver's old name -> its current name."""
    self_seen: Callable[[], SelfSeen] = SelfSeen
    """What watchdog knows about itself."""
    in_force: str = ""
    """The fingerprint of the configuration, if others look by it."""
    serve: Callable[[], None] = lambda: None
    """Serves this configuration over HTTP, in place of the one before."""


Build = Callable[[], Built]
"""Reads the configuration again and builds it; raises `RejectedError`. Does not touch anything that is running."""


class Daemon:
    """Runs until it is asked to end."""

    def __init__(
        self,
        build: Build,
        store: Store,
        self_monitor: SelfMonitor,
        *,
        environ: Mapping[str, str],
        clock: Callable[[], float],
        stopwatch: Callable[[], float],
    ) -> None:
        self._build, self._store, self._self_monitor = build, store, self_monitor
        self._clock, self._stopwatch = clock, stopwatch
        self._systemd = Notifier(environ)
        self._period_s = watchdog_period_s(environ)
        self._signed_at = float("-inf")
        # No Event: a handler runs in the thread that waits, and would wait for ever for the lock that this thread holds at that moment.
        self._wake: SimpleQueue[None] = SimpleQueue()
        self._end = False
        self._reload = False
        self._handed_over = False
        self._removed: tuple[Receiver, ...] = ()  # no longer configured, but still to be notified
        self._why_unsettled: dict[str, str] = {}
        self._stopped: list[Watching] = []  # stopped configurations whose deliveries are not fully settled

    def run(self) -> None:
        """Start, watch, and return once ended; the caller holds the database's lease.

        Raises `StoreError` if the database, `RejectedError` if the configuration cannot be used.
        """
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
            self._rest()
            if self._reload and not self._end:
                built = self._reloaded(built)
            self._settle(built)
            self._feed(built)
        self._systemd.say("STOPPING=1")
        self._stop(built.watching)
        log.info("watchdog_ended")

    def end(self, *_: object) -> None:
        """End soon: the handler of SIGTERM and SIGINT."""
        self._end = True
        self._wake.put(None)

    def reload(self, *_: object) -> None:
        """Reload soon: the handler of SIGHUP."""
        self._reload = True
        self._wake.put(None)

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
        for number in handlers.keys() & noted_signals():  # signals that arrived before the handlers were installed
            handlers[number](number, None)

    def _begin(self, built: Built) -> Built:
        self._self_monitor.forget_all_but(set(built.targets), set(built.rules))
        self._handed_over = False
        self._settle(built)
        built.serve()
        return built

    def _first_cycles(self, built: Built) -> None:
        """Report ready once every target has been polled and judged, or once waiting for that takes too long."""
        longest = max(c.longest_s for c in built.watching.cycles) + 2 * GRACE_S
        began = self._stopwatch()
        while not self._end and self._stopwatch() - began < longest:
            self._systemd.say(PATIENCE)
            self._settle(built)
            if built.watching.wait_first(BEAT_S / 2):
                break
        self._systemd.say("READY=1", f"STATUS=watching {len(built.targets - {SELF})} targets")

    def _reloaded(self, old: Built) -> Built:
        """The new configuration, started; or the old one, if the new one was rejected for the reason logged."""
        self._reload = False
        self._systemd.say("RELOADING=1", f"MONOTONIC_USEC={int(self._stopwatch() * 1e6)}")
        try:
            new = self._build()
        except (RejectedError, StoreError) as error:
            return self._rejected(old, str(error))
        except Exception as error:
            log.debug("reload_crashed", exc_info=True)
            return self._rejected(old, f"unexpected {type(error).__name__}; please report it, with the log at level debug")
        self._stop(old.watching)
        known = {recipient.name for recipient in new.recipients}
        self._removed = tuple(r for r in (*self._removed, *old.watching.removed(), *old.receivers) if r.name not in known)
        self._self_monitor.config_error = ""
        self._begin(new)
        log.info("configuration_reloaded", targets=len(new.targets - {SELF}), rules=len(new.rules))
        self._systemd.say("READY=1", f"STATUS=watching {len(new.targets - {SELF})} targets")
        return new

    def _rejected(self, old: Built, reason: str) -> Built:
        self._self_monitor.config_error = reason
        log.error("reload_rejected", reason=reason)
        self._systemd.say("READY=1", "STATUS=reload rejected; the old configuration is in force")
        return old

    def _stop(self, watching: Watching) -> None:
        """Stop it while telling systemd that all is well, but no longer than its timeouts allow."""
        stopping = threading.Thread(target=_stop_all_of, args=(watching,), name="stopping")
        stopping.start()
        began, longest_s = self._stopwatch(), watching.longest_stop_s + 2 * GRACE_S
        while stopping.is_alive():
            if self._stopwatch() - began < longest_s:
                self._systemd.say("WATCHDOG=1", PATIENCE)
            stopping.join(self._pause_s())
        self._stopped.append(watching)

    def _settle(self, built: Built) -> None:
        """Write what could not be written before. Errors never end the daemon; what fails is retried at the next beat."""
        self._stopped = [watching for watching in self._stopped if not self._done("delivery_not_settled", watching.tidied)]
        if not self._handed_over and self._done("configuration_waits", lambda: self._hand_over(built)):
            self._handed_over = True
            built.watching.start()
            built.watching.finish_removed(self._removed)
            self._removed = ()
        if self._handed_over:
            self._done("retries_not_seen", lambda: self._notice_retries(built))

    def _done(self, event: str, settle: Callable[[], bool]) -> bool:
        """Whether it is done; the reason for a failure is logged once."""
        try:
            settled = settle()
        except Exception as error:  # noqa: BLE001 - unsettled work is no reason to stop watching
            reason = str(error) if isinstance(error, StoreError) else f"unexpected {type(error).__name__}; please report it"
            if self._why_unsettled.get(event) != reason:
                log.error(event, reason=reason)  # noqa: TRY400 - the reason says everything
            self._why_unsettled[event] = reason
            return False
        self._why_unsettled.pop(event, None)
        return settled

    def _hand_over(self, built: Built) -> bool:
        """Hand the records in the database over to the new configuration."""
        removed = {receiver.name: receiver for receiver in self._removed}
        handover = Handover(built.recipients, built.targets, built.service, built.was, removed, built.in_force)
        waited_for = hand_over(self._store, handover, self._clock())
        self._removed = tuple(receiver for receiver in self._removed if receiver.name in waited_for)
        return True

    def _notice_retries(self, built: Built) -> bool:
        built.watching.notice_retries()
        return True

    def _rest(self) -> None:
        """Wait for the next beat, or for a signal."""
        with suppress(Empty):
            self._wake.get(timeout=self._pause_s())

    def _pause_s(self) -> float:
        return min(BEAT_S, self._period_s / 2) if self._period_s else BEAT_S

    def _feed(self, built: Built) -> None:
        """If everything is running: notify systemd, and touch the lock file for those who check its age."""
        if not built.watching.delivering() or built.watching.overdue():
            return
        if self._period_s is not None:
            self._systemd.say("WATCHDOG=1")
        if self._stopwatch() - self._signed_at >= SIGN_EVERY_S:
            self._store.sign_of_life()
            self._signed_at = self._stopwatch()


def _stop_all_of(watching: Watching) -> None:
    try:
        watching.stop(GRACE_S)
    except Exception as error:
        log.debug("stop_crashed", exc_info=True)
        log.error("stop_failed", reason=f"unexpected {type(error).__name__}; please report it, with the log at level debug")  # noqa: TRY400
