"""Every question to real Flowers of three versions, each on a cluster of its own: what they answer, and what they say where they do not."""

import json
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import start_usual
from tests.processes.cluster import Cluster
from tests.processes.command_line import watchdog
from tests.servers.flower_versions import OLDER, flower_python
from tests.servers.waiting import until
from watchdog.core.model.gaps import Gap
from watchdog.core.model.queries import (
    FailedTasks,
    InspectAll,
    Inspected,
    InspectOne,
    Query,
    QueueLengths,
    ReadEventCounters,
    RunningTasks,
    SucceededTasks,
    WorkerHeartbeats,
    WorkerStatus,
)
from watchdog.core.model.replies import EventCounters, TaskSeen, WorkerInspection
from watchdog.sources.flower.source import FlowerSettings, FlowerSource

WEB, GPU = "celery@web-1", "celery@gpu-1"
QUESTIONS: list[Query] = [
    WorkerStatus(),
    WorkerHeartbeats(),
    ReadEventCounters(),
    Inspected(),
    InspectOne(WEB),
    InspectAll(),
    RunningTasks(),
    FailedTasks(),
    SucceededTasks("demo.ok"),
    QueueLengths(),
]
API = [q for q in QUESTIONS if not isinstance(q, WorkerStatus | WorkerHeartbeats | ReadEventCounters)]


@dataclass(frozen=True)
class Running:
    """A cluster with one Flower, in which each kind of task has ended, and one is still running."""

    version: str
    cluster: Cluster
    running: str


def a_cluster(version: str) -> Cluster:
    return Cluster(flower_python=flower_python(version) if version in OLDER else None)


@pytest.fixture(scope="module", params=["2.2", *OLDER])
def flowered(request: pytest.FixtureRequest) -> Iterator[Running]:
    """The usual cluster with that Flower; the last test here kills a worker."""
    with a_cluster(request.param) as one:
        start_usual(one)
        one.flood("indexing", 3)
        one.flood("indexing", 1, "demo.fail", kind="ValueError")
        (running,) = one.flood("analysis", 1, "demo.hang")
        until(lambda: counted(one) >= 4, 20, "four tasks to be counted")
        yield Running(request.param, one, running)


def ask(url: str, *queries: Query, **settings: object) -> list[object]:
    source = FlowerSource(FlowerSettings.model_validate({"url": url, **settings}))
    replies = source.ask(queries).replies
    source.close()
    return [replies[query] for query in queries]


def reason(url: str, query: Query) -> str:
    (gap,) = ask(url, query)
    assert isinstance(gap, Gap), gap
    return gap.reason


def counted(cluster: Cluster) -> float:
    (counters,) = ask(cluster.flower_url, ReadEventCounters())
    assert isinstance(counters, EventCounters)
    return sum(count for _, _, event, count in counters.each() if event in {"succeeded", "failed"})


def tasks(answer: object) -> list[TaskSeen]:
    assert isinstance(answer, tuple)
    return list(answer)


def test_every_question_has_an_answer(flowered: Running) -> None:
    """Also that for the queues, which no look asks while there is a Redis."""
    url = flowered.cluster.flower_url
    until(lambda: inspected(url) == {WEB, GPU}, 20, "a refresh that is not the one of Flower's own start")
    answers = dict(zip(QUESTIONS, ask(url, *QUESTIONS), strict=True))
    assert {query: answer for query, answer in answers.items() if isinstance(answer, Gap)} == {}
    assert answers[WorkerStatus()] == {WEB: True, GPU: True}
    assert answers[QueueLengths()] == {"indexing": 0, "priority": 0, "analysis": 0, "training": 0}
    assert names(answers[WorkerHeartbeats()]) == names(answers[InspectAll()]) == {WEB, GPU}
    assert names(answers[InspectOne(WEB)]) == {WEB}


def inspected(url: str) -> set[str]:
    (found,) = ask(url, InspectAll())
    return names(found)


def names(answer: object) -> set[str]:
    return set(answer) if isinstance(answer, dict) else set()


def test_an_inspection_tells_queues_pool_and_conf(flowered: Running) -> None:
    (found,) = ask(flowered.cluster.flower_url, InspectOne(WEB))
    assert isinstance(found, dict)
    entry = found[WEB]
    assert isinstance(entry, WorkerInspection)
    assert (set(entry.queues or ()), entry.pool, entry.pool_size, entry.reserved) == ({"indexing", "priority"}, "prefork", 2, 0)
    assert entry.conf is not None
    assert entry.conf.visibility_timeout_s == 3600.0
    assert entry.at is not None
    assert abs(time.time() - entry.at) < 5


