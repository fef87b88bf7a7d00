"""What `watchdog doctor` reads of real servers for findings that take long to come true, or another clock than this machine's."""

import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from msgspec.structs import replace

from tests.processes.cluster import Cluster
from tests.servers.flower_versions import flower_python
from tests.servers.waiting import until
from watchdog.app.configured import configured
from watchdog.app.polling import build_checker
from watchdog.config.load import load_settings
from watchdog.config.rulebook import with_doctor_rules
from watchdog.core.judging.check_result import CheckResult
from watchdog.core.model.severity import Severity
from watchdog.polling.check import Checker
from watchdog.tables import TABLES


def checker(folder: Path, clock: Callable[[], float], **sources: str) -> Checker:
    """What the doctor looks with, on these servers."""
    flags: Mapping[str, object] = sources
    loaded = load_settings(config=None, environ={}, flags=flags, cwd=folder, targets_required=True, credentials=True, learn=lambda _: None)
    conf = configured(loaded)
    conf = replace(conf, book=with_doctor_rules(conf.book, TABLES)[0])
    return build_checker(conf, (), clock, time.perf_counter)


def looked(folder: Path, clock: Callable[[], float], between: Callable[[], object] = lambda: None, **sources: str) -> CheckResult:
    """The second of two looks."""
    eyes = checker(folder, clock, **sources)
    try:
        eyes.check(Severity.WARNING)
        between()
        return eyes.check(Severity.WARNING)
    finally:
        eyes.close()


def cells(folder: Path, url: str, *columns: str) -> Mapping[str, Any]:
    """Cells of the table `broker`."""
    eyes = checker(folder, time.time, redis=url)
    try:
        readings, _ = eyes.readings("default", {"broker": frozenset(columns)})
        return readings["broker"].rows[0].cells
    finally:
        eyes.close()


@pytest.fixture(scope="module")
def beside_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A Redis, for one Flower after another."""
    with Cluster(tmp_path_factory.mktemp("redis")) as cluster:
        cluster.start_redis()
        yield cluster


@pytest.mark.parametrize(
    ("args", "login", "environment", "said"),
    [
        ((), "", {"FLOWER_UNAUTHENTICATED_API": ""}, "its API is switched off; start Flower with FLOWER_UNAUTHENTICATED_API=true"),
        (("--basic_auth=ada:right",), "", {}, "it requires credentials; set `username` and `password`"),
        (("--basic_auth=ada:right",), "ada:wrong@", {}, "it does not accept the configured `username` and `password`"),
    ],
)
def test_a_flower_that_refuses_is_found_with_the_reason(
    beside_redis: Cluster, tmp_path: Path, args: tuple[str, ...], login: str, environment: Mapping[str, str], said: str
) -> None:
    beside_redis.start_flower(*args, environment=environment)
    result = looked(tmp_path, time.time, flower=beside_redis.flower_url.replace("://", f"://{login}"))
    beside_redis.stop_flower()
    assert [said in one.summary for one in result.firing if one.rule == "FlowerUnreachable"] == [True]


def test_a_flower_that_is_not_there_is_found(tmp_path: Path) -> None:
    result = looked(tmp_path, time.time, flower="http://127.0.0.1:1")
    assert ["connection refused" in one.summary for one in result.firing if one.rule == "FlowerUnreachable"] == [True]


@pytest.mark.parametrize("off_s", [-60.0, 60.0])
def test_a_clock_that_differs_from_that_of_redis_is_found(tmp_path: Path, off_s: float) -> None:
    with Cluster(tmp_path) as cluster:
        cluster.start_redis()
        found = looked(tmp_path, lambda: time.time() + off_s, redis=cluster.redis_url)
    (clock,) = [one for one in found.firing if one.rule == "OwnClockOff"]
    assert clock.values["clock_ahead_s"] == pytest.approx(-off_s, abs=5)


def test_a_clock_that_agrees_with_that_of_redis_is_fine(tmp_path: Path) -> None:
    with Cluster(tmp_path) as cluster:
        cluster.start_redis()
        assert [one.rule for one in looked(tmp_path, time.time, redis=cluster.redis_url).firing] == ["NoMemoryLimit"]


def test_what_redis_holds_in_memory_alone_has_an_age(tmp_path: Path) -> None:
    with Cluster(tmp_path) as cluster:
        cluster.start_redis()
        assert cells(tmp_path, cluster.redis_url, "unsaved_s")["unsaved_s"] == 0
        cluster.flood("indexing", 1)
        time.sleep(1.1)  # Redis counts in whole seconds
        assert cells(tmp_path, cluster.redis_url, "unsaved_s")["unsaved_s"] > 0


def test_what_redis_writes_to_an_append_only_file_has_none(tmp_path: Path) -> None:
    with Cluster(tmp_path) as cluster:
        cluster.start_redis(None, "--appendonly", "yes")
        cluster.flood("indexing", 1)
        time.sleep(1.1)
        assert cells(tmp_path, cluster.redis_url, "unsaved_s")["unsaved_s"] == 0


def found(folder: Path, cluster: Cluster, *args: str) -> set[str]:
    """The findings about a Flower beside a worker that runs 120 tasks before the first look, and as many between the two."""
    cluster.start_redis()
    cluster.start_worker("one", ["indexing"])
    cluster.start_flower(*args)
    cluster.wait_ready()
    run_tasks(cluster)
    result = looked(folder, time.time, partial(run_tasks, cluster), flower=cluster.flower_url)
    return {one.rule for one in result.firing if one.rule.startswith("Flower")}


def run_tasks(cluster: Cluster) -> None:
    """Run 120 tasks, and return when Flower knows that the last has run."""
    last = cluster.flood("indexing", 120)[-1]
    until(lambda: "SUCCESS" in httpx.get(f"{cluster.flower_url}/api/task/info/{last}").text, 60.0, "Flower lists the last task as run")


def test_a_flower_whose_max_tasks_is_too_small_for_its_rate_is_found(tmp_path: Path) -> None:
    with Cluster(tmp_path) as cluster:
        assert found(tmp_path, cluster, "--max_tasks=50") == {"FlowerForgetsTasks"}


def test_a_flower_that_keeps_all_its_tasks_is_fine(tmp_path: Path) -> None:
    with Cluster(tmp_path) as cluster:
        assert found(tmp_path, cluster) == set()


def test_a_flower_before_2_is_found(tmp_path: Path) -> None:
    with Cluster(tmp_path, flower_python=flower_python("1.2.0")) as cluster:
        seen = found(tmp_path, cluster, "--max_tasks=50")
    # It lists tasks from Celery's event state, which keeps some dropped ones until the garbage collector comes
    # (findings/event-state-lists-what-it-dropped.sh): on a busy machine it was not seen to drop any.
    assert {"FlowerOld"} <= seen <= {"FlowerOld", "FlowerForgetsTasks"}
