"""One cause, one message: on a real cluster, with the shipped rules, whose times are scaled down together."""

import json
import signal
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.conftest import ask_the_workers
from tests.processes.cluster import Cluster
from tests.processes.command_line import watchdog
from tests.processes.running import running, told
from tests.servers.many_workers import many_workers
from tests.servers.receiver import RecordingReceiver
from tests.servers.waiting import until

SCALED = {"WorkerLost": "1s", "EveryWorkerLost": "2s", "NoWorkersOnline": "6s", "QueueNoConsumers": "2s", "BrokerUnreachable": "1s"}
HALVED = {"WorkerLost": "15s", "HostLost": "15s", "WorkersLost": "15s", "EveryWorkerLost": "22s", "QueueNoConsumers": "30s"}
"""Workers fall silent one after the other, within two of their heartbeats: that must still be short beside these."""
KEEPS_MESSAGES = ("--appendonly", "yes", "--appendfsync", "always")
"""Otherwise lost messages are told too, and rightly."""
NODES = {"w1": "w1@node1", "w2": "w2@node2", "w3": "w3@node2", "w4": "w4@node2"}


def held(folder: Path) -> Counter[str]:
    """How many incidents of each rule are held back by HostLost."""
    listed = json.loads(watchdog("incidents", "--format", "json", cwd=folder).stdout)["incidents"]
    return Counter(one["rule"] for one in listed if one["held_back_by"] and one["held_back_by"]["rule"] == "HostLost")


def pending(folder: Path) -> Counter[str]:
    """How many incidents of each rule are pending."""
    listed = json.loads(watchdog("incidents", "--format", "json", cwd=folder).stdout)["incidents"]
    return Counter(one["rule"] for one in listed if one["state"] == "pending")


def configuration(cluster: Cluster, receiver: RecordingReceiver) -> str:
    """Every `for` but those of `held_for` is short."""
    lines = ['interval = "0.3s"', 'database = "watchdog.db"', "[[target]]", 'name = "prod"', "min_workers = 2"]
    lines += [f'flower = "{cluster.flower_url}"', f'redis = "{cluster.redis_url}"']
    lines += ["[[receiver]]", 'name = "ops"', 'type = "webhook"', f'url = "{receiver.url}"']
    lines += ["[[override]]", 'rule = "*"', 'keep_firing_for = "1s"', "[[override]]", 'rule = "Queue*"', 'for = "1s"']
    return "\n".join(lines) + "\n"


@pytest.fixture
def watched(own_cluster: Cluster, receiver: RecordingReceiver, tmp_path: Path) -> Path:
    """A folder with a configuration in which every `for` is short, and the cause's is longer than that of what it explains."""
    return configured(tmp_path, own_cluster, receiver)


def configured(folder: Path, cluster: Cluster, receiver: RecordingReceiver, times: Mapping[str, str] = SCALED) -> Path:
    (folder / "watchdog.toml").write_text(configuration(cluster, receiver) + held_for(times))
    return folder


def held_for(times: Mapping[str, str]) -> str:
    """Overrides that set the `for` of these rules."""
    return "".join(f'[[override]]\nrule = "{rule}"\nfor = "{held}"\n' for rule, held in times.items())


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


def test_a_host_that_dies_is_one_message_that_says_so_and_one_when_it_is_back(
    bare_cluster: Cluster, receiver: RecordingReceiver, tmp_path: Path
) -> None:
    config = configured(tmp_path, bare_cluster, receiver, {**SCALED, **HALVED}) / "watchdog.toml"
    config.write_text(config.read_text().replace('interval = "0.3s"', 'interval = "3s"'))
    bare_cluster.start_redis()
    for queue, name in NODES.items():
        bare_cluster.start_worker(name, [queue])
    bare_cluster.start_flower()
    bare_cluster.wait_ready()
    ask_the_workers(bare_cluster)
    with running(tmp_path) as daemon:
        daemon.wait_for("watchdog_started")
        for queue in ("w2", "w3", "w4"):
            bare_cluster.kill_worker(NODES[queue])  # one right after the other: they are to fall silent together
        for queue in ("w2", "w3", "w4"):
            bare_cluster.flood(queue, 5)
        until(lambda: said(receiver) == [("HostLost", "first")], 90, "the host, alone")
        assert json.loads(receiver.requests[0].body)["message"].startswith("3 of 4 workers lost, all on node2")
        until(lambda: held(tmp_path) == {"WorkerLost": 3, "QueueNoConsumers": 3, "WorkersBelowMinimum": 1}, 40, "what it explains")

        for queue in ("w2", "w3", "w4"):
            bare_cluster.start_worker(NODES[queue], [queue])
        until(lambda: ("HostLost", "resolved") in said(receiver), 60, "its end")
        assert daemon.end() == 0
    assert said(receiver) == [("HostLost", "first"), ("HostLost", "resolved")]


def test_a_redis_that_dies_is_one_message_and_one_when_it_is_back(own_cluster: Cluster, receiver: RecordingReceiver, watched: Path) -> None:
    with running(watched) as daemon:
        daemon.wait_for("watchdog_started")
        own_cluster.stop_redis()
        until(lambda: said(receiver) == [("BrokerUnreachable", "first")], 30, "the broker, alone")
        own_cluster.start_redis()
        until(lambda: ("BrokerUnreachable", "resolved") in said(receiver), 30, "its end")
        assert daemon.end() == 0
    assert said(receiver) == [("BrokerUnreachable", "first"), ("BrokerUnreachable", "resolved")]


def test_a_redis_killed_under_twenty_workers_and_ten_queues_in_trouble_is_one_message(
    bare_cluster: Cluster, receiver: RecordingReceiver, tmp_path: Path
) -> None:
    workers = {f"w{nth}@node{nth % 4}": [f"queue-{nth % 10}"] for nth in range(20)}
    bare_cluster.start_redis(None, *KEEPS_MESSAGES)
    bare_cluster.start_flower()
    with many_workers(bare_cluster, workers):
        until(lambda: bare_cluster.online() == set(workers), 90, "all workers")
        for nth in range(10):
            bare_cluster.flood(f"abandoned-{nth}", 5)
        configured(tmp_path, bare_cluster, receiver, {**SCALED, "QueueNoConsumers": "1m"})
        with running(tmp_path) as daemon:
            until(lambda: pending(tmp_path) == {"QueueNoConsumers": 10}, 40, "ten queues in trouble")
            bare_cluster.stop_redis(signal.SIGKILL)
            until(lambda: said(receiver) == [("BrokerUnreachable", "first")], 40, "the broker, alone")
            bare_cluster.start_redis(None, *KEEPS_MESSAGES)
            until(lambda: ("BrokerUnreachable", "resolved") in said(receiver), 40, "its end")
            until(lambda: bare_cluster.online() == set(workers), 60, "all workers again")
            assert daemon.end() == 0
    assert said(receiver) == [("BrokerUnreachable", "first"), ("BrokerUnreachable", "resolved")]
