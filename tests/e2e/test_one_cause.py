"""One cause, one message: on a real cluster, with the shipped rules, whose times are scaled down together."""

import json
from pathlib import Path

import pytest

from tests.conftest import ask_the_workers
from tests.processes.command_line import watchdog
from tests.processes.running import running, told
from tests.servers.receiver import RecordingReceiver
from tests.servers.waiting import until
from watchdog.demo.cluster import Cluster

SCALED = {"WorkerLost": "1s", "EveryWorkerLost": "2s", "NoWorkersOnline": "6s", "QueueNoConsumers": "2s", "BrokerUnreachable": "1s"}


@pytest.fixture
def watched(own_cluster: Cluster, receiver: RecordingReceiver, tmp_path: Path) -> Path:
    """A folder with a configuration in which every `for` is short, and the cause's is longer than that of what it explains."""
    lines = ['interval = "0.3s"', 'database = "watchdog.db"', "[[target]]", 'name = "prod"', "min_workers = 2"]
    lines += [f'flower = "{own_cluster.flower_url}"', f'redis = "{own_cluster.redis_url}"']
    lines += ["[[receiver]]", 'name = "ops"', 'type = "webhook"', f'url = "{receiver.url}"']
    lines += ["[[override]]", 'rule = "*"', 'keep_firing_for = "1s"', "[[override]]", 'rule = "Queue*"', 'for = "1s"']
    for rule, held in SCALED.items():
        lines += ["[[override]]", f'rule = "{rule}"', f'for = "{held}"']
    (tmp_path / "watchdog.toml").write_text("\n".join(lines) + "\n")
    return tmp_path


def said(receiver: RecordingReceiver) -> list[tuple[str, str]]:
    return [(rule, event) for _, rule, event in told(receiver)]


def test_all_workers_that_die_are_one_message_and_one_when_they_are_back(
    own_cluster: Cluster, receiver: RecordingReceiver, watched: Path
) -> None:
    ask_the_workers(own_cluster)
    with running(watched) as daemon:
        daemon.wait_for("watchdog_started")
        for name in tuple(own_cluster.workers):
            own_cluster.kill_worker(name)
        until(lambda: said(receiver) == [("EveryWorkerLost", "first")], 40, "the cause, alone")
        listed = json.loads(watchdog("incidents", "--format", "json", cwd=watched).stdout)["incidents"]
        assert {one["held_back_by"]["rule"] for one in listed if one["rule"] == "WorkerLost"} == {"EveryWorkerLost"}

        own_cluster.start_worker("web-1", ["indexing"], 1)
        own_cluster.start_worker("gpu-1", ["analysis", "training"], 1)
        until(lambda: ("EveryWorkerLost", "resolved") in said(receiver), 40, "its end")
        assert daemon.end() == 0
    assert said(receiver) == [("EveryWorkerLost", "first"), ("EveryWorkerLost", "resolved")]


def test_a_redis_that_dies_is_one_message_and_one_when_it_is_back(own_cluster: Cluster, receiver: RecordingReceiver, watched: Path) -> None:
    with running(watched) as daemon:
        daemon.wait_for("watchdog_started")
        own_cluster.stop_redis()
        until(lambda: said(receiver) == [("BrokerUnreachable", "first")], 30, "the broker, alone")
        own_cluster.start_redis()
        until(lambda: ("BrokerUnreachable", "resolved") in said(receiver), 30, "its end")
        assert daemon.end() == 0
    assert said(receiver) == [("BrokerUnreachable", "first"), ("BrokerUnreachable", "resolved")]
