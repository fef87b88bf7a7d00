"""Whether a silent worker may be executing a task: a solo pool is silent during a task, and so are green threads that do not yield.

Input: a silent worker, its last tasks in Flower, the current time. Output: a `Silence`.
Such a worker sends no heartbeats and answers nothing while its task runs, and even the task's own events only arrive after its end
(measured on 5.7). So it is believed to be alive for as long as a task of it may plausibly run: a few times the longest of its last runs, or
an hour if none is known.
"""

from collections.abc import Iterable
from enum import Enum

from watchdog.core.model.gaps import Gap
from watchdog.core.model.queries import Query, WorkersTasks
from watchdog.core.model.replies import Replies, TaskSeen

__all__ = ["Silence", "may_be_deaf", "questions", "silence_of"]

DEAF_POOLS = frozenset({"solo"})
YIELDING_POOLS = frozenset({"gevent", "eventlet"})
SHORTEST_S = 60.0
TIMES = 5.0
AGAIN = 1.5
"""A silence as long as an earlier one may be somewhat longer the next time."""
UNKNOWN_S = 3600.0
GREEN_S = 120.0
"""Green threads yield at every wait; few tasks compute for longer."""


class Silence(Enum):
    """What a silence means."""

    BUSY = "busy"
    """A task runs, as far as anybody can know: the worker is alive."""
    NO_TASK = "no task"
    """No task explains it."""
    UNKNOWN = "unknown"
    """The durations of its tasks could not be queried, or its pool is unknown."""


def may_be_deaf(pool: str | None) -> bool:
    """Whether a worker of this pool is silent while a task runs; true if the pool is unknown."""
    return pool is None or pool in DEAF_POOLS | YIELDING_POOLS


def questions(silent: Iterable[str]) -> list[Query]:
    """Return the queries to Flower about workers that are silent and may be executing a task."""
    return [WorkersTasks(name) for name in sorted(silent)]


def silence_of(name: str, pool: str | None, heard_at: float | None, longest_s: float, replies: Replies, now: float) -> Silence:
    """Return what a worker's silence means. `heard_at`: when it was last known to be alive; None: never.

    `longest_s`: the longest silence from which its process came back.
    """
    if not may_be_deaf(pool) or heard_at is None:
        return Silence.NO_TASK
    seen = replies.get(WorkersTasks(name), tuple[TaskSeen, ...])
    if isinstance(seen, Gap):
        return Silence.UNKNOWN
    if now - heard_at > max(_plausible_s(seen, pool), longest_s * AGAIN):
        return Silence.NO_TASK
    return Silence.BUSY if pool is not None else Silence.UNKNOWN


def _plausible_s(tasks: Iterable[TaskSeen], pool: str | None) -> float:
    took = [_took_s(task) for task in tasks]
    known = [seconds for seconds in took if seconds is not None]
    plausible = max(SHORTEST_S, TIMES * max(known)) if known else UNKNOWN_S
    return min(plausible, GREEN_S) if pool in YIELDING_POOLS else plausible


def _took_s(task: TaskSeen) -> float | None:
    if task.runtime is not None:
        return task.runtime
    return task.failed - task.started if task.failed is not None and task.started is not None else None
