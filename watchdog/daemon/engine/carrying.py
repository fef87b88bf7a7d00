"""Who looks at which target: workers as long as they do, the daemon itself where they do not.

In: the targets that are due, what was committed, what the broker says. Out: looks that are published, and the targets at which the daemon
is to look itself. The engine holds nothing that anybody would miss, so no look is older than two of its target's intervals, and the time of
one look, whatever becomes of the broker and of the workers.
"""

import threading
from collections.abc import Callable, Iterable, Mapping
from math import inf

import structlog
from msgspec import Struct

from watchdog.core.model.self_seen import LookerSeen, SelfSeen
from watchdog.daemon.engine.publishing import Look, Publisher
from watchdog.daemon.engine.reporting import with_lookers
from watchdog.store.looks.progress import Progress

__all__ = ["Carrying", "Noticed"]

log = structlog.get_logger()

TOO_OLD = 2.0
"""A target whose last look is older than so many of its intervals is looked at by the daemon itself."""
SILENT = 1.5
"""Workers are silent if none of them has looked at anything for so many of the shortest interval: by then, each target should be done."""
SHORTEST_SILENCE_S = 3.0
"""A look takes a second or two where something does not answer it."""
NOTICED_EVERY_S = 0.5
TRIED_EVERY_S = 1.0
"""While they are silent, one look is published so often."""
NO_WORKER = "no look by a worker for {:.3g} s: does `watchdog worker` run, and does it reach the broker and the database?"


class Noticed(Struct, frozen=True):
    """What has changed since it was asked last. `looked`: targets that workers have looked at -> whether that was late."""

    looked: Mapping[str, bool]
    overdue: tuple[str, ...] = ()
    """Targets at which the daemon is to look now."""
    messages: bool = False
    incidents: bool = False


class _Target(Struct):
    """What is known of the looks at one target. `at`: when the last one was, by the clock of those who look. `ours`: we are looking.
    `tried_at`: when our last look ended, committed or not, by the stopwatch.
    """

    interval_s: float
    at: float
    ours: bool = False
    tried_at: float = -inf


class Carrying:
    """The daemon's side of an engine. Thread-safe."""

    def __init__(
        self,
        intervals: Mapping[str, float],
        publisher: Publisher,
        fingerprint: str,
        clock: Callable[[], float],
        stopwatch: Callable[[], float],
        started: Callable[[], None] = lambda: None,
    ) -> None:
        """`intervals`: target -> how often to look (seconds), for the targets that the engine carries. `clock`: of those who look.
        `started` is called once it is.
        """
        self._started = started
        self._publisher, self._fingerprint, self._clock, self._stopwatch = publisher, fingerprint, clock, stopwatch
        self._read_at = began = clock()
        self._targets = {name: _Target(interval_s, began) for name, interval_s in intervals.items()}
        self._silence_s = max(SILENT * min(intervals.values(), default=inf), SHORTEST_SILENCE_S)
        self._workers_at = self._tried_at = stopwatch()
        self._silent = ""  # why, while workers are silent
        self._broker_fails = ""
        self._progress: Progress | None = None
        self._turn = threading.Lock()

    @property
    def notice_s(self) -> float:
        """How often to ask what others have committed, in seconds."""
        return min(NOTICED_EVERY_S, self._silence_s / 4)

    @property
    def silent(self) -> str:
        """Why workers do not look; empty while they do."""
        return self._silent

    def start(self) -> None:
        """Begin to publish."""
        self._workers_at = self._tried_at = self._stopwatch()  # it may have been built long before, while an old configuration ended
        self._publisher.start(self.broker)
        log.info("engine_started", targets=len(self._targets))
        self._started()

    def stop(self, patience_s: float) -> None:
        """Publish nothing more."""
        self._publisher.stop(patience_s)

    def broker(self, reason: str) -> None:
        """The broker does not take looks, for this reason; or takes them again (empty)."""
        if reason != self._broker_fails:
            self._broker_fails = reason
            if reason:
                self._silence(reason)

    def takes(self, target: str) -> bool:
        """A look is due. Returns whether workers have it; if not, the caller looks, and says so with `looked`."""
        known = self._targets.get(target)
        if known is None:
            return False
        if self._silent or self._clock() - known.at > TOO_OLD * known.interval_s:
            known.ours = True
            return False
        self._publisher.publish(self._look(target, known))
        return True

    def looked(self, target: str, at: float | None) -> None:
        """The daemon has looked itself; None: nothing was committed. While workers are silent, they are tried with the next look of such
        a target now and then.
        """
        known = self._targets.get(target)
        if known is None:
            return
        known.at, known.ours, known.tried_at = known.at if at is None else at, False, self._stopwatch()
        if self._silent and self._stopwatch() - self._tried_at >= TRIED_EVERY_S:
            self._tried_at = self._stopwatch()
            self._publisher.publish(self._look(target, known), alone=True)

    def notice(self, progress: Progress) -> Noticed:
        """Compare what is committed with what was before, and find out whether workers look."""
        with self._turn:
            looked = {name: late for name, at in progress.looked_at.items() if (late := self._look_of_worker(name, at)) is not None}
            before, self._progress = self._progress or Progress(), progress
        if looked:
            self._heard_of_workers()
        elif not self._silent and self._stopwatch() - self._workers_at > self._silence_s:
            self._silence(NO_WORKER.format(self._silence_s))
        return Noticed(looked, self.overdue(), progress.messages != before.messages, progress.changes != before.changes)

    def completed(self, seen: SelfSeen, lookers: Iterable[LookerSeen]) -> SelfSeen:
        """What the daemon knows of itself, with what its workers say."""
        return with_lookers(seen, lookers, self._silent)

    def overdue(self) -> tuple[str, ...]:
        """Targets that the daemon is to look at at once. One whose look fails is not tried more often than once in its interval."""
        now, tried, most = self._clock(), self._stopwatch(), 1.0 if self._silent else TOO_OLD
        old = ((name, one) for name, one in self._targets.items() if now - one.at > most * one.interval_s and not one.ours)
        return tuple(name for name, one in old if tried - one.tried_at >= one.interval_s)

    def _look_of_worker(self, name: str, at: float) -> bool | None:
        """Whether a worker's look was late; None: there was none since it was asked last."""
        known = self._targets.get(name)
        if known is None or known.ours or at <= known.at:  # earlier: it was read before a look of ours was committed
            return None
        late, known.at = at - known.at > TOO_OLD * known.interval_s, at
        return late

    def _heard_of_workers(self) -> None:
        self._workers_at = self._stopwatch()
        if self._silent and not self._broker_fails:  # else it is the end of a look from before
            self._silent = ""
            log.info("engine_back", targets=len(self._targets))

    def _silence(self, reason: str) -> None:
        if not self._silent:
            log.warning("engine_silent", reason=reason, targets=len(self._targets), what="the daemon looks itself")
        self._silent = reason
        self._tried_at = self._stopwatch()

    def _look(self, target: str, known: _Target) -> Look:
        return Look(target, known.interval_s, self._fingerprint, self._read_at)
