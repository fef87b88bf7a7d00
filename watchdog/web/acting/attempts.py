"""Actions that people began on the page: looked at, confirmed or left, done, each in a thread of its own so that nothing waits for it.

In: who, what, and who looks and acts (`Actor`). Out: each attempt as it is now, by its id; lines of the audit log. Nothing is sent before
its person confirmed what it will touch, nor before the audit log has it; whoever confirms twice has it done once.
"""

import os
import secrets
import socket
import threading
import time
from collections.abc import Callable
from enum import StrEnum
from functools import partial
from typing import Any, Protocol

import structlog
from msgspec import Struct
from msgspec.structs import replace

from watchdog.core.actions.foresee import foresee
from watchdog.core.actions.outcome import Answer, Outcome, Word
from watchdog.core.actions.record import ActionRecord, new_record
from watchdog.core.actions.request import Cluster, Foreseen, Request
from watchdog.core.text.durations import format_duration
from watchdog.store import Store, StoreError
from watchdog.web.acting.refusals import Refusals

__all__ = ["Actor", "Attempt", "Attempts", "BusyError", "Stage"]

log = structlog.get_logger()

MOST_UNDER_WAY = 8
MOST_KEPT = 200
CONFIRMED_WITHIN_S = 300.0
"""What was looked at longer ago is looked at anew: a queue fills, a worker comes and goes."""
UNWRITTEN = "nothing is done that cannot be written to the audit log"
INTERRUPTED = Outcome(Word.UNKNOWN, {"watchdog": Answer(None, "it failed under way; what was sent is not known")})

Progress = Callable[[str], None]


class Actor(Protocol):
    """Who looks and acts on one target. What hangs is left and said."""

    def look(self, request: Request, progress: Progress) -> Cluster:
        """The cluster as far as it matters for this request."""

    def perform(self, request: Request, foreseen: Foreseen, cluster: Cluster, progress: Progress) -> Outcome:
        """Do it, and tell what came back."""


class Stage(StrEnum):
    """How far an attempt is."""

    LOOKING = "looking"
    READY = "ready"
    REFUSED = "refused"
    LEFT = "left"
    DOING = "doing"
    OVER = "over"


class Attempt(Struct, frozen=True):
    """One action of one person. `progress`: what is done at the moment; `faults`: why nothing is done."""

    id: str
    person: str
    request: Request
    stage: Stage = Stage.LOOKING
    looked_at: float = 0.0
    foreseen: Foreseen = Foreseen()
    progress: str = ""
    faults: tuple[str, ...] = ()
    record: ActionRecord | None = None
    outcome: Outcome | None = None

    @property
    def under_way(self) -> bool:
        """Whether something is being done for it now."""
        return self.stage in (Stage.LOOKING, Stage.DOING)


class BusyError(Exception):
    """Too many attempts are under way."""


