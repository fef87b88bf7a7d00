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

__all__ = [
    "NOT_DEAF",
    "RETURNED",
    "UNKNOWN_S",
    "Silence",
    "longest_unknown_s",
    "may_be_deaf",
    "questions",
    "silence_of",
    "why_all_silent",
    "why_unexplained",
]

DEAF_POOLS = frozenset({"solo"})
NOT_DEAF = "speaks while it works"
"""Stands for the pool of a worker whose pool nobody knows, but which was heard while it executed a task."""
YIELDING_POOLS = frozenset({"gevent", "eventlet"})
SHORTEST_S = 60.0
TIMES = 5.0
AGAIN = 1.5
"""A silence as long as an earlier one may be somewhat longer the next time."""
UNKNOWN_S = 3600.0
GREEN_S = 120.0
"""Green threads yield at every wait; few tasks compute for longer."""
UNKNOWN_BY_EAR_S = 1800.0
"""The same where nobody can ask it, and nothing tells how long its tasks take; by default it is forgotten after an hour."""
UNKNOWN_POOL_S = 300.0
"""How long a worker is unknown, not lost, if nobody knows whether it may be silent by design."""
DEAF = "it is silent, as a solo pool is while it runs a task, and what it runs is not known"
DEAF_BY_EAR = "it fell silent without a goodbye: it was lost, or is a solo pool that runs a task, and nobody could ask it which"
ALL_BY_EAR = "all workers fell silent together: the broker may be failing over"
TOGETHER = "all workers fell silent together: Flower may have lost its events"
RETURNED = "Flower can query the workers again, but none has answered yet: they may still be coming back to their broker"
NONE_ANSWERS = "all workers fell silent together, and none can be queried: the broker may be dead, or block publishers in an alarm"


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


def longest_unknown_s(*, by_ear: bool) -> float:
    """Return how long a silence that nobody can explain is unknown (seconds). `by_ear`: whether nobody could be asked."""
    return UNKNOWN_BY_EAR_S if by_ear else UNKNOWN_POOL_S


def why_unexplained(*, by_ear: bool) -> str:
    """Return why such a silence proves nothing yet."""
    return DEAF_BY_EAR if by_ear else DEAF


def why_all_silent(before: str, *, by_ear: bool, asked: bool) -> str:
    """Return why it proves nothing yet that all fell silent. `before`: what was said of it before; `asked`: whether a refresh failed."""
    if by_ear:
        return ALL_BY_EAR
    if before == RETURNED:
        return RETURNED
    return NONE_ANSWERS if asked else TOGETHER


def _plausible_s(tasks: Iterable[TaskSeen], pool: str | None) -> float:
    took = [_took_s(task) for task in tasks]
    known = [seconds for seconds in took if seconds is not None]
    plausible = max(SHORTEST_S, TIMES * max(known)) if known else UNKNOWN_S
    return min(plausible, GREEN_S) if pool in YIELDING_POOLS else plausible


def _took_s(task: TaskSeen) -> float | None:
    if task.runtime is not None:
        return task.runtime
    return task.failed - task.started if task.failed is not None and task.started is not None else None