def test_lists_of_tasks_tell_what_runs_what_failed_and_what_succeeded(flowered: Running) -> None:
    running, failed, succeeded, of_none = (
        tasks(a) for a in ask(flowered.cluster.flower_url, RunningTasks(), FailedTasks(), SucceededTasks("demo.ok"), SucceededTasks("no"))
    )
    assert [(t.id, t.name, t.state, t.worker, t.routing_key) for t in running] == [
        (flowered.running, "demo.hang", "STARTED", GPU, "analysis")
    ]
    assert [(t.exception, t.traceback_last) for t in failed] == [
        ("ValueError('contract 42 of tenant acme: ValueError on purpose')", "ValueError: contract 42 of tenant acme: ValueError on purpose")
    ]
    assert [(t.name, t.runtime is not None) for t in succeeded] == [("demo.ok", True)] * 3
    assert of_none == []


def test_a_limit_is_kept_and_none_means_one_not_all(flowered: Running) -> None:
    lists = ask(flowered.cluster.flower_url, SucceededTasks("demo.ok", 2), SucceededTasks("demo.ok", 0))
    assert [len(tasks(answer)) for answer in lists] == [2, 1]


def test_a_worker_that_flower_does_not_know_is_an_empty_answer(flowered: Running) -> None:
    assert ask(flowered.cluster.flower_url, InspectOne("nobody@nowhere")) == [{}]


def check(cluster: Cluster, folder: Path, *options: str, flower: str | None = None) -> dict[str, Any]:
    asked = ("--flower", flower or cluster.flower_url, "--redis", cluster.redis_url)
    done = watchdog("check", "--once", "--format", "json", *asked, *options, cwd=folder)
    assert done.stderr == ""
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def test_a_healthy_cluster_is_0_on_the_first_look(flowered: Running, tmp_path: Path) -> None:
    document = check(flowered.cluster, tmp_path)
    assert (document["exit_code"], document["firing"], document["unknown"]) == (0, [], [])
    assert [(s["source"], s["up"], s["error"]) for s in document["sources"]] == [("flower", True, None), ("redis", True, None)]


def test_a_hung_redis_is_told_from_a_flower_that_is_well(flowered: Running, tmp_path: Path) -> None:
    """One question for queue lengths would stop Flower 2.0 and 1.2 until Redis is back: it is not asked."""
    flowered.cluster.stop_redis(signal.SIGSTOP)
    try:
        document = check(flowered.cluster, tmp_path)
    finally:
        flowered.cluster.resume_redis()
    assert (document["exit_code"], {s["source"]: s["up"] for s in document["sources"]}) == (3, {"flower": True, "redis": False})
    until(lambda: ask(flowered.cluster.flower_url, WorkerStatus()) == [{WEB: True, GPU: True}], 20, "both workers to be heard again")


def test_a_single_look_counts_what_flower_lists_and_says_so(flowered: Running, tmp_path: Path) -> None:
    """20 successes and 10 failures, beside the three and the one of this cluster's start; a running task beside them."""
    one, before = flowered.cluster, counted(flowered.cluster)
    one.flood("indexing", 20)
    one.flood("priority", 10, "demo.fail", kind="ValueError")
    until(lambda: counted(one) == before + 30, 30, "30 tasks to be counted")
    sql = "SELECT name, received, started, succeeded, failed, finished FROM tasks ORDER BY name"
    rows = json.loads(watchdog("query", "--format", "json", "--flower", one.flower_url, sql, cwd=tmp_path).stdout)["rows"]
    assert [list(row.values()) for row in rows] == [
        ["demo.fail", 11, 11, 0, 11, 11],
        ["demo.hang", 1, 1, 0, 0, 0],
        ["demo.ok", 23, 23, 23, 0, 23],
    ]
    document = check(one, tmp_path, "--set", "TaskFailureRateHigh.at_least=10")
    firing = {f["rule"]: (f["key"], f["values"]["suspect_failed"]) for f in document["firing"]}
    assert (document["exit_code"], firing["TaskFailureRateHigh"]) == (1, ({"name": "demo.fail"}, 11))
    assert [note["note"].startswith("counted from Flower's list of tasks, over the last ") for note in document["notes"]] == [True]


def test_a_killed_worker_is_seen(flowered: Running, tmp_path: Path) -> None:
    """Last of the tests on this cluster: it does not come back."""
    flowered.cluster.kill_worker("gpu-1")
    until(lambda: ask(flowered.cluster.flower_url, WorkerStatus()) == [{WEB: True, GPU: False}], 15, "Flower to miss its heartbeats")
    document = check(flowered.cluster, tmp_path)
    assert (document["exit_code"], lost(document)) == (1, [{"name": GPU}])


