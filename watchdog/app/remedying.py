"""Carries out remedies: what a cycle has decided and stored is done by the code of `watchdog act`, in a thread, within a deadline.

In: attempts of a committed plan. Out: their outcomes, in the database; the next cycle reads them. No cycle waits for it. What an earlier
process had begun and not ended is finished, not done again: its workers are told once more to consume the queue.
"""

import threading
import time
from collections.abc import Callable, Iterable
from functools import partial

import structlog

from watchdog.app.acting import Acting  # here, not in the threads: two that import parts of one circle at once end in a deadlock
from watchdog.app.configured import Configured
from watchdog.config.settings import to_target
from watchdog.core.actions.foresee import foresee
from watchdog.core.actions.outcome import Answer, Outcome, Word
from watchdog.core.actions.request import Request
from watchdog.core.incidents.remedies.attempt import BEGUN, Attempt
from watchdog.core.model.reading import Past
from watchdog.net.background import in_background
from watchdog.store import Store, StoreError

__all__ = ["Remedying"]

log = structlog.get_logger()

WAIT_S = 2.0
"""How long workers have for each answer."""
DEADLINE_S = 120.0
LAST_STEP = "add-consumer"
"""What leaves a worker as it should be, whatever was sent to it before."""
SEVERAL = threading.Lock()
BEGUN_HERE: set[str] = set()
"""Ids of the attempts that this process began, under any configuration."""


class Remedying:
    """The remedies of one configuration."""

    def __init__(self, conf: Configured, store: Store, past: Callable[[str, float], Past], clock: Callable[[], float]) -> None:
        """`past`: what is remembered of a target (its name, now)."""
        self._conf, self._store, self._past, self._clock = conf, store, past, clock
        self._threads: list[threading.Thread] = []

    def begin(self, attempts: Iterable[Attempt]) -> None:
        """Carry out those that have just been stored."""
        for one in attempts:
            if one.outcome == BEGUN and one.ended_at is None and self._is_new(one):
                log.info("remedy_begun", remedy=one.remedy, target=one.target, rule=one.rule, queue=one.queue, workers=list(one.workers))
                self._start(partial(self._carried_out, one, one.remedy, self._outcome))

    def begin_stored(self) -> None:
        """Carry out those that other processes have stored since the start."""
        try:
            self.begin(self._store.remedies_under_way())
        except StoreError as error:
            log.warning("remedies_not_begun", reason=str(error))

    def resume(self) -> None:
        """Finish those that an earlier process had begun."""
        try:
            left = self._store.remedies_under_way()
        except StoreError as error:
            log.warning("remedies_not_resumed", reason=str(error))
            return
        for one in left:
            if self._is_new(one):
                log.info("remedy_resumed", remedy=one.remedy, target=one.target, rule=one.rule, queue=one.queue)
                self._start(partial(self._carried_out, one, LAST_STEP, self._finished))

    def finish(self, seconds: float) -> None:
        """Wait for those that go on, so long at most. What goes on after that is finished by the next process."""
        ends_at = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(ends_at - time.monotonic(), 0.0))

    def _is_new(self, one: Attempt) -> bool:
        with SEVERAL:
            known = one.id in BEGUN_HERE
            BEGUN_HERE.add(one.id)
            return not known

    def _start(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, name="remedy", daemon=True)
        self._threads = [*filter(threading.Thread.is_alive, self._threads), thread]
        thread.start()

    def _carried_out(self, one: Attempt, kind: str, do: Callable[[Request], Outcome]) -> None:
        """Do it within the deadline, and write down how it ended."""
        request = Request(kind=kind, target=one.target, queue=one.queue, workers=one.workers)
        done = in_background(partial(do, request), "remedy")
        if not done.wait(DEADLINE_S):
            outcome = Outcome(Word.UNKNOWN, {"watchdog": Answer(None, f"no end within {DEADLINE_S:g}s; what was sent is not known")})
        else:
            try:
                outcome = done.result()
            except Exception as error:
                said = f"unexpected {type(error).__name__}; please report it"
                log.error("remedy_failed", remedy=one.remedy, target=one.target, reason=said)  # noqa: TRY400
                log.debug("remedy_crashed", exc_info=error)
                outcome = Outcome(Word.UNKNOWN, {"watchdog": Answer(None, f"{said}; what was sent is not known")})
        log.info("remedy_ended", remedy=one.remedy, target=one.target, rule=one.rule, outcome=outcome.word.value, said=outcome.text)
        try:
            self._store.end_remedy(one.id, outcome.word, outcome.text, self._clock())
        except StoreError as error:
            log.error("remedy_not_written", remedy=one.remedy, target=one.target, reason=str(error))  # noqa: TRY400

    def _outcome(self, request: Request) -> Outcome:
        """Look, and act if what is to be touched is known."""
        settings = next((target for target in self._conf.settings.target if target.name == request.target), None)
        if settings is None:
            return _unsent("this target is no longer configured")
        target = to_target(self._conf.settings, settings)
        acting = Acting(settings, target, self._past(target.name, self._clock()), WAIT_S)
        cluster = acting.look(request)
        foreseen = foresee(request, cluster)
        return _unsent("; ".join(foreseen.faults)) if foreseen.faults else acting.perform(request, foreseen, cluster)

    def _finished(self, request: Request) -> Outcome:
        """Leave the workers as they should be. Whether the rest was done before is not known."""
        outcome = self._outcome(request)
        restarted = Answer(None, "was ended under way; then the workers were told to consume the queue")
        return Outcome(Word.UNKNOWN, {"watchdog": restarted, **outcome.answers})


def _unsent(why: str) -> Outcome:
    return Outcome(Word.REFUSED, {"watchdog": Answer(worked=False, text=f"nothing was sent: {why}")})
