"""Where results live, on real clusters: another database of the broker, a server of their own, with or without a prefix."""

import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import redis

from tests.processes.cluster import Cluster
from tests.processes.command_line import watchdog
from tests.servers.waiting import until
from watchdog.core.model.gaps import Gap
from watchdog.core.model.queries import ListLengths, TaskMeta
from watchdog.core.model.replies import Held, TaskMetaSeen
from watchdog.sources.redis.source import RedisSettings, RedisSource, ResultsSettings, ResultsSource

META = "celery-task-meta-t1"
ORDERS = ListLengths(("orders",))
REPORT = '{"status": "PROGRESS", "result": {"current": 1, "total": 4, "step": "part 1"}}'


def other_database(server: Cluster) -> str:
    return server.redis_url.removesuffix("/0") + "/1"


# --- the source -----------------------------------------------------------------------------------------------------------


def test_another_database_is_asked_and_left_again(redis_server: Cluster) -> None:
    with redis.Redis.from_url(redis_server.redis_url) as client, redis.Redis.from_url(other_database(redis_server)) as results:
        client.lpush("orders", "a")
        results.set(META, REPORT)
    source = RedisSource(RedisSettings.model_validate({"url": redis_server.redis_url}))
    for _ in range(2):
        replies = source.ask([TaskMeta(META), TaskMeta(META, 1), TaskMeta("celery-task-meta-t2", 1), ORDERS]).replies
        assert [seen.progress for seen in replies.values() if isinstance(seen, TaskMetaSeen)] == [None, 0.25, None]
        assert replies[ORDERS] == Held(frozenset({"orders"}), {"orders": 1})
    source.close()


def test_a_database_that_is_not_there_is_a_gap_of_the_results_alone(redis_server: Cluster) -> None:
    source = RedisSource(RedisSettings.model_validate({"url": redis_server.redis_url}))
    replies = source.ask([TaskMeta(META, 99), ORDERS]).replies
    source.close()
    gap = replies[TaskMeta(META, 99)]
    assert isinstance(gap, Gap)
    assert "set `results` of this target" in gap.reason
    assert replies[ORDERS] == Held(frozenset({"orders"}))


def test_the_results_own_source_speaks_of_results(redis_server: Cluster) -> None:
    source = ResultsSource(ResultsSettings.model_validate({"url": redis_server.redis_url}))
    with redis.Redis.from_url(redis_server.redis_url) as client:
        client.lpush(META, "no string")
    assert str(source.ask([TaskMeta(META)]).replies[TaskMeta(META)]).startswith("Gap(reason='results: ")
    redis_server.stop_redis(signal.SIGKILL)
    assert "results: connection refused" in str(source.ask([TaskMeta(META)]).replies[TaskMeta(META)])
    source.close()


# --- a cluster --------------------------------------------------------------------------------------------------------------


@contextmanager
def working(broker: Cluster, **environment: str) -> Iterator[Cluster]:
    """A worker and Flower on that Redis, with a task at work that reports half-way and holds still."""
    with Cluster(heartbeat_s=1, environment={"DEMO_BROKER_URL": broker.redis_url, **environment}) as cluster:
        cluster.start_worker("slow-1", ["slow"], 1)
        cluster.start_flower()
        cluster.wait_ready()
        cluster.flood("slow", 1, "demo.advance", steps=1, delay=0.1, hold=600.0)
        yield cluster


def asked(folder: Path, cluster: Cluster, broker: Cluster, sql: str, results: object = None) -> dict[str, Any]:
    """What a query on a live look answers."""
    configure(folder, cluster, broker, results)
    done = watchdog("query", "--format", "json", sql, cwd=folder)
    assert done.stderr == ""
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def configure(folder: Path, cluster: Cluster, broker: Cluster, results: object = None) -> None:
    target: dict[str, object] = {"name": "prod", "flower": cluster.flower_url, "redis": broker.redis_url}
    lines = ["[[target]]", *(f"{key} = {json.dumps(value)}" for key, value in target.items())]
    if isinstance(results, dict):
        lines += ["[target.results]", *(f"{key} = {json.dumps(value)}" for key, value in results.items())]
    elif results is not None:
        lines.append(f"results = {json.dumps(results)}")
    (folder / "watchdog.toml").write_text("\n".join(lines) + "\n")


def step(folder: Path, cluster: Cluster, broker: Cluster, results: object = None) -> str:
    """The step that the running task reports; else all that was answered, with the reason why there is none."""
    document = asked(folder, cluster, broker, "SELECT step FROM running", results)
    steps = [str(row["step"]) for row in document["rows"] if row["step"]]
    return steps[0] if steps else json.dumps(document)


def test_what_a_task_reports_is_found_in_another_database_of_the_broker(redis_server: Cluster, tmp_path: Path) -> None:
    with working(redis_server, DEMO_RESULTS_URL=other_database(redis_server)) as cluster:
        until(lambda: step(tmp_path, cluster, redis_server) == "part 1", 30, "the step")


def test_results_on_a_server_of_their_own_are_found_once_results_names_it(redis_server: Cluster, tmp_path: Path) -> None:
    with Cluster() as elsewhere:
        elsewhere.start_redis()
        with working(redis_server, DEMO_RESULTS_URL=elsewhere.redis_url, DEMO_RESULTS_PREFIX="shop") as cluster:
            until(lambda: "set `results`" in step(tmp_path, cluster, redis_server), 30, "the reason")
            without_prefix = step(tmp_path, cluster, redis_server, elsewhere.redis_url)
            assert "key_prefix" in without_prefix
            table = {"url": elsewhere.redis_url, "key_prefix": "shop"}
            until(lambda: step(tmp_path, cluster, redis_server, table) == "part 1", 30, "the step")
            elsewhere.stop_redis()
            done = watchdog("check", "--once", "--format", "json", cwd=tmp_path)
            document = json.loads(done.stdout)
            assert [firing["rule"] for firing in document["firing"]] == ["ResultsUnreachable"]
            assert done.returncode == 3
            assert {s["source"]: s["up"] for s in document["sources"]} == {"flower": True, "redis": True, "results": False}


@pytest.mark.parametrize("url", ["redis://:hunter2@127.0.0.1:1/1", "sentinel://:hunter2@127.0.0.1:1/mymaster"])
def test_the_address_of_results_is_shown_without_its_password(redis_server: Cluster, tmp_path: Path, url: str) -> None:
    configure(tmp_path, redis_server, redis_server, {"url": url} | ({"sentinel_password": "hunter3"} if "sentinel" in url else {}))
    shown = watchdog("config", "show", cwd=tmp_path)
    assert shown.returncode == 0
    assert "results = {" in shown.stdout
    assert "hunter" not in shown.stdout
