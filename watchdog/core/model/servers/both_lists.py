"""A list of tasks as both tell it: Flower's, and what was heard since events are.

In: a query of `LISTS`, the answers of the two. Out: one list, in which each task is once, as it was heard if it was. So nothing changes
hands: who is heard no more leaves Flower's list as it is. One whose name was told before events were heard has Flower's name for it.
"""

from collections.abc import Callable

from msgspec.structs import replace

from watchdog.core.model.gaps import Gap
from watchdog.core.model.queries import FailedTasks, Query, RevokedTasks, RunningTasks, SucceededTasks, WorkersTasks
from watchdog.core.model.replies import TaskSeen
from watchdog.core.model.servers.heard import Heard

__all__ = ["list_of_both"]

WITHOUT_FLOWER = (FailedTasks, RevokedTasks, SucceededTasks)
"""Lists that events have alone while Flower does not answer: of what happened since. What runs may have begun before."""

_Order = Callable[[TaskSeen], float]


def list_of_both(query: Query, listed: tuple[TaskSeen, ...] | Gap, heard: Heard | Gap) -> tuple[TaskSeen, ...] | Gap:
    """Return the tasks that either lists. Failed and revoked ones may be more than the limit: so no older one comes back into sight."""
    if isinstance(heard, Gap):
        return listed
    if isinstance(listed, Gap):
        return heard.tasks if isinstance(query, WITHOUT_FLOWER) else listed
    ours = frozenset(task.id for task in heard.tasks)
    theirs = {task.id: task.name for task in listed if task.id in ours}
    named = [task if task.name else replace(task, name=theirs.get(task.id)) for task in heard.tasks]
    both = [*named, *(task for task in listed if task.id not in ours and task.id not in heard.over)]
    match query:
        case RunningTasks(limit):
            return tuple(sorted(both, key=lambda task: task.started or task.received or 0.0)[:limit])
        case SucceededTasks(_, limit) | WorkersTasks(_, limit):
            return tuple(sorted(both, key=lambda task: task.timestamp or 0.0, reverse=True)[:limit])
    return tuple(both)
