"""A worker's looks: the same cycles as a daemon's, run as messages ask for them.

In: a target, and the configuration of the daemon that asks. Out: one committed look, or a line in the log. A worker never judges by other
rules than its daemon: it reads its files again once the daemon has, and refuses looks of a configuration that it does not have.
"""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import structlog
from msgspec import Struct, field

from watchdog.daemon.cycle import Cycle
from watchdog.daemon.logs.decision_log import DecisionLog
from watchdog.daemon.logs.transition_log import log_transitions
from watchdog.daemon.self_monitor import SelfMonitor
from watchdog.net.descriptor_limits import own_limit
from watchdog.polling.poller import StoppedError
from watchdog.store import NotInForceError, OvertakenError, StoreError

__all__ = ["Looker", "Looking", "UnreadableError"]

log = structlog.get_logger()

READ_EVERY_S = 5.0
"""How often files are read again that are not those of the daemon: they may be on their way."""
OTHER_FILES = "the daemon's configuration is {theirs}, this one is {ours}: are files and versions the same?"
OTHER_DATABASE = (
    "the daemon's configuration is {ours}, as this one, and another is in force in this worker's database: is it the daemon's database? "
    "Nothing is written to it"
)
OTHER_WATCHDOG = (
    "looks by the configuration {theirs}, which is not the one in force in this database. If that was not changed a moment ago: "
    "does another watchdog use the same engine? Give each its own `queue`"
)


class UnreadableError(Exception):
    """A configuration that cannot be used; the message says why."""


class Looking(Struct):
    """One configuration of a worker."""

    fingerprint: str
    cycles: Mapping[str, Cycle]
    rules: frozenset[str]
    decision_log: DecisionLog | None = None
    read_at: float = 0.0
    """When the configuration of the daemon was read for which this one was read."""
    turns: dict[str, threading.Lock] = field(default_factory=dict)
    users: int = 0
    replaced: bool = False

    def close(self) -> None:
        """Close the sockets of all its cycles."""
        for cycle in self.cycles.values():
            cycle.close()
        if self.decision_log is not None:
            self.decision_log.close()


