"""Targets without Redis: real Flowers in front of a broker that they cannot count, and of a Redis that may hang.

The former is kombu's filesystem transport, of which each file is whole when it is there (`tests/servers/other_broker.py`).
"""

import json
import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conftest import start_usual
from tests.integration.test_flower_versions import ask
from tests.processes.cluster import Cluster, ForkedProcess
from tests.processes.command_line import watchdog
from tests.servers.flower_versions import OLDER, flower_python
from tests.servers.waiting import until
from watchdog.core.model.gaps import UNCOUNTABLE, Gap
from watchdog.core.model.queries import InspectAll, QueueLengths, WorkerStatus
from watchdog.core.model.replies import WorkerInspection
from watchdog.demo.processes import LOOPBACK, child_environment, free_port


def answered(url: str, sql: str, folder: Path) -> dict[str, Any]:
    done = watchdog("query", "--format", "json", "--flower", url, sql, cwd=folder)
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def whole(url: str) -> tuple[WorkerInspection, ...]:
    """What the workers answered; each method has a second, so a busy one answers in part."""
    (found,) = ask(url, InspectAll())
    assert isinstance(found, dict), found
    return tuple(found.values())


def checked(url: str, folder: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(watchdog("check", "--once", "--format", "json", "--flower", url, cwd=folder).stdout)
    return document


# --- a broker that Flower cannot count ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class OtherBroker:
    """A worker `celery@one` on the queue `mails` of a broker on the filesystem, and Flower before it."""

    url: str
    environment: dict[str, str]


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OtherBroker]:
    folder = tmp_path_factory.mktemp("other")
    for name in ("control", "queues"):
        (folder / name).mkdir()
    environment = child_environment({"BROKER_FOLDER": str(folder), "FLOWER_UNAUTHENTICATED_API": "true", "TMPDIR": str(folder)})
    celery = [sys.executable, "-m", "celery", "-A", "tests.servers.other_broker"]
    port = free_port()
    worker = [*celery, "worker", "-n", "celery@one", "-Q", "mails", "-c", "1", "-l", "INFO", "--without-mingle", "--heartbeat-interval=2"]
    children = [
        ForkedProcess("worker", worker, folder, environment),
        ForkedProcess("flower", [*celery, "flower", f"--address={LOOPBACK}", f"--port={port}"], folder, environment),
    ]
    url = f"http://{LOOPBACK}:{port}"
    try:
        until(lambda: ask(url, WorkerStatus()) == [{"celery@one": True}], 40, "the worker to be heard")
        until(
            lambda: [bool(seen.conf and seen.conf.transport and seen.queues) for seen in whole(url)] == [True],
            40,
            "the worker's conf and queues",
        )
        yield OtherBroker(url, environment)
    finally:
        for child in children:
            child.end()


def test_workers_and_consumers_are_seen_and_lengths_are_idle(other: OtherBroker, tmp_path: Path) -> None:
    document = answered(other.url, "SELECT q.name, q.consumers, q.length, w.state FROM queues q, workers w", tmp_path)
    assert [row for row in document["rows"] if row["name"] == "mails"] == [
        {"name": "mails", "consumers": 1, "length": None, "state": "online"}
    ]
    assert "does not know the length of a queue in filesystem" in str(document["gaps"])


def test_flower_says_itself_that_it_cannot_count_them(other: OtherBroker) -> None:
    assert ask(other.url, QueueLengths()) == [Gap(UNCOUNTABLE)]


def test_what_flower_cannot_count_is_idle_and_no_failure(other: OtherBroker, tmp_path: Path) -> None:
    document = checked(other.url, tmp_path)
    assert (document["exit_code"], document["unknown"]) == (0, [])
    idle = {entry["rule"]: entry["reason"] for entry in document["idle"]}
    assert "in filesystem" in idle["QueueBacklogHigh"]
    assert "needs Redis" in idle["UnackedStale"]


# --- a Redis that is not configured ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=["2.2", *OLDER])
def flowered(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    with Cluster(flower_python=flower_python(request.param) if request.param in OLDER else None) as one:
        start_usual(one)
        yield one


def test_lengths_come_from_flower(flowered: Cluster, tmp_path: Path) -> None:
    """The worker holds two tasks and has fetched no more than it can hold."""
    held = flowered.flood("analysis", 5, "demo.hang")
    until(lambda: length(flowered, "analysis", tmp_path) == len(held) - 2, 30, "the worker to hold one task and to have fetched another")


def length(cluster: Cluster, queue: str, folder: Path) -> float | None:
    rows = answered(cluster.flower_url, "SELECT name, length FROM queues", folder)["rows"]
    return next((row["length"] for row in rows if row["name"] == queue), None)


def test_a_redis_that_hangs_does_not_stop_flower_by_our_question(flowered: Cluster, tmp_path: Path) -> None:
    """One question for lengths would stop Flower 2.0 and 1.2 until Redis is back."""
    flowered.stop_redis(signal.SIGSTOP)
    try:
        until(lambda: not any(heard(flowered).values()), 20, "Flower to miss the heartbeats")
        document = checked(flowered.flower_url, tmp_path)
        assert httpx.get(f"{flowered.flower_url}/healthcheck", timeout=2.0, trust_env=False).text == "OK"
    finally:
        flowered.resume_redis()
    assert document["exit_code"] == 3
    assert any("no worker sends heartbeats" in unknown["reason"] for unknown in document["unknown"])
    until(lambda: all(heard(flowered).values()), 20, "both workers to be heard again")


def heard(cluster: Cluster) -> dict[str, bool]:
    (status,) = ask(cluster.flower_url, WorkerStatus())
    return status if isinstance(status, dict) else {}


def test_with_every_worker_killed_the_backlog_is_still_known(flowered: Cluster, tmp_path: Path) -> None:
    """Last of the tests on this cluster. Of a Flower that has just started nobody knows yet whether it hears workers."""
    flowered.kill_worker("web-1")
    flowered.kill_worker("gpu-1")
    until(lambda: not any(heard(flowered).values()), 20, "Flower to miss the heartbeats")

    def backlog() -> list[float]:
        document = checked(flowered.flower_url, tmp_path)
        return [firing["values"]["backlog"] for firing in document["firing"] if firing["rule"] == "NoWorkersOnline"]

    until(lambda: backlog() == [3], 60, "the loss of all workers to be seen, with the backlog")
