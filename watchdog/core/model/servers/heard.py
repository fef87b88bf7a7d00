"""What events answer: the queries about tasks that they answer as well as Flower does, which then go nowhere; and one of their own."""

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

__all__ = ["OF_TASKS", "SentTimes", "same_moment"]

ZONE_S = 900.0
"""Time zones differ by whole quarters of an hour."""
SAME_S = 0.001

OF_TASKS: frozenset[type[Query]] = frozenset(
    (ReadEventCounters, RunningTasks, FailedTasks, RevokedTasks, SucceededTasks, WorkersTasks, RecentTasks)
)


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
