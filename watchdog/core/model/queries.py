"""The queries a table can send to a source: small frozen values, equal if they ask the same thing.

Tables create them, the poller drops duplicates, a source answers each with the reply type named here (see `replies`) or a `Gap`.
`good_for_s` says how long an answer may be reused; 0: ask in each cycle. Costs were measured on Flower 2.2 and Redis 7.0 with 2 workers.
"""

from typing import ClassVar, Generic, TypeVar

from msgspec import Struct

T = TypeVar("T")

__all__ = [
    "STARTED_TASKS",
    "CountFlushes",
    "FailedTasks",
    "HashSize",
    "HearWorkers",
    "InspectAll",
    "InspectOne",
    "Inspected",
    "InspectedNow",
    "ListLengths",
    "LowestScore",
    "OfKeys",
    "OldestMessage",
    "Ping",
    "PingResults",
    "Query",
    "QueueLengths",
    "ReadEventCounters",
    "ReadResultsServer",
    "ReadServer",
    "RecentTasks",
    "RevokedTasks",
    "RunningTasks",
    "ScanKeys",
    "SetMembers",
    "StoredResult",
    "SucceededTasks",
    "TaskMeta",
    "WaitingTasks",
    "WholeTask",
    "WorkerHeartbeats",
    "WorkerStatus",
    "WorkersTasks",
    "sources_asked",
]


class Query(Struct, frozen=True):
    """One query to one source."""

    source: ClassVar[str] = ""
    good_for_s: ClassVar[float] = 0.0


def sources_asked() -> frozenset[str]:
    """Return every source that some query goes to."""
    return frozenset(question.source for question in Query.__subclasses__())


# --- Flower -----------------------------------------------------------------------------------------------------------


class WorkerStatus(Query, frozen=True):
    """`/healthcheck`, then `/api/workers?status=true`: the first query to Flower. -> `dict[str, bool]` (2 + 3 ms)."""

    source = "flower"


class WorkerHeartbeats(Query, frozen=True):
    """`/?json=1`: the state of each worker from its events. -> `dict[str, WorkerBeat]` (3 ms)."""

    source = "flower"


class ReadEventCounters(Query, frozen=True):
    """`/metrics`, only `flower_events_total` and `process_start_time_seconds`. -> `EventCounters` (5 to 250 ms)."""

    source = "flower"
    good_for_s = 15.0


class Inspected(Query, frozen=True):
    """`/api/workers`: Flower's cache of the last inspect. -> `dict[str, WorkerInspection]` (3 ms, 5 kB per worker)."""

    source = "flower"
    good_for_s = 30.0


class InspectedNow(Query, frozen=True):
    """The same, never reused: asked right before a refresh, so that what is new in the refresh is an answer to it and to no earlier one."""

    source = "flower"


class InspectOne(Query, frozen=True):
    """`/api/workers?refresh=1&workername=`: ask one worker. -> `dict[str, WorkerInspection]` (only its entry; empty on 404).

    0.05 s if the worker answers, 2 s if it does not (200 with the old `timestamp`).
    """

    source = "flower"
    worker: str


class InspectAll(Query, frozen=True):
    """`/api/workers?refresh=true`: ask every worker. -> `dict[str, WorkerInspection]` (1 s; dead workers keep their old `timestamp`)."""

    source = "flower"


class RunningTasks(Query, frozen=True):
    """`/api/tasks?state=STARTED&sort_by=started`: the longest-running tasks. -> `tuple[TaskSeen, ...]`, oldest start first.

    `limit` (1 to 1000) bounds the answer; an answer of that length may be incomplete. Tasks of dead workers stay in it forever. Costs
    Flower 10 to 120 ms; after a slow answer `polling/pace.py` extends `good_for_s`.
    """

    source = "flower"
    good_for_s = 30.0
    limit: int = 100


STARTED_TASKS = RunningTasks()
"""The query for running tasks that all tables share, so that it is sent once."""


class WaitingTasks(Query, frozen=True):
    """`/api/tasks?state=RECEIVED`: what workers hold and did not start. -> `tuple[TaskSeen, ...]`; `limit` as in `RunningTasks`."""

    source = "flower"
    limit: int = 1000


class FailedTasks(Query, frozen=True):
    """`/api/tasks?state=FAILURE`: the last failures. -> `tuple[TaskSeen, ...]`, last event first; `limit` as in `RunningTasks`."""

    source = "flower"
    good_for_s = 15.0  # the same as the counters, which it corrects
    limit: int = 200


