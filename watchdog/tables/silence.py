"""Whether a silent worker may be at work: a solo pool says nothing while a task runs, nor do green threads while one does not yield.

In: a silent worker, what Flower lists as running and how long that task took before, now. Out: a `Silence`.
Such a worker neither beats nor answers while its task runs (measured on 5.7). It is believed for as long as that task may plausibly run:
a few times its longest run that is known, or an hour where none is. One of which Flower shows no task as started is silent for no task.
"""

from collections.abc import Iterable
from enum import Enum

from watchdog.core.gaps import Gap
from watchdog.core.queries import Query, RunningTasks, SucceededTasks
from watchdog.core.replies import Replies, TaskSeen

__all__ = ["STARTED", "Silence", "may_be_deaf", "questions", "silence_of"]

STARTED = RunningTasks()
LIMIT = 100
DEAF_POOLS = frozenset({"solo"})
YIELDING_POOLS = frozenset({"gevent", "eventlet"})
SHORTEST_S = 30.0
TIMES = 5.0
UNKNOWN_S = 3600.0
GREEN_S = 120.0
"""Green threads yield at every wait: a task that computes for longer is rare."""


class Silence(Enum):
    """What it means."""

    BUSY = "busy"
    """Its task runs: the worker is there."""
    TOO_LONG = "too long"
    """Its task should be over."""
    IDLE = "idle"
    """It has no task, or none that would make it silent."""
    UNKNOWN = "unknown"
    """What runs could not be asked, or its pool is not known."""


def may_be_deaf(pool: str | None) -> bool:
    """Whether a worker of this pool is silent while a task runs; one whose pool is not known may be."""
    return pool is None or pool in DEAF_POOLS | YIELDING_POOLS


def questions(silent: Iterable[str], replies: Replies) -> list[Query]:
    """What is to be asked of Flower about workers that are silent and may be deaf: what runs there, then how long that took before."""
    names = frozenset(silent)
    if not names:
        return []
    newest = (_task_on(name, replies) for name in sorted(names))
    return [STARTED, *dict.fromkeys(SucceededTasks(task.name, LIMIT) for task in newest if task is not None and task.name)]


def silence_of(name: str, pool: str | None, online_at: float | None, replies: Replies, now: float) -> Silence:
    """What a worker's silence means. `online_at`: when it was last known to be online, by our clock."""
    if not may_be_deaf(pool):
        return Silence.IDLE
    listed = replies.get(STARTED, tuple[TaskSeen, ...])
    if isinstance(listed, Gap):
        return Silence.UNKNOWN
    task = _task_on(name, replies)
    if task is None:
        return Silence.UNKNOWN if len(listed) >= STARTED.limit else Silence.IDLE
    silent_s = now - online_at if online_at is not None else max(now - (task.started or now), 0.0)
    if silent_s > _plausible_s(task, pool, replies):
        return Silence.TOO_LONG
    return Silence.BUSY if pool is not None else Silence.UNKNOWN


def _task_on(name: str, replies: Replies) -> TaskSeen | None:
    """The task that it began last, of those that Flower shows as started."""
    listed = replies.get(STARTED, tuple[TaskSeen, ...])
    mine = [] if isinstance(listed, Gap) else [task for task in listed if task.worker == name]
    return max(mine, key=lambda task: task.started or 0.0) if mine else None


def _plausible_s(task: TaskSeen, pool: str | None, replies: Replies) -> float:
    seen = replies.get(SucceededTasks(task.name or "", LIMIT), tuple[TaskSeen, ...])
    took = [] if isinstance(seen, Gap) else [run.runtime for run in seen if run.runtime is not None]
    plausible = max(SHORTEST_S, TIMES * max(took)) if took else UNKNOWN_S
    return min(plausible, GREEN_S) if pool in YIELDING_POOLS else plausible
