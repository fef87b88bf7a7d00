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

__all__ = ["OF_TASKS", "SentTimes"]

OF_TASKS: frozenset[type[Query]] = frozenset(
    (ReadEventCounters, RunningTasks, FailedTasks, RevokedTasks, SucceededTasks, WorkersTasks, RecentTasks)
)


class SentTimes(Query, frozen=True):
    """When those of these tasks were sent that no worker has received yet (epoch seconds, by their senders). -> `dict[str, float]`."""

    source = "events"
    tasks: tuple[str, ...]