class RevokedTasks(Query, frozen=True):
    """`/api/tasks?state=REVOKED`: the last tasks revoked or expired. -> `tuple[TaskSeen, ...]`, as in `FailedTasks`."""

    source = "flower"
    good_for_s = 30.0
    limit: int = 200


class SucceededTasks(Query, frozen=True):
    """`/api/tasks?state=SUCCESS&taskname=`: a task's last successes, with runtimes. -> `tuple[TaskSeen, ...]`, as in `FailedTasks`."""

    source = "flower"
    good_for_s = 30.0
    task: str
    limit: int = 200


class WorkersTasks(Query, frozen=True):
    """`/api/tasks?workername=`: the last tasks of one worker, in any state. -> `tuple[TaskSeen, ...]`, as in `FailedTasks`."""

    source = "flower"
    good_for_s = 30.0
    worker: str
    limit: int = 100


class RecentTasks(Query, frozen=True):
    """`/api/tasks?limit=`: the tasks with the latest events, in any state. -> `tuple[TaskSeen, ...]`, last event first.

    `limit` as in `RunningTasks`. The largest answer (0.8 MB) costs Flower 30 to 230 ms, so it is only used for a first poll.
    """

    source = "flower"
    limit: int = 1000


class WholeTask(Query, frozen=True):
    """`/api/task/info/ID`: everything that Flower knows of one task. -> `WholeTaskSeen`; one that it does not list has no state (3 ms)."""

    source = "flower"
    id: str


class QueueLengths(Query, frozen=True):
    """`/api/queues/length`: queues that inspected workers consume. -> `dict[str, int]`; queues without a consumer are missing (8 ms).

    Only used if Redis itself is not polled, and not while Redis may hang: one such query then blocks all of Flower 2.0 and 1.2 until Redis
    is back (`tables/queues/by_flower.py`).
    """

    source = "flower"
    good_for_s = 30.0


# --- Redis ------------------------------------------------------------------------------------------------------------


class Ping(Query, frozen=True):
    """PING: the first query to Redis. -> `Pong`."""

    source = "redis"


class ReadServer(Query, frozen=True):
    """INFO (sections server, clients, memory, persistence, stats, replication). -> `RedisServer`."""

    source = "redis"


class CountFlushes(Query, frozen=True):
    """INFO commandstats. -> `int`: how often FLUSHALL and FLUSHDB ran since the start of Redis or CONFIG RESETSTAT."""

    source = "redis"


class OfKeys(Query, Generic[T], frozen=True):
    """One question about each of many keys: a large site has thousands. -> `Held[T]`; a key that cannot be read is a gap of its own."""

    source = "redis"
    keys: tuple[str, ...]


class ListLengths(OfKeys[int], frozen=True):
    """LLEN of each key. -> `Held[int]`."""


class SetMembers(OfKeys[frozenset[str]], frozen=True):
    """SMEMBERS of each key. -> `Held[frozenset[str]]`."""


class OldestMessage(Query, frozen=True):
    """LINDEX key -1: the message served next (kombu pushes left, pops right). -> `MessageHead`, which says so if the list is empty."""

    source = "redis"
    key: str


class HashSize(Query, frozen=True):
    """HLEN. -> `int`; a missing key is 0."""

    source = "redis"
    key: str


class LowestScore(Query, frozen=True):
    """ZRANGE key 0 0 WITHSCORES. -> `float`; an empty set is `inf`."""

    source = "redis"
    key: str


class ScanKeys(Query, frozen=True):
    """SCAN cursor MATCH pattern, in small steps, until the scan is complete or about `budget` keys were scanned. -> `KeysFound`."""

    source = "redis"
    cursor: int
    pattern: str
    budget: int


class HearWorkers(Query, frozen=True):
    """What workers said in their events since the last time, heard by a thread of the daemon. -> `WorkersHeard` (no request)."""

    source = "events"
    prefix: str = ""


# --- The Redis that holds the results -----------------------------------------------------------------------------------


class PingResults(Ping, frozen=True):
    """PING: the first query to the results' Redis, if `results` configures a separate one. -> `Pong`."""

    source = "results"


class ReadResultsServer(ReadServer, frozen=True):
    """INFO. -> `RedisServer`."""

    source = "results"


class TaskMeta(Query, frozen=True):
    """GET of a `celery-task-meta-<id>`: a task's entry in the result backend. -> `TaskMetaSeen`; a missing key: all None.

    Sent to the target's `results`; without that, to the broker's Redis, in database `db` (None: the broker's own).
    """

    source = "results"
    key: str
    db: int | None = None


class StoredResult(TaskMeta, frozen=True):
    """The same, with all that the entry holds. -> `StoredResultSeen`; a missing key: all None."""
