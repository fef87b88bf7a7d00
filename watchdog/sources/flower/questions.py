"""The path for each query to Flower, the decoder of its answer, and the order of queries.

In: a query. Out: a path under Flower's url_prefix, and a function from the answer's bytes to a reply or a gap.
"""

from collections.abc import Callable, Mapping
from urllib.parse import quote

from watchdog.core.model.gaps import Gap
from watchdog.core.model.queries import (
    FailedTasks,
    InspectAll,
    Inspected,
    InspectedNow,
    InspectOne,
    Query,
    QueueLengths,
    ReadEventCounters,
    RecentTasks,
    RevokedTasks,
    RunningTasks,
    SucceededTasks,
    WaitingTasks,
    WholeTask,
    WorkerHeartbeats,
    WorkerStatus,
)
from watchdog.core.model.schedules.queries import WorkerPlans
from watchdog.core.model.servers.flower_queries import HasWorkersPage, OldestTasks
from watchdog.sources.flower.answers import worker_beats, worker_status
from watchdog.sources.flower.inspections import inspections
from watchdog.sources.flower.lengths import queue_lengths
from watchdog.sources.flower.metrics import event_counters
from watchdog.sources.flower.tasks import TaskQuery, tasks_path, tasks_seen, whole_task_path, whole_task_seen
from watchdog.sources.periodic.worker_plans import worker_plans

__all__ = ["API", "DASHBOARD", "HEALTH", "STATUS", "asking", "rank"]

HEALTH = "/healthcheck"
"""Accessible under every auth setting; says only that Flower's event loop is running."""
API = "/api/"
STATUS = "/api/workers?status=true"
DASHBOARD = "/?json=1"
"""The dashboard's JSON, at the only path that all versions have (1.2 has no `/workers`, 2.x no `/dashboard`)."""

Reader = Callable[[bytes], object]

_ORDER: tuple[type[Query], ...] = (
    WorkerStatus,
    WorkerHeartbeats,
    WholeTask,
    HasWorkersPage,
    OldestTasks,
    RecentTasks,  # before the counters: an event in between is then in neither, and is not counted twice by the next poll
    ReadEventCounters,
    Inspected,
    WorkerPlans,
    RunningTasks,
    WaitingTasks,
    FailedTasks,
    RevokedTasks,
    SucceededTasks,
    QueueLengths,
    InspectedNow,
    InspectOne,
    InspectAll,
)

_OF_ITS_OWN: Mapping[type[Query], tuple[str, Reader]] = {
    WorkerStatus: (STATUS, worker_status),
    WorkerHeartbeats: (DASHBOARD, worker_beats),
    ReadEventCounters: ("/metrics", event_counters),
    Inspected: ("/api/workers", inspections),
    InspectedNow: ("/api/workers", inspections),
    WorkerPlans: ("/api/workers", worker_plans),
    InspectAll: ("/api/workers?refresh=true", inspections),
    QueueLengths: ("/api/queues/length", queue_lengths),
    HasWorkersPage: ("/workers", lambda _: True),
}
"""Queries without arguments -> the path to get, and the decoder of its body."""


def rank(query: Query) -> int:
    """The sort key: cheap queries first, those that wait for workers last."""
    return _ORDER.index(type(query)) if type(query) in _ORDER else len(_ORDER)


def asking(query: Query) -> tuple[str, Reader] | None:
    """The path to get, and the decoder of its body; None for a query that Flower cannot answer."""
    if isinstance(query, TaskQuery):
        return tasks_path(query), lambda body: tasks_seen(body, query)
    match query:
        case InspectOne(worker):
            return f"/api/workers?refresh=1&workername={quote(worker, safe='@')}", lambda body: _one(worker, inspections(body))
        case WholeTask():
            return whole_task_path(query), lambda body: whole_task_seen(body, query)
    return _OF_ITS_OWN.get(type(query))


def _one(worker: str, found: Mapping[str, object] | Gap) -> Mapping[str, object] | Gap:
    """The entry of that worker only."""
    return found if isinstance(found, Gap) else {name: entry for name, entry in found.items() if name == worker}