class Attempts:
    """All attempts of a process, across its configurations. Thread-safe."""

    def __init__(self, store: Store, clock: Callable[[], float]) -> None:
        self._store, self._clock = store, clock
        self._host, self._process = socket.gethostname(), os.getpid()
        self._refusals = Refusals(store, clock)
        self._kept: dict[str, Attempt] = {}
        self._ready: dict[str, tuple[Actor, Cluster]] = {}  # large: forgotten once an attempt can be confirmed no more
        self._threads: list[threading.Thread] = []
        self._one_by_one = threading.Lock()

    def begin(self, person: str, request: Request, actor: Actor) -> Attempt:
        """Look what it would touch. Raises BusyError."""
        with self._one_by_one:
            if sum(one.under_way for one in self._kept.values()) >= MOST_UNDER_WAY:
                raise BusyError
            attempt = Attempt(secrets.token_urlsafe(16), person, request)
            self._kept[attempt.id] = attempt
            self._forget_old()
        self._start(partial(self._look, attempt, actor))
        return attempt

    def of(self, named: str, person: str) -> Attempt | None:
        """An attempt of this person."""
        found = self._kept.get(named)
        return found if found is not None and found.person == person else None

    def confirm(self, attempt: Attempt) -> None:
        """Do it, once: whatever is not ready any more is left as it is."""
        with self._one_by_one:
            now, found = self._clock(), self._kept.get(attempt.id)
            if found is None or found.stage is not Stage.READY:
                return
            if self._is_stale(found, now):
                self._make_stale(found)
                return
            actor, cluster = self._ready.pop(found.id)
            record = replace(self._record(found.person, found.request), workers=found.foreseen.workers)
            found = self._kept[found.id] = replace(found, stage=Stage.DOING, record=record, progress=found.request.kind)
        self._start(partial(self._perform, found, record, actor, cluster))

    def leave(self, attempt: Attempt) -> None:
        """Not do it. Raises StoreError."""
        with self._one_by_one:
            found = self._kept.get(attempt.id)
            if found is None or found.stage is not Stage.READY:
                return
            self._kept[found.id] = replace(found, stage=Stage.LEFT)
            del self._ready[found.id]
        self._write(found.person, found.request, Word.DECLINED, "")

    def refuse(self, person: str, request: Request, why: str) -> None:
        """Write down, or count, what was not even looked at. Raises StoreError."""
        record = self._record(person, request)
        self._refusals.write(replace(record, outcome=Word.REFUSED, text=why, ended_at=self._clock()))

    def finish(self, seconds: float) -> None:
        """Wait for what was confirmed, for so long at most; what goes on after that stays `begun` in the audit log."""
        ends_at = time.monotonic() + seconds
        for thread in self._threads:
            if any(one.stage is Stage.DOING for one in tuple(self._kept.values())):
                thread.join(max(ends_at - time.monotonic(), 0.0))

    def _forget_old(self) -> None:
        """Keep no more than is needed, whatever people leave behind."""
        now = self._clock()
        for one in [one for one in self._kept.values() if self._is_stale(one, now)]:
            self._make_stale(one)
        for old in [one.id for one in self._kept.values() if not one.under_way][:-MOST_KEPT]:
            self._ready.pop(old, None)
            del self._kept[old]

    def _is_stale(self, attempt: Attempt, now: float) -> bool:
        return attempt.stage is Stage.READY and now - attempt.looked_at > CONFIRMED_WITHIN_S

    def _make_stale(self, attempt: Attempt) -> None:
        said = f"looked at more than {format_duration(CONFIRMED_WITHIN_S)} ago; look again"
        self._kept[attempt.id] = replace(attempt, stage=Stage.REFUSED, faults=(said,))
        del self._ready[attempt.id]

    def _look(self, attempt: Attempt, actor: Actor) -> None:
        cluster, foreseen = Cluster(), Foreseen()
        try:
            cluster = actor.look(attempt.request, self._progress(attempt))
            foreseen = foresee(attempt.request, cluster)
        except Exception as error:  # noqa: BLE001 - whatever it was, the person is told and nothing is sent
            foreseen = Foreseen(faults=(_crashed(attempt, error),))
        if not foreseen.faults:
            with self._one_by_one:
                self._ready[attempt.id] = actor, cluster
                self._kept[attempt.id] = replace(self._kept[attempt.id], stage=Stage.READY, looked_at=self._clock(), foreseen=foreseen)
            return
        faults = foreseen.faults
        try:
            self._write(attempt.person, attempt.request, Word.REFUSED, "; ".join(faults))
        except StoreError as error:
            faults = (*faults, f"{error}; this refusal is not in the audit log")
        self._change(attempt, stage=Stage.REFUSED, faults=faults)

    def _perform(self, attempt: Attempt, record: ActionRecord, actor: Actor, cluster: Cluster) -> None:
        try:
            self._store.add_action(record)
        except StoreError as error:
            self._change(attempt, stage=Stage.REFUSED, record=None, faults=(f"{error}; {UNWRITTEN}",))
            return
        outcome, unended = INTERRUPTED, tuple[str, ...]()
        try:
            outcome = actor.perform(attempt.request, attempt.foreseen, cluster, self._progress(attempt))
        except Exception as error:  # noqa: BLE001 - the outcome is unknown then, and the audit log says so
            _crashed(attempt, error)
        ended = replace(record, outcome=outcome.word, text=outcome.text, ended_at=self._clock())
        try:
            self._store.end_action(ended.id, outcome.word, outcome.text, self._clock())
        except StoreError as error:
            unended = (f"how it ended could not be written to the audit log, which says `begun`: {error}",)
        self._change(attempt, stage=Stage.OVER, record=ended, outcome=outcome, faults=unended)

    def _write(self, person: str, request: Request, word: Word, text: str) -> None:
        """Write down an action that was not sent."""
        self._store.add_action(replace(self._record(person, request), outcome=word, text=text, ended_at=self._clock()))

    def _record(self, person: str, request: Request) -> ActionRecord:
        """Who signed in is told apart from the users of the operating system, who may have the same name."""
        return new_record(request, self._clock(), f"{person} (page)", self._host, self._process)

    def _progress(self, attempt: Attempt) -> Progress:
        return lambda text: self._change(attempt, progress=text)

    def _change(self, attempt: Attempt, **changes: Any) -> None:
        with self._one_by_one:
            self._kept[attempt.id] = replace(self._kept[attempt.id], **changes)

    def _start(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, name="acting", daemon=True)
        thread.start()
        with self._one_by_one:
            self._threads = [*filter(threading.Thread.is_alive, self._threads), thread]


def _crashed(attempt: Attempt, error: Exception) -> str:
    said = f"unexpected {type(error).__name__}; please report it"
    log.error("action_failed", action=attempt.request.kind, target=attempt.request.target, reason=said)
    log.debug("action_crashed", exc_info=error)
    return said
