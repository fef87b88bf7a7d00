"""Figures of the panels, each compared with what a real cluster truly did."""

import resource
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx
import pytest
from msgspec.structs import replace

from tests.builders.looks import number
from tests.processes.cluster import Cluster
from tests.servers.waiting import until
from watchdog.core.model.reading import Past, read_tables
from watchdog.core.model.rows import Cell, Reading
from watchdog.core.model.target import Target
from watchdog.polling.poller import Poller
from watchdog.sources.flower.source import FlowerSettings, FlowerSource
from watchdog.sources.redis.source import RedisSettings, RedisSource
from watchdog.tables import TABLES
from watchdog.tables.tasks.counters import TaskCounters

TARGET = Target("prod", frozenset({"flower", "redis"}), interval_s=1.0)
BURNER = "celery@burner"


@pytest.fixture(scope="module")
def busy() -> Iterator[Cluster]:
    """`burner` executes tasks in its main process; `mixed` consumes two queues."""
    with Cluster(heartbeat_s=1) as cluster:
        cluster.start_redis()
        cluster.start_worker("burner", ["burning"], 2, "threads")
        cluster.start_worker("mixed", ["left", "right"], 3)
        cluster.start_flower()
        cluster.wait_ready()
        yield cluster


class Looks:
    """Looks at the cluster with the memory of those before; every look asks anew."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster, self.past = cluster, Past()

    def look(self) -> Mapping[str, Reading]:
        flower = FlowerSource(FlowerSettings.model_validate({"url": self.cluster.flower_url}))
        redis = RedisSource(RedisSettings.model_validate({"url": self.cluster.redis_url}))
        poller = Poller(TARGET, {"flower": flower, "redis": redis}, TABLES)
        now = time.time()
        seen = read_tables(TABLES, TARGET, self.past, poller.ask(self.past, now), now)
        poller.close()
        self.past = self.past.plus(seen, 600.0)
        return seen.windows[300.0]

    def cells(self, table: str, key: str) -> Mapping[str, Cell]:
        """The row of that key; nothing while there is none."""
        return next((row.cells for row in self.look()[table].rows if row.key(TABLES[table].key)[0] == key), {})


def refreshed(cluster: Cluster) -> None:
    """Flower asks every worker, as it does for watchdog every five minutes."""
    httpx.get(f"{cluster.flower_url}/api/workers", params={"refresh": "true"}, timeout=20).raise_for_status()


def of_process(pid: float, name: str, file: str) -> str:
    lines = Path(f"/proc/{int(pid)}/{file}").read_text().splitlines()
    return next(line.split()[1] for line in lines if line.startswith(name))


def cpu_s(pid: float) -> float:
    fields = Path(f"/proc/{int(pid)}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def test_memory_is_what_the_kernel_says_that_the_main_process_or_its_parent_held_at_most(busy: Cluster) -> None:
    refreshed(busy)
    looks = Looks(busy)
    until(lambda: looks.cells("workers", BURNER).get("rss_max_bytes") is not None, 20, "an inspection of the worker")
    seen = looks.cells("workers", BURNER)
    its_own = int(of_process(number(seen["pid"]), "VmHWM", "status")) * 1024
    ours = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    assert its_own * 0.95 <= number(seen["rss_max_bytes"]) <= max(its_own, ours)


def test_cpu_is_what_the_kernel_counted_for_the_main_process_between_two_inspections(busy: Cluster) -> None:
    looks = Looks(busy)
    refreshed(busy)
    pid = number(looks.cells("workers", BURNER)["pid"])
    before, began = cpu_s(pid), time.monotonic()
    busy.flood("burning", 2, "demo.burn", seconds=6.0)
    until(lambda: time.monotonic() - began > 7, 30, "the tasks to burn for a while")
    truth = (cpu_s(pid) - before) / (time.monotonic() - began)
    refreshed(busy)
    seen = looks.cells("workers", BURNER)
    assert truth > 0.1
    assert number(seen["cpu_ratio"]) == pytest.approx(truth, rel=0.25)


def test_tasks_in_execution_are_told_apart_by_queue(busy: Cluster) -> None:
    looks = Looks(busy)
    busy.flood("left", 2, "demo.hang", seconds=12.0)
    busy.flood("right", 1, "demo.hang", seconds=12.0)

    def running() -> list[Cell]:
        rows = {row.cells["name"]: row.cells for row in looks.look()["queues"].rows}
        return [rows[name]["active"] for name in ("left", "right", "burning")]

    until(lambda: running() == [2.0, 1.0, 0.0], 20, "two tasks of one queue and one of the other")
    until(lambda: running() == [0.0, 0.0, 0.0], 30, "their end")


def test_the_average_wait_is_how_long_messages_lay_in_their_queue(busy: Cluster) -> None:
    looks = Looks(busy)
    looks.look()
    sent = busy.flood("late", 3)
    began = time.time()
    until(lambda: time.time() - began > 3, 10, "the messages to wait")
    busy.app.control.add_consumer("late", destination=["celery@mixed"], reply=True, timeout=3.0)
    until(lambda: all(busy.app.AsyncResult(task_id).successful() for task_id in sent), 20, "the tasks to succeed")
    waited = time.time() - began
    refreshed(busy)
    until(lambda: looks.cells("queues", "late").get("wait_avg_s"), 60, "their runs in Flower's list")
    seen = looks.cells("queues", "late")
    assert 3 <= number(seen["wait_avg_s"]) <= waited
    assert number(seen["finished_per_min"]) > 0


def test_priority_lists_hold_what_redis_says(busy: Cluster) -> None:
    for priority in (0, 0, 3, 9):
        busy.app.send_task("demo.ok", queue="nobody", priority=priority)
    looks = Looks(busy)
    until(lambda: looks.cells("queues", "nobody").get("length") == 4.0, 20, "the queue")
    assert looks.cells("queues", "nobody")["priorities"] == "0:2 3:1 9:1"


def test_a_failure_that_was_never_seen_in_a_day_of_watching_is_new(busy: Cluster) -> None:
    looks = Looks(busy)
    busy.flood("burning", 1, "demo.fail", kind="ValueError")

    def novelty(exception: str) -> Cell:
        rows = (row.cells for row in looks.look()["errors"].rows)
        return next((cells["novelty"] for cells in rows if cells["exception"] == exception), "not listed")

    until(lambda: novelty("ValueError") is None, 20, "the failure of a kind of which nobody knows whether it is new")
    as_if_watched_for_two_days(looks)
    busy.flood("burning", 1, "demo.fail", kind="KeyError")
    until(lambda: novelty("KeyError") == "new", 20, "the failure of a new kind")


def as_if_watched_for_two_days(looks: Looks) -> None:
    tasks = looks.past.memories["tasks"]
    assert isinstance(tasks, TaskCounters)
    watched = replace(tasks.failures.sightings, watched_since=time.time() - 2 * 86400)
    memory = replace(tasks, failures=replace(tasks.failures, sightings=watched))
    looks.past = replace(looks.past, memories={**looks.past.memories, "tasks": memory})
