"""What events answer as well as Flower does: the queries about tasks that a daemon which hears their events sends nowhere."""

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

__all__ = ["OF_TASKS"]

OF_TASKS: frozenset[type[Query]] = frozenset(
    (ReadEventCounters, RunningTasks, FailedTasks, RevokedTasks, SucceededTasks, WorkersTasks, RecentTasks)
)
