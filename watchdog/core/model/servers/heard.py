"""What events answer: the queries about tasks that they answer as well as Flower does, and some of their own.

Without Flower, the former are asked of events alone (`OF_TASKS`). Beside a Flower both are asked, and what they say is put together.
"""

from msgspec import Struct

from watchdog.core.model.queries import (
    FailedTasks,
    Query,
    ReadEventCounters,
    RecentTasks,
    RevokedTasks,
    RunningTasks,
    SucceededTasks,
    WorkersTasks,
)
from watchdog.core.model.replies import TaskSeen

__all__ = [
    "FAILURES_HEARD",
    "LISTS",
    "OF_TASKS",
    "CountHeard",
    "CutOff",
    "EventsMeasured",
    "Heard",
    "ListHeard",
    "MeasureEvents",
    "SentTimes",
    "same_moment",
]

ZONE_S = 900.0
"""Time zones differ by whole quarters of an hour."""
SAME_S = 0.001

OF_TASKS: frozenset[type[Query]] = frozenset(
    (ReadEventCounters, RunningTasks, FailedTasks, RevokedTasks, SucceededTasks, WorkersTasks, RecentTasks)
)

LISTS = (RunningTasks, FailedTasks, RevokedTasks, SucceededTasks, WorkersTasks)
"""Those that list tasks; beside a Flower, what was heard is added to its list."""


class CountHeard(Query, frozen=True):
    """What was counted since events of tasks are heard. -> `EventCounters`, whose start is when that was."""

    source = "events"


class ListHeard(Query, frozen=True):
    """One of `LISTS`, of what was heard since events of tasks are heard. -> `Heard`. `among`: the tasks in Flower's list."""

    source = "events"
    wanted: Query
    among: tuple[str, ...] = ()


FAILURES_HEARD = ListHeard(FailedTasks())
"""Among the replies of a poll only where what happened since the poll before is counted by events."""


class Heard(Struct, frozen=True):
    """The tasks that were heard of. `over`: those of Flower's list that were heard to run no more."""

    tasks: tuple[TaskSeen, ...]
    over: frozenset[str] = frozenset()


class CutOff(Query, frozen=True):
    """From how many tasks each worker was cut off (a cold shutdown ends what it executes) that have not come again. -> `dict[str, int]`."""

    source = "events"


class MeasureEvents(Query, frozen=True):
    """How many events come, and what hearing them takes. -> `EventsMeasured`."""

    source = "events"


class EventsMeasured(Struct, frozen=True):
    """Over the last minute or two: events a second, and the share of a core that hearing them took; `allowed`: what those of tasks may."""

    per_s: float
    core_share: float
    allowed: float


class SentTimes(Query, frozen=True):
    """When those of these tasks were sent that no worker has received yet (epoch seconds, by their senders). -> `dict[str, float]`."""

    source = "events"
    tasks: tuple[str, ...]


def same_moment(one: float | None, other: float | None) -> bool:
    """Whether these are the same moment, told by an event and by Flower, whose receiver shifts times where time zones differ."""
    if one is None or other is None:
        return one is other
    apart = abs(one - other) % ZONE_S
    return min(apart, ZONE_S - apart) < SAME_S
