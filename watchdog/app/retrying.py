"""Failed runs that are sent again: looked up in Flower, then put into their queues, each once.

In: a target with `flower` and `redis`, a request. Out: the runs as they are known, or why nobody knows; then an answer for each run.
"""

import time
from collections.abc import Callable, Sequence

from watchdog.app.polling import build_sources
from watchdog.config.settings import TargetSettings
from watchdog.core.actions.again import Run, run_of
from watchdog.core.actions.outcome import Answer
from watchdog.core.actions.request import Request
from watchdog.core.model.gaps import Gap
from watchdog.sources.control.again import failed_ids, mark_of, message_of, seen_whole
from watchdog.sources.control.queues import QueuesOnRedis
from watchdog.tables.queues.keys import QueueKeys

__all__ = ["NO_FLOWER", "runs_meant", "send_again"]

NO_FLOWER = "this target has no `flower`: nobody knows the arguments of its failed tasks"


def runs_meant(settings: TargetSettings, request: Request, progress: Callable[[str], None]) -> tuple[Run, ...] | Gap:
    """The runs of this request, those that cannot be sent again too."""
    if settings.flower is None:
        return Gap(NO_FLOWER)
    flower = build_sources(settings)["flower"]
    try:
        ids: Sequence[str] | Gap = request.ids
        if request.failed is not None:
            ids = failed_ids(flower, request.failed, time.time() - (request.since_s or 0.0))
        if isinstance(ids, Gap):
            return ids
        seen = seen_whole(flower, ids, lambda number: progress(f"{number} of {len(ids)} runs"))
    finally:
        flower.close()
    return seen if isinstance(seen, Gap) else tuple(run_of(one, request.queue) for one in seen)


def send_again(queues: QueuesOnRedis, keys: QueueKeys, runs: Sequence[Run], answers: dict[str, Answer]) -> None:
    """Send each run once, and add to `answers` what became of it. Raises what Redis raises; then the others were not sent."""
    for run in runs:
        if run.why_not:
            answers[run.id] = Answer(worked=False, text=f"not sent: {run.why_not}")
        elif queues.send_once(keys.lists(run.queue)[0], mark_of(run, keys.prefix), message_of(run)):
            answers[run.id] = Answer(worked=True, text=f"sent to {run.queue}")
        else:
            answers[run.id] = Answer(worked=True, text="was sent again before", nothing=True)