class Looker:
    """The looks of one worker process. Thread-safe."""

    def __init__(self, build: Callable[[], Looking], monitor: SelfMonitor, in_force: Callable[[], str]) -> None:
        """`build` reads the configuration, or raises `UnreadableError`. `monitor` notes each look. `in_force`: the fingerprint of the
        configuration of the daemon that works on the database; may raise `StoreError`.
        """
        self._build, self._monitor, self._in_force = build, monitor, in_force
        self._former: set[str] = set()
        self._strange: set[str] = set()
        self._vain_since: float | None = None  # the stopwatch, as the first of the looks was made that could not be written here
        self._turn, self._reading = threading.Lock(), threading.Lock()
        self._looking: Looking | None = None
        self._read_at = float("-inf")
        self._ended = threading.Event()
        self.refuses = ""
        """Why it does not look; empty if it does."""

    def look(self, target: str, fingerprint: str, read_at: float) -> None:
        """Look at a target for a daemon whose configuration has this fingerprint, and was read then. Never raises."""
        self._keep_up(fingerprint, read_at)
        with self._current() as looking:
            cycle = looking.cycles.get(target) if looking is not None and looking.fingerprint == fingerprint else None
            if looking is None or cycle is None:
                if not self._is_late(fingerprint, read_at):
                    self._ended.wait(READ_EVERY_S)  # or it would take looks away from workers that do not refuse them
                return
            with _turn_of(looking, target) as free:
                if free:  # or a look of it goes on in this process, which is as good
                    self._run(looking, cycle)

    def close(self) -> None:
        """Close the sockets; what goes on stops asking."""
        self._ended.set()
        with self._turn:
            looking, self._looking = self._looking, None
        if looking is not None:
            for cycle in looking.cycles.values():
                cycle.stop()
            looking.close()

    def _run(self, looking: Looking, cycle: Cycle) -> None:
        began, name = time.monotonic(), cycle.target.name
        try:
            done = cycle.run()
        except NotInForceError:
            self._in_vain(looking.fingerprint)
            return
        except (OvertakenError, StoppedError):  # another has just looked; or this worker ends
            return
        except StoreError as error:
            self._failed(name, str(error))
            return
        except Exception as error:
            log.debug("cycle_crashed", target=name, exc_info=True)
            self._failed(name, own_limit(error) or f"unexpected {type(error).__name__}; please report it, with the log at level debug")
            return
        self._vain_since = None
        if self._monitor.cycle_ended(name, done, time.monotonic() - began):
            log.info("cycle_recovered", target=name)
        log_transitions(done)
        if looking.decision_log is not None:
            looking.decision_log.write(done.plan)

    def _in_vain(self, fingerprint: str) -> None:
        """A look was not written, as another configuration is in force. That passes soon if the daemon has just read its files again."""
        now = time.monotonic()
        self._vain_since = now if self._vain_since is None else self._vain_since
        if now - self._vain_since >= READ_EVERY_S:
            self._refuse(OTHER_DATABASE.format(ours=fingerprint))
            self._ended.wait(READ_EVERY_S)

    def _failed(self, name: str, why: str) -> None:
        if self._monitor.cycle_failed(name, why):
            log.error("cycle_failed", target=name, reason=why)

    # --- which configuration ------------------------------------------------------------------------------------------

    def _keep_up(self, fingerprint: str, read_at: float) -> None:
        """Read the files again if the daemon did, or if they are not those of the daemon."""
        if self._is_current(fingerprint, read_at):
            if self._vain_since is None:
                self._refuse("")
            return
        with self._reading:
            if self._is_current(fingerprint, read_at) or self._is_late(fingerprint, read_at):
                return
            if time.monotonic() - self._read_at < READ_EVERY_S:
                return
            try:
                fresh = self._build()
            except UnreadableError as error:
                self._refuse(str(error))
            except Exception as error:
                log.debug("reading_crashed", exc_info=True)
                self._refuse(
                    f"unexpected {type(error).__name__} as the configuration was read; please report it, with the log at level debug"
                )
            else:
                fresh.read_at = read_at
                self._take(fresh)
                self._compare(fresh.fingerprint, fingerprint)
            self._read_at = time.monotonic()

    def _is_current(self, fingerprint: str, read_at: float) -> bool:
        looking = self._looking
        return looking is not None and looking.fingerprint == fingerprint and looking.read_at >= read_at

    def _is_late(self, fingerprint: str, read_at: float) -> bool:
        """Whether it was published by the same daemon before it read the configuration anew that is in force here."""
        looking = self._looking
        return looking is not None and fingerprint in self._former and read_at < looking.read_at

    def _compare(self, ours: str, theirs: str) -> None:
        """Say what is wrong where a look is by another configuration than the one that was just read."""
        if ours == theirs:
            self._refuse("")
        elif self._is_of_our_daemon(theirs):
            self._refuse(OTHER_FILES.format(theirs=theirs, ours=ours))
        elif theirs not in self._strange:
            self._strange.add(theirs)
            log.error("looks_refused", reason=OTHER_WATCHDOG.format(theirs=theirs))

    def _is_of_our_daemon(self, fingerprint: str) -> bool:
        try:
            return self._in_force() in {"", fingerprint}
        except StoreError:
            return True  # so it is as a rule

    def _refuse(self, why: str) -> None:
        if why and why != self.refuses:
            log.error("looks_refused", reason=why)
        elif self.refuses and not why:
            log.info("looks_accepted")
        self.refuses = why

    def _take(self, fresh: Looking) -> None:
        with self._turn:
            old, self._looking, self._vain_since = self._looking, fresh, None
            unused = old is not None and not old.users
            if old is not None:
                old.replaced = True
                self._former.add(old.fingerprint)
        self._monitor.forget_all_but(set(fresh.cycles), set(fresh.rules))
        if old is None or old.fingerprint != fresh.fingerprint:
            log.info("configuration_read", targets=len(fresh.cycles), fingerprint=fresh.fingerprint)
        if old is not None and unused:
            old.close()

    @contextmanager
    def _current(self) -> Iterator[Looking | None]:
        """The configuration in force; a replaced one is closed by whoever used it last."""
        with self._turn:
            looking = self._looking
            if looking is not None:
                looking.users += 1
        try:
            yield looking
        finally:
            if looking is not None:
                with self._turn:
                    looking.users -= 1
                    over = looking.replaced and not looking.users
                if over:
                    looking.close()


@contextmanager
def _turn_of(looking: Looking, target: str) -> Iterator[bool]:
    """Whether no other thread looks at this target; if so, it is taken."""
    turn = looking.turns.setdefault(target, threading.Lock())
    free = turn.acquire(blocking=False)
    try:
        yield free
    finally:
        if free:
            turn.release()
