"""A real failover under a real cluster, a real daemon and the shipped rules: at most one message, and the new master by itself."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes.running import running, told
from tests.servers.receiver import RecordingReceiver
from tests.servers.sentinels import MASTER, Sentinels
from tests.servers.waiting import until
from watchdog.demo.cluster import Cluster
from watchdog.tables.workers.presence import SETTLE_S

IMPATIENT = {
    "QueueBacklogHigh": "0s",
    "QueueNoConsumers": "0s",
    "BrokerReadOnly": "0s",
    "FlowerUnreachable": "0s",
    "WorkerLost": "15s",
    "NoWorkersOnline": "15s",
    "WorkersBelowMinimum": "15s",
}
"""Rules that would storm, if they took a failover for what it looks like. Here they wait for nothing, or (workers try again after 2, 4, 6 …
seconds, and some are really not there when watchdog has ceased to bear with them) for half of what any of them is shipped with, or less."""
WAITING = [("QueueNoConsumers", "first")]
"""It explains QueueBacklogHigh, which fires as well."""


@pytest.fixture
def sentinels(tmp_path: Path) -> Iterator[Sentinels]:
    folder = tmp_path / "redis"
    folder.mkdir()
    with Sentinels(folder, down_after_ms=1000) as started:
        yield started


@pytest.fixture
def served(sentinels: Sentinels) -> Iterator[Cluster]:
    """Workers and Flower, which find their broker through the sentinel, as watchdog does."""
    broker = {"DEMO_BROKER_URL": sentinels.celery_url(), "DEMO_MASTER_NAME": MASTER}
    with Cluster(environment=broker, heartbeat_s=1) as cluster:
        cluster.start_worker("web-1", ["indexing"], 1)
        cluster.start_worker("gpu-1", ["training"], 1)
        cluster.start_flower()
        cluster.wait_ready()
        yield cluster


def configure(folder: Path, cluster: Cluster, sentinels: Sentinels, hook: str, unreachable_for: str) -> None:
    target = {"name": "prod", "flower": cluster.flower_url, "redis": sentinels.url(), "min_workers": 2}
    lines = [
        'interval = "0.5s"',
        'database = "watchdog.db"',
        "[[target]]",
        *(f"{key} = {json.dumps(value)}" for key, value in target.items()),
    ]
    lines += ["[[receiver]]", 'name = "ops"', 'type = "webhook"', f'url = "{hook}"']
    for rule, held in {**IMPATIENT, "BrokerUnreachable": unreachable_for}.items():
        lines += ["[[override]]", f'rule = "{rule}"', f'for = "{held}"', 'keep_firing_for = "1s"']
    (folder / "watchdog.toml").write_text("\n".join(lines) + "\n")


def heard(receiver: RecordingReceiver) -> list[tuple[str, str]]:
    """(rule, event) of all notifications."""
    return sorted((rule, event) for _, rule, event in told(receiver))


def fails_over(sentinels: Sentinels, cluster: Cluster) -> None:
    """The master is killed; the workers are back at the new one, and the time is over in which watchdog bears with them."""
    with sentinels.data(sentinels.master()) as client:
        assert client.wait(1, 5000) == 1
    old = sentinels.kill_master()
    until(lambda: sentinels.master() != old, 30, "another master")
    until(lambda: cluster.online() == set(cluster.workers), 60, "the workers to be back")
    time.sleep(SETTLE_S + 10)


@pytest.mark.parametrize(
    ("unreachable_for", "of_the_broker"), [("30s", []), ("0s", ["first", "resolved"])], ids=["within its for", "longer than its for"]
)
def test_a_failover_is_one_message_at_most_and_the_new_master_is_found(
    sentinels: Sentinels, served: Cluster, receiver: RecordingReceiver, tmp_path: Path, unreachable_for: str, of_the_broker: list[str]
) -> None:
    """60 messages wait before, during and after; they are consumed at the new master, and only then is the end notified."""
    configure(tmp_path, served, sentinels, receiver.url, unreachable_for)
    served.flood("nobody", 60)  # before the first look: half of them would be less severe
    with running(tmp_path):
        until(lambda: heard(receiver) == WAITING, 30, "what fires before the failover to be notified")
        fails_over(sentinels, served)
        assert heard(receiver) == sorted([*WAITING, *(("BrokerUnreachable", event) for event in of_the_broker)])
        with sentinels.data(sentinels.master()) as client:
            assert client.delete("nobody") == 1
        until(lambda: ("QueueNoConsumers", "resolved") in heard(receiver), 30, "the end that only the new master shows")
