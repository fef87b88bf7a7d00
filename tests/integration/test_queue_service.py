"""Queues of a real cluster: who takes their messages, and what is known of the one served next."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.processes.cluster import Cluster
from tests.processes.command_line import watchdog
from tests.servers.waiting import until

WAITING = 20


@pytest.fixture(scope="module")
def limited() -> Iterator[Cluster]:
    """`celery@web-1` on `indexing` with a task that may run six times an hour; 20 of them wait, and 3 in a queue that nobody meant."""
    with Cluster() as one:
        one.start_redis()
        one.start_worker("web-1", ["indexing"], 1)
        until(lambda: one.app.control.ping(timeout=1.0), 30, "the worker to answer")
        one.app.control.rate_limit("demo.ok", "6/h", reply=True, timeout=2.0)
        one.start_flower()
        one.wait_ready()
        one.flood("indexing", WAITING)
        one.flood("indexnig", 3)
        until(lambda: rows(one, "unacked FROM broker")[0]["unacked"] > 0, 20, "the worker to hold some")
        until(lambda: rows(one, "active FROM workers")[0]["active"] is not None, 20, "a heartbeat of the worker")
        yield one


def rows(cluster: Cluster, selected: str, folder: Path | None = None) -> list[dict[str, Any]]:
    done = watchdog("query", "--format", "json", *places(cluster), f"SELECT {selected}", cwd=folder or Path.cwd())
    found: list[dict[str, Any]] = json.loads(done.stdout)["rows"]
    return found


def places(cluster: Cluster) -> tuple[str, ...]:
    return ("--flower", cluster.flower_url, "--redis", cluster.redis_url)


def test_a_queue_behind_a_rate_limit_waits_for_it(limited: Cluster, tmp_path: Path) -> None:
    (queue,) = rows(limited, "waits_for, idle_with_backlog_s FROM queues WHERE name = 'indexing'", tmp_path)
    assert queue == {"waits_for": "the rate limit of demo.ok, 6/h", "idle_with_backlog_s": 0}


def test_of_a_queue_that_nobody_meant_the_message_its_sender_and_the_name_meant_are_told(limited: Cluster, tmp_path: Path) -> None:
    (queue,) = rows(limited, "unserved, similar, last_consumer, head_task, head_origin FROM queues WHERE name = 'indexnig'", tmp_path)
    origin = queue.pop("head_origin")
    assert (queue, origin[:3], "@" in origin) == (
        {"unserved": 3, "similar": "indexing", "last_consumer": "", "head_task": "demo.ok"}, "gen", True
    )  # fmt: skip


def test_one_look_cannot_expect_that_messages_are_young(limited: Cluster, tmp_path: Path) -> None:
    done = watchdog("check", "--once", *places(limited), "--skip", "*", "--expect", "queues: oldest_s < 10", cwd=tmp_path)
    assert (done.returncode, "its publisher gives no time" in done.stdout) == (3, True)
