"""The questions a table can put to a source: small frozen values, equal when they ask the same thing.

Tables make them, the asking engine drops duplicates, a source answers each with the reply type named here
(see `replies`) or a `Gap`. `good_for_s` says how long an answer may be reused before it is asked again;
0 asks anew each cycle. Costs are those measured on Flower 2.2 and Redis 7.0 with 2 workers.
"""

from typing import ClassVar

from msgspec import Struct

__all__ = [
    "NONE_LISTED",
    "STARTED_TASKS",
    "CountFlushes",
    "FailedTasks",
    "HashSize",
    "InspectAll",
    "InspectOne",
    "Inspected",
    "InspectedNow",
    "ListLength",
    "LowestScore",
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
    "SucceededTasks",
    "TaskMeta",
    "WorkerHeartbeats",
    "WorkerStatus",
    "WorkersTasks",
    "sources_asked",
]


class Query(Struct, frozen=True):
    """One question to one source."""

    source: ClassVar[str] = ""
    good_for_s: ClassVar[float] = 0.0


def sources_asked() -> frozenset[str]:
    """Every source that some question goes to."""
    return frozenset(question.source for question in Query.__subclasses__())


# --- Flower -----------------------------------------------------------------------------------------------------------


class WorkerStatus(Query, frozen=True):
    """`/healthcheck`, then `/api/workers?status=true`: Flower's first question. -> `dict[str, bool]` (2 + 3 ms)."""

    source = "flower"


class WorkerHeartbeats(Query, frozen=True):
    """`/?json=1`: what each worker's events said. -> `dict[str, WorkerBeat]` (3 ms)."""

    source = "flower"


class ReadEventCounters(Query, frozen=True):
    """`/metrics`, cut to `flower_events_total` and `process_start_time_seconds`. -> `EventCounters` (5 to 250 ms)."""

    source = "flower"
    good_for_s = 15.0


class Inspected(Query, frozen=True):
    """`/api/workers`: Flower's cache of the last inspect. -> `dict[str, WorkerInspection]` (3 ms, 5 kB a worker)."""

    source = "flower"
    good_for_s = 30.0


class InspectedNow(Query, frozen=True):
    """The same, never reused: asked right before a refresh, so that what is new in the refresh is an answer to it and to no earlier one."""

    source = "flower"


class InspectOne(Query, frozen=True):
    """`/api/workers?refresh=1&workername=`: ask one worker. -> `dict[str, WorkerInspection]` (its entry alone; empty on 404).

    0.05 s where the worker answers, 2 s where it does not (200 with the old `timestamp`).
    """

    source = "flower"
    worker: str


class InspectAll(Query, frozen=True):
    """`/api/workers?refresh=true`: ask every worker. -> `dict[str, WorkerInspection]` (1 s; the dead keep their old `timestamp`)."""

    source = "flower"


class RunningTasks(Query, frozen=True):
    """`/api/tasks?state=STARTED&sort_by=started`: the tasks that run for longest. -> `tuple[TaskSeen, ...]`, oldest start first.

    `limit` (1 to 1000) bounds the answer: one as long as that may lack some. A dead worker's tasks stay among them for good.
    Costs Flower 10 to 120 ms; where its answer was slow, `good_for_s` is stretched (`asking.py`).
    """

    source = "flower"
    good_for_s = 30.0
    limit: int = 100


STARTED_TASKS = RunningTasks()
"""What every table asks that wants to know what runs: the same question, so that it is asked once."""


class FailedTasks(Query, frozen=True):
    """`/api/tasks?state=FAILURE`: the last failures. -> `tuple[TaskSeen, ...]`, the last event first; `limit` as of `RunningTasks`."""

    source = "flower"
    good_for_s = 15.0  # as of the counters, which it mends
    limit: int = 200


class RevokedTasks(Query, frozen=True):
    """`/api/tasks?state=REVOKED`: the last that were revoked or expired. -> `tuple[TaskSeen, ...]`, as of `FailedTasks`."""

    source = "flower"
    good_for_s = 30.0
    limit: int = 200


class SucceededTasks(Query, frozen=True):
    """`/api/tasks?state=SUCCESS&taskname=`: a task's last successes, with runtimes. -> `tuple[TaskSeen, ...]`, as of `FailedTasks`."""

    source = "flower"
    good_for_s = 30.0
    task: str
    limit: int = 200


class WorkersTasks(Query, frozen=True):
    """`/api/tasks?workername=`: the last tasks of one worker, in any state. -> `tuple[TaskSeen, ...]`, as of `FailedTasks`."""

    source = "flower"
    good_for_s = 30.0
    worker: str
    limit: int = 100


class RecentTasks(Query, frozen=True):
    """`/api/tasks?limit=`: the tasks of which Flower heard last, in any state. -> `tuple[TaskSeen, ...]`, the last event first.

    `limit` as of `RunningTasks`. At its most (0.8 MB) it costs Flower 30 to 230 ms: for a first look alone.
    """

    source = "flower"
    limit: int = 1000


NONE_LISTED = (
    "flower: expected the length of some queue from /api/queues/length, found none: "
    "on RabbitMQ it needs its management API (start Flower with --broker-api=URL), and it names none before it has inspected a worker"
)
"""The reason of the gap where `QueueLengths` brings no queue at all."""


class QueueLengths(Query, frozen=True):
    """`/api/queues/length`: queues that inspected workers consume. -> `dict[str, int]`; a queue without consumer is missing (8 ms).

    Only where Redis itself is not asked, and not while it may hang: one such question then stops the whole of Flower 2.0 and 1.2
    until Redis is back (`tables/queues/by_flower.py`).
    """

    source = "flower"
    good_for_s = 30.0


# --- Redis ------------------------------------------------------------------------------------------------------------


class Ping(Query, frozen=True):
    """PING: Redis's first question. -> `Pong`."""

    source = "redis"


class ReadServer(Query, frozen=True):
    """INFO (sections server, clients, memory, persistence, stats, replication). -> `RedisServer`."""

    source = "redis"


class CountFlushes(Query, frozen=True):
    """INFO commandstats. -> `int`: how often FLUSHALL and FLUSHDB ran, since its start or since CONFIG RESETSTAT."""

    source = "redis"


class ListLength(Query, frozen=True):
    """LLEN. -> `int`; a missing key is 0."""

    source = "redis"
    key: str


class OldestMessage(Query, frozen=True):
    """LINDEX key -1: the message served next (kombu pushes left, takes right). -> `MessageHead`; empty list: `MessageHead(None, None)`."""

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


class SetMembers(Query, frozen=True):
    """SMEMBERS. -> `frozenset[str]`."""

    source = "redis"
    key: str


class ScanKeys(Query, frozen=True):
    """SCAN cursor MATCH pattern, in small steps, until it comes round or about `budget` keys were gone through. -> `KeysFound`."""

    source = "redis"
    cursor: int
    pattern: str
    budget: int


# --- The Redis where results live ---------------------------------------------------------------------------------------


class PingResults(Ping, frozen=True):
    """PING: its first question, where `results` configures one of its own. -> `Pong`."""

    source = "results"


class ReadResultsServer(ReadServer, frozen=True):
    """INFO. -> `RedisServer`."""

    source = "results"


class TaskMeta(Query, frozen=True):
    """GET of a `celery-task-meta-<id>`: what a task's result backend holds of it. -> `TaskMetaSeen`; a missing key: all None.

    Asked of the target's `results`; where it has none, of the broker's Redis, and there in the database `db` (None: the broker's own).
    """

    source = "results"
    key: str
    db: int | None = None
