"""`running` and `errors` on a real cluster: what hangs, what reports progress, and what kind of failure a failure was."""

import json
import time
from collections.abc import Iterator, Mapping

import pytest

from tests.builders.looks import number
from tests.processes.cluster import Cluster
from tests.servers.waiting import until
from watchdog.config.rulebook import read_rule_book, rules_for
from watchdog.core.judging.evaluator import Evaluator
from watchdog.core.judging.findings import Verdict
from watchdog.core.model.reading import Past, read_tables
from watchdog.core.model.rows import Cell, Reading
from watchdog.core.model.target import Target
from watchdog.core.rules.rule import Override
from watchdog.polling.poller import Poller
from watchdog.sources.flower.source import FlowerSettings, FlowerSource
from watchdog.sources.redis.source import RedisSettings, RedisSource
from watchdog.tables import TABLES

TARGET = Target("prod", frozenset({"flower", "redis"}), interval_s=1.0)


@pytest.fixture(scope="module")
def tried() -> Iterator[Cluster]:
    """Workers for each kind of trouble: `slow` runs long, `short` is where tasks die."""
    with Cluster(heartbeat_s=1) as cluster:
        cluster.start_redis()
        cluster.start_worker("slow-1", ["slow"], 3)
        cluster.start_worker("short-1", ["short"], 1)
        cluster.start_flower()
        cluster.wait_ready()
        yield cluster


class Looks:
    """Looks at the cluster with the memory of those before; every look asks anew, whatever an answer is good for."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster, self.past = cluster, Past()

    def look(self) -> Mapping[str, Reading]:
        settings = FlowerSettings.model_validate({"url": self.cluster.flower_url})
        redis = RedisSource(RedisSettings.model_validate({"url": self.cluster.redis_url}))
        poller = Poller(TARGET, {"flower": FlowerSource(settings), "redis": redis}, TABLES)
        now = time.time()
        replies = poller.ask(self.past, now)
        seen = read_tables(TABLES, TARGET, self.past, replies, now)
        poller.close()
        self.past = self.past.plus(seen, 600.0)
        return seen.windows[300.0]

    def running(self, task_id: str) -> Mapping[str, Cell]:
        """The row of that task; nothing while there is none."""
        rows = (row.cells for row in self.look()["running"].rows)
        return next((cells for cells in rows if cells["id"] == task_id), {})

    def error(self, exception: str) -> Mapping[str, Cell]:
        """The row of that kind of failure; nothing while there is none."""
        rows = (row.cells for row in self.look()["errors"].rows)
        return next((cells for cells in rows if cells["exception"] == exception), {})

    def breaches(self, rule: str, **params: float) -> list[tuple[str, ...]]:
        """The keys for which a shipped rule, so tuned, is in breach now."""
        book = read_rule_book([], TABLES, (Override(rule, params=params),))
        readings = self.look()
        evaluator = Evaluator(TABLES, stopwatch=time.perf_counter)
        evaluator.load(readings)
        tuned = next(t for t in rules_for(book, "prod", TABLES) if t.rule.name == rule)
        findings = evaluator.judge(tuned.rule, tuned.variants, {}).findings
        evaluator.close()
        return [finding.key for finding in findings if finding.verdict is Verdict.BREACH]


def test_a_task_that_hangs_is_seen_with_its_worker_and_queue(tried: Cluster) -> None:
    looks = Looks(tried)
    [task_id] = tried.flood("slow", 1, "demo.hang")
    until(lambda: looks.running(task_id).get("worker_active") == 1.0, 15, "the task and its worker's heartbeat")
    seen = looks.running(task_id)
    assert [seen[c] for c in ("name", "worker", "worker_state", "queue", "progress_still_s")] == [
        "demo.hang", "celery@slow-1", "online", "slow", 0.0,
    ]  # fmt: skip
    assert 0 < number(seen["running_s"]) < 30


def test_progress_is_seen_to_move_and_then_to_stand_still(tried: Cluster) -> None:
    looks = Looks(tried)
    [task_id] = tried.flood("slow", 1, "demo.advance", steps=4, delay=1.0, hold=60.0)
    moved: set[Cell] = set()

    def moves() -> bool:
        moved.add(looks.running(task_id).get("progress"))
        return 1.0 in moved

    until(moves, 20, "the task to report that it is through")
    assert len(moved - {None, 0.0}) >= 2
    until(lambda: number(looks.running(task_id)["progress_still_s"]) > 1.5, 10, "its progress to stand still")
    seen = looks.running(task_id)
    meta = {"current": 4, "total": 4, "step": "part 4", "peak_memory": number(seen["peak_memory"])}
    assert (seen["step"], json.loads(str(seen["meta"]))) == ("part 4", meta)
    assert number(seen["peak_memory"]) > 10e6, "a process of Python holds more"


def test_a_hard_time_limit_is_a_timeout_by_its_true_name(tried: Cluster) -> None:
    looks = Looks(tried)
    tried.app.send_task("demo.hang", queue="short", time_limit=1)
    until(lambda: looks.error("TimeLimitExceeded"), 20, "the task to be ended")
    seen = looks.error("TimeLimitExceeded")
    assert [seen[c] for c in ("task", "category", "queue", "count", "share")] == ["demo.hang", "timeout", "short", 1.0, 1.0]
    assert 0.5 < number(seen["duration_avg_s"]) < 10


def test_a_killed_pool_process_is_lost(tried: Cluster) -> None:
    looks = Looks(tried)
    tried.flood("short", 1, "demo.crash")
    until(lambda: looks.error("WorkerLostError"), 20, "the pool to notice")
    seen = looks.error("WorkerLostError")
    assert (seen["category"], "signal 9" in str(seen["example"])) == ("lost", True)


@pytest.mark.parametrize(("kind", "category"), [("TimeoutError", "timeout"), ("ConnectionError", "connection"), ("ValueError", "other")])
def test_what_a_task_raises_has_its_category(tried: Cluster, kind: str, category: str) -> None:
    looks = Looks(tried)
    tried.flood("short", 2, "demo.fail", kind=kind)
    until(lambda: looks.error(kind).get("count") == 2.0, 20, "the failures")
    assert (looks.error(kind)["category"], "on purpose" in str(looks.error(kind)["example"])) == (category, True)


def test_the_task_of_a_killed_worker_stays_as_one_of_a_lost_worker(tried: Cluster) -> None:
    looks = Looks(tried)
    [task_id] = tried.flood("slow", 1, "demo.hang")
    until(lambda: looks.running(task_id), 15, "the task")
    tried.kill_worker("slow-1")
    until(lambda: looks.running(task_id).get("worker_state") == "lost", 30, "its worker to be lost")


def test_a_task_that_runs_for_too_long_is_told_while_its_worker_lives(own_cluster: Cluster) -> None:
    looks = Looks(own_cluster)
    [task_id] = own_cluster.flood("training", 1, "demo.hang")
    until(lambda: looks.running(task_id).get("worker_active") == 1.0, 15, "the task and its worker's heartbeat")
    assert looks.breaches("TaskRunningTooLong", limit=0.1) == [(task_id,)]
    own_cluster.kill_worker("gpu-1")
    until(lambda: looks.running(task_id).get("worker_state") == "lost", 30, "its worker to be lost")
    assert looks.breaches("TaskRunningTooLong", limit=0.1) == []
