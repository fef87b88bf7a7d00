"""`watchdog doctor` on real clusters: it names what is set up badly, and finds nothing where nothing is."""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.processes.cluster import Cluster, ForkedProcess
from tests.processes.command_line import watchdog
from tests.servers.receiver import RecordingReceiver
from watchdog.demo.processes import child_environment

WELL = {"task_time_limit": 60, "task_soft_time_limit": 50}


@contextmanager
def worker(cluster: Cluster, name: str, pool: str, settings: Mapping[str, object]) -> Iterator[None]:
    """A worker of the queue `indexing` whose app has these settings."""
    options = ["-n", f"{name}@host", "-Q", "indexing", "-c", "1", "-P", pool, "--without-mingle"]
    command = [sys.executable, "-m", "celery", "-A", "tests.servers.odd_app", "worker", *options]
    environ = child_environment({"DEMO_BROKER_URL": cluster.redis_url, "ODD_SETTINGS": json.dumps(settings)})
    process = ForkedProcess(f"worker-{name}", command, cluster.workdir, environ)
    cluster.workers[f"{name}@host"] = process
    try:
        yield
    finally:
        process.end()


@contextmanager
def examined(folder: Path, workers: Mapping[str, tuple[str, Mapping[str, object]]], *redis: str) -> Iterator[Cluster]:
    """A cluster with a configuration beside it. `redis`: arguments of its server."""
    with Cluster(folder / "cluster") as cluster, ExitStack() as stack:
        cluster.start_redis(None, *redis)
        for name, (pool, settings) in workers.items():
            stack.enter_context(worker(cluster, name, pool, settings))
        cluster.start_flower()
        cluster.wait_ready()
        (folder / "watchdog.toml").write_text(
            f'[[target]]\nname = "prod"\nflower = "{cluster.flower_url}"\nredis = "{cluster.redis_url}"\n'
        )
        yield cluster


def doctor(folder: Path, *args: str) -> tuple[int, dict[str, Any]]:
    done = watchdog("doctor", "--format", "json", *args, cwd=folder)
    return done.returncode, json.loads(done.stdout)


def found(document: Mapping[str, Any]) -> Sequence[tuple[str, str]]:
    return [(one["rule"], "".join(one["key"].values())) for one in document["firing"]]


@pytest.fixture(scope="module")
def well(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A cluster that is set up well."""
    folder = tmp_path_factory.mktemp("well")
    with examined(folder, {"one": ("prefork", WELL)}, "--maxmemory", "64mb", "--maxmemory-policy", "noeviction"):
        yield folder


@pytest.fixture(scope="module")
def badly(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One that is not."""
    folder = tmp_path_factory.mktemp("badly")
    workers: dict[str, tuple[str, Mapping[str, object]]] = {
        "threads": ("threads", {**WELL, "worker_max_tasks_per_child": 100, "result_expires": None}),
        "late": (
            "prefork",
            {
                "task_acks_late": True,
                "task_acks_on_failure_or_timeout": False,
                "task_reject_on_worker_lost": True,
                "task_time_limit": 7200,
                "worker_prefetch_multiplier": 0,
                "worker_eta_task_limit": 100,
                "task_send_sent_event": False,
            },
        ),
        "plain": ("prefork", {"task_routes": {"demo.gone": {"queue": "spare"}}}),
    }
    with examined(folder, workers, "--maxmemory-policy", "allkeys-lru") as cluster:
        send_with_priority(cluster, 1, steps=range(10))
        cluster.flood("indexng", 1)
        yield folder


def send_with_priority(cluster: Cluster, priority: int, steps: Sequence[int]) -> None:
    """Send as a producer whose `priority_steps` are not those of the workers."""
    cluster.app.conf.broker_transport_options = {**cluster.app.conf.broker_transport_options, "priority_steps": list(steps)}
    cluster.app.send_task("demo.ok", queue="indexing", priority=priority)


def test_a_cluster_that_is_set_up_well_is_healthy(well: Path) -> None:
    code, document = doctor(well)
    assert (code, found(document)) == (0, [])


def test_a_healthy_cluster_is_said_to_be_so_in_the_first_line(well: Path) -> None:
    assert watchdog("doctor", cwd=well).stdout.startswith("HEALTHY: ")


def test_an_alert_that_is_blind_is_named_with_what_it_needs(well: Path) -> None:
    page = watchdog("doctor", cwd=well).stdout.splitlines()
    assert "TaskOverdue" in page[page.index("  prod: no [[target.schedule]] is configured") + 1]


@pytest.mark.parametrize(
    "finding",
    [
        ("LimitsDoNothing", "threads@host"),
        ("ChildLimitsDoNothing", "threads@host"),
        ("ResultsKeptForEver", "threads@host"),
        ("VisibilityTimeoutTooShort", "late@host"),
        ("KillerTaskComesBack", "late@host"),
        ("FailureIsDropped", "late@host"),
        ("PrefetchWithoutLimit", "late@host"),
        ("EtaLimitHoldsAll", "late@host"),
        ("WaitsNotMeasured", "late@host"),
        ("NoTimeLimit", "plain@host"),
        ("BrokerMayEvict", ""),
        ("NoMemoryLimit", ""),
        ("QueueNoConsumers", "indexng"),
        ("QueueWithoutConsumer", "spare"),
        ("PriorityNotRead", "indexing"),
    ],
)
def test_what_is_set_up_badly_is_found(badly_found: tuple[int, Sequence[tuple[str, str]]], finding: tuple[str, str]) -> None:
    assert finding in badly_found[1]


@pytest.fixture(scope="module")
def badly_found(badly: Path) -> tuple[int, Sequence[tuple[str, str]]]:
    code, document = doctor(badly)
    return code, found(document)


def test_only_what_is_set_up_badly_is_found(badly_found: tuple[int, Sequence[tuple[str, str]]]) -> None:
    assert {rule for rule, _ in badly_found[1]} == {
        "LimitsDoNothing",
        "ChildLimitsDoNothing",
        "ResultsKeptForEver",
        "VisibilityTimeoutTooShort",
        "KillerTaskComesBack",
        "FailureIsDropped",
        "PrefetchWithoutLimit",
        "EtaLimitHoldsAll",
        "WaitsNotMeasured",
        "NoTimeLimit",
        "BrokerMayEvict",
        "NoMemoryLimit",
        "QueueNoConsumers",
        "QueueWithoutConsumer",
        "PriorityNotRead",
    }


def test_what_is_to_mend_is_exit_code_1(badly_found: tuple[int, Sequence[tuple[str, str]]]) -> None:
    assert badly_found[0] == 1


def test_a_finding_says_why_it_matters_and_what_mends_it(badly: Path) -> None:
    page = watchdog("doctor", cwd=badly).stdout
    assert "Neither limit ends a task in this pool" in page
    assert "→ 1. worker_prefetch_multiplier = 1" in page


def test_send_tries_every_receiver(well: Path) -> None:
    with RecordingReceiver() as hook:
        (well / "sends.toml").write_text(
            (well / "watchdog.toml").read_text() + f'[[receiver]]\nname = "ops"\ntype = "webhook"\nurl = "{hook.url}"\n'
        )
        done = watchdog("doctor", "--send", "--config", "sends.toml", cwd=well)
        assert "ops: delivered" in done.stdout
        assert len(hook.requests) == 1
