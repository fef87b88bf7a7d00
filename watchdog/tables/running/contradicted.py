"""Workers that execute fewer tasks than Flower shows as started on them: the worker itself is asked which ones it executes.

Flower hears no end of a task that raised Ignore, and may miss others; it shows them as started forever (measured with Celery 5.7). The
worker's heartbeat reports how many tasks it executes, and its answer to a refresh of it alone reports which ones.
Input: what Flower lists, heartbeats, what is remembered. Output: the workers to ask, which tasks have ended, and why the others are
unknown.
"""

from collections import Counter
from collections.abc import Iterable, Mapping

from watchdog.core.model.gaps import Gap
from watchdog.core.model.queries import InspectOne, WorkerHeartbeats
from watchdog.core.model.replies import Replies, WorkerBeat
from watchdog.tables.running.memory import KnownRun
from watchdog.tables.workers.memory import KnownWorkers, passed

__all__ = ["contradiction", "ended_by_its_worker", "workers_to_ask"]

SETTLED_S = 10.0
"""A task that started later may be missing in the last heartbeat (they come every 2 s), or be listed after the worker answered."""
ASK_EVERY_S = 60.0
MOST_ASKED = 3
"""Most workers asked per poll: one that does not answer costs 2 s."""


def workers_to_ask(runs: Iterable[KnownRun], replies: Replies, asked_at: Mapping[str, float], now: float) -> list[InspectOne]:
    """Return a refresh of each worker that executes fewer tasks than Flower shows and has not been asked recently."""
    beats = replies.get(WorkerHeartbeats(), dict[str, WorkerBeat])
    if isinstance(beats, Gap):
        return []
    shown = Counter(run.worker for run in runs if run.worker and _settled(run, now))
    doubtful = [name for name, count in sorted(shown.items()) if _executes_less(beats.get(name), count)]
    return [InspectOne(name) for name in doubtful if passed(asked_at.get(name), now, ASK_EVERY_S)][:MOST_ASKED]


def ended_by_its_worker(run: KnownRun, known_workers: KnownWorkers, now: float) -> bool:
    """Whether its worker has reported in this poll what it executes, and this task is not part of it."""
    active = _active(run, known_workers, now)
    return active is not None and run.id not in active and _settled(run, now)


def contradiction(worker: str, executes: float, runs: Iterable[KnownRun], now: float) -> str:
    """Return why it is unknown which of the tasks the worker executes; empty if it can be all of them."""
    shown = sum(1 for run in runs if run.worker == worker and not run.ended and _settled(run, now))
    if not 0 < executes < shown:  # at 0 all is known: none runs
        return ""
    both = f"{shown} tasks are reported as started on {worker}, whose heartbeat reports {executes:g}"
    return f"{both}; which of them is not known"


def _active(run: KnownRun, known_workers: KnownWorkers, now: float) -> tuple[str, ...] | None:
    known = known_workers.known.get(run.worker or "")
    if known is None or known.inspection is None or known.answered_at != now:
        return None
    return known.inspection.active


def _executes_less(beat: WorkerBeat | None, shown: int) -> bool:
    return beat is not None and beat.online and beat.active is not None and beat.active < shown


def _settled(run: KnownRun, now: float) -> bool:
    """Whether it started long enough ago, as far as its worker's clock can be trusted."""
    return not run.ended and run.listed and run.started is not None and now - run.started >= SETTLED_S