def lost(document: dict[str, Any]) -> list[dict[str, str]]:
    return [firing["key"] for firing in document["firing"] if firing["rule"] == "WorkerLost"]


# --- auth and prefix --------------------------------------------------------------------------------------------------------


def test_a_flower_2_0_whose_api_is_off_names_the_setting() -> None:
    with a_cluster("2.0.1") as one:
        one.start_redis()
        one.start_flower(environment={"FLOWER_UNAUTHENTICATED_API": "false"})
        assert "FLOWER_UNAUTHENTICATED_API=true" in reason(one.flower_url, WorkerStatus())


def test_a_flower_2_0_with_a_prefix_and_a_password() -> None:
    with a_cluster("2.0.1") as one:
        one.start_redis()
        one.start_flower("--url_prefix=flower", "--basic_auth=ops:hunter2")
        place = f"127.0.0.1:{one.flower_port}"
        assert ask(f"http://ops:hunter2@{place}/flower", WorkerStatus(), WorkerHeartbeats(), RunningTasks()) == [{}, {}, ()]
        assert "url_prefix" in reason(f"http://ops:hunter2@{place}", WorkerStatus())
        assert "does not accept" in reason(f"http://ops:wrong@{place}/flower", WorkerStatus())
        assert "requires credentials" in reason(f"http://{place}/flower", WorkerStatus())


@pytest.fixture(scope="module")
def shut() -> Iterator[Cluster]:
    """A cluster whose Flower 1.2 wants credentials, and therefore has no API."""
    with a_cluster("1.2.0") as one:
        one.start_redis()
        one.start_worker("web-1", ["indexing"], 1)
        one.start_worker("gpu-1", ["analysis"], 1)
        one.start_flower("--url_prefix=flower", "--basic_auth=ops:hunter2")
        until(lambda: ask(let_in(one), WorkerStatus()) == [{WEB: True, GPU: True}], 30, "the dashboard to show both workers")
        yield one


def let_in(cluster: Cluster) -> str:
    return f"http://ops:hunter2@127.0.0.1:{cluster.flower_port}/flower"


def test_a_flower_1_2_with_authentication_tells_who_is_online_and_says_what_is_missing(shut: Cluster) -> None:
    status, beats, counters, *rest = ask(let_in(shut), WorkerStatus(), WorkerHeartbeats(), ReadEventCounters(), *API)
    assert status == {WEB: True, GPU: True}
    assert isinstance(beats, dict)
    assert isinstance(counters, EventCounters)
    assert all(isinstance(answer, Gap) and "use Flower 2.x" in answer.reason for answer in rest)


def test_a_flower_1_2_with_authentication_is_up_and_its_error_names_the_way_out(shut: Cluster, tmp_path: Path) -> None:
    document = check(shut, tmp_path, flower=let_in(shut))
    (flower,) = (source for source in document["sources"] if source["source"] == "flower")
    assert (flower["up"], "use Flower 2.x" in flower["error"]) == (True, True)
    assert (document["exit_code"], document["firing"]) == (3, [])
    lists_of_tasks = {"TaskRunningTooLong", "ProgressStalled", "ErrorBurst", "TaskNotRegistered"}  # of counts there is no row yet
    assert {unknown["rule"] for unknown in document["unknown"]} == lists_of_tasks


@pytest.mark.parametrize(("userinfo", "says"), [("", "requires credentials"), ("ops:wrong@", "does not accept")])
def test_a_flower_1_2_that_does_not_let_us_in_says_that_first(shut: Cluster, userinfo: str, says: str) -> None:
    assert says in reason(f"http://{userinfo}127.0.0.1:{shut.flower_port}/flower", WorkerStatus())


def test_a_flower_1_2_under_a_prefix_names_it(shut: Cluster) -> None:
    assert "url_prefix" in reason(f"http://ops:hunter2@127.0.0.1:{shut.flower_port}", WorkerStatus())


def test_one_worker_killed_under_a_flower_without_api_is_not_called_well(shut: Cluster, tmp_path: Path) -> None:
    """Last of the tests on this cluster. Of which pool it was nobody says: a daemon waits five minutes, a single look is unsure."""
    shut.kill_worker("gpu-1")
    until(lambda: unsure_of_lost(check(shut, tmp_path, flower=let_in(shut))) == [{"name": GPU}], 25, "the worker to be in doubt")


def unsure_of_lost(document: dict[str, Any]) -> list[dict[str, str]]:
    return [unknown["key"] for unknown in document["unknown"] if unknown["rule"] == "WorkerLost"]
