"""What Flower and Redis answer, one value each, as of a healthy cluster at `NOW`; a test changes what it is about."""

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from watchdog.core.model.queries import Query
from watchdog.core.model.replies import EventCounters, RedisServer, Replies, TaskSeen, WorkerBeat, WorkerConf, WorkerInspection
from watchdog.core.model.servers.rabbitmq_replies import NodeSeen
from watchdog.core.model.servers.worker_replies import WorkerSettings
from watchdog.core.model.target import Target

NOW = 1_800_000_000.0
INTERVAL = 10.0


def a_target(**changes: Any) -> Target:
    return replace(Target("prod", frozenset({"flower", "redis"}), interval_s=INTERVAL), **changes)


def a_beat(name: str = "celery@web-1", at: float = NOW, **changes: Any) -> WorkerBeat:
    beat = WorkerBeat(
        name=name,
        online=True,
        heartbeats=(at - 7, at - 5, at - 3, at - 1),
        freq_s=2.0,
        active=0,
        processed=100,
        load=(0.5, 0.4, 0.3),
        pid=17,
        version="5.7.0",
        hellos=1,
        goodbyes=0,
        pulses=50,
        system="Linux",
    )
    return replace(beat, **changes)


def a_conf(**changes: Any) -> WorkerConf:
    return replace(WorkerConf(default_queue="celery", settings=WorkerSettings()), **changes)


def an_inspection(name: str = "celery@web-1", at: float = NOW - 30, **changes: Any) -> WorkerInspection:
    inspection = WorkerInspection(
        name=name,
        at=at,
        queues=("indexing",),
        pool="prefork",
        pool_size=4,
        pid=17,
        uptime_s=172_800.0,
        prefetch=16,
        reserved=0,
        processed=100,
        conf=a_conf(),
        cpu_s=12.0,
        max_rss=60_000,
    )
    return replace(inspection, **changes)


def a_server(**changes: Any) -> RedisServer:
    server = RedisServer(
        run_id="run-1",
        version="7.0.15",
        uptime_s=86400.0,
        used_memory=50_000_000,
        max_memory=100_000_000,
        eviction_policy="noeviction",
        evicted_keys=0,
        clients=20,
        max_clients=10_000,
        blocked_clients=2,
        role="master",
        replica_link_up=None,
        last_save_ok=True,
        keyspace={0: (40, 30)},
    )
    return replace(server, **changes)


def a_node(name: str = "rabbit@a", **changes: Any) -> NodeSeen:
    node = NodeSeen(
        name=name,
        uptime_s=86400.0,
        memory=250_000_000,
        memory_limit=1_000_000_000,
        memory_alarm=False,
        disk_free=70_000_000_000,
        disk_limit=50_000_000,
        disk_alarm=False,
        descriptors=50,
        most_descriptors=20_000,
        sockets=90,
        most_sockets=18_000,
    )
    return replace(node, **changes)


def a_task(task_id: str = "t1", state: str = "STARTED", **changes: Any) -> TaskSeen:
    """A task that `celery@web-1` began at `NOW - 60`."""
    task = TaskSeen(task_id, "shop.pay", state, "celery@web-1", NOW - 61, NOW - 60, routing_key="indexing", timestamp=NOW - 60)
    return replace(task, **changes)


def a_failure(task_id: str = "f1", exception: str | None = "ValueError('no')", at: float = NOW - 10, **changes: Any) -> TaskSeen:
    """A task that failed at `at`, two seconds after it began."""
    return a_task(task_id, "FAILURE", **{"exception": exception, "started": at - 2, "failed": at, "timestamp": at, **changes})


def counters(counts: Mapping[tuple[str, str, str], float] | None = None, started_at: float | None = NOW - 86400) -> EventCounters:
    found: dict[str, dict[str, dict[str, float]]] = {}
    for (worker, task, event), count in (counts or {}).items():
        found.setdefault(worker, {}).setdefault(task, {})[event] = count
    return EventCounters(started_at, found)


def replies(*answers: tuple[Query, object]) -> Replies:
    return Replies(dict(answers), {"redis": 0.5, "flower": 5.0})
