"""Failed runs that are sent again: looked up in Flower, then put into their queues, each once.

In: a target with `flower` and a broker, a request. Out: the runs as they are known, or why nobody knows; then an answer for each run.
"""

import time
from collections.abc import Callable, Sequence

from watchdog.app.polling import build_sources
from watchdog.config.settings import TargetSettings
from watchdog.core.actions.again import Run, run_of
from watchdog.core.actions.outcome import Answer, Outcome, Word
from watchdog.core.actions.request import Request
from watchdog.core.model.gaps import Gap
from watchdog.sources.control.again import MOST_LISTED, failed_ids, seen_whole

__all__ = ["NO_FLOWER", "not_all_sent", "runs_meant", "send_again"]

NO_FLOWER = "this target has no `flower`: nobody knows the arguments of its failed tasks"


def runs_meant(settings: TargetSettings, request: Request, progress: Callable[[str], None]) -> tuple[tuple[Run, ...], int] | Gap:
    """The runs of this request, those that cannot be sent again too; and how many Flower lists at most, if there may be more."""
    if settings.flower is None:
        return Gap(NO_FLOWER)
    flower = build_sources(settings)["flower"]
    try:
        ids, cut = list(request.ids), False
        if request.failed is not None:
            found = failed_ids(flower, request.failed, time.time() - (request.since_s or 0.0))
            if isinstance(found, Gap):
                return found
            ids, cut = found
        seen = seen_whole(flower, ids, lambda number: progress(f"{number} of {len(ids)} runs"))
    finally:
        flower.close()
    return seen if isinstance(seen, Gap) else (tuple(run_of(one, request.queue) for one in seen), MOST_LISTED if cut else 0)


def send_again(runs: Sequence[Run], send_once: Callable[[Run], bool], answers: dict[str, Answer]) -> None:
    """Send each run once, and add to `answers` what became of it. Raises what `send_once` raises; then the others were not sent."""
    for run in runs:
        if run.why_not:
            answers[run.id] = Answer(worked=False, text=f"not sent: {run.why_not}")
        elif send_once(run):
            answers[run.id] = Answer(worked=True, text=f"sent to {run.queue}")
        else:
            answers[run.id] = Answer(worked=True, text="was sent again before", nothing=True)


def not_all_sent(reason: str, answers: dict[str, Answer]) -> Outcome:
    """The outcome if the broker did not answer any more."""
    rest = Answer(None, f"{reason}; begin anew: what was sent is not sent twice")
    return Outcome(Word.PARTLY if answers else Word.UNKNOWN, {**answers, "the others": rest})
