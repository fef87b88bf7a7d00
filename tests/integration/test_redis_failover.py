"""A real failover under a real cluster, real daemons and the shipped rules: at most one message, and the new master by itself."""

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.processes.cluster import Cluster
from tests.processes.running import running, told
from tests.servers.receiver import RecordingReceiver
from tests.servers.sentinels import MASTER, Sentinels
from tests.servers.waiting import until
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


Heard = list[tuple[str, str]]
HELD = ("30s", "0s")
"""For how long BrokerUnreachable must hold: the failover is over within the first, and longer than the second."""


@pytest.fixture(scope="module")
def sentinels(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sentinels]:
    with Sentinels(tmp_path_factory.mktemp("redis"), down_after_ms=1000) as started:
        yield started


@pytest.fixture(scope="module")
def served(sentinels: Sentinels) -> Iterator[Cluster]:
    """Workers and Flower, which find their broker through the sentinel, as watchdog does."""
    broker = {"DEMO_BROKER_URL": sentinels.celery_url(), "DEMO_MASTER_NAME": MASTER}
    with Cluster(environment=broker, heartbeat_s=1) as cluster:
        cluster.start_worker("web-1", ["indexing"], 1)
        cluster.start_worker("gpu-1", ["training"], 1)
        cluster.start_flower()
        cluster.wait_ready()
        yield cluster


@dataclass(frozen=True)
class Listener:
    """Whom one daemon tells, and what it had told when the failover was over."""

    receiver: RecordingReceiver
    at_its_end: Heard


@pytest.fixture(scope="module")
def listeners(sentinels: Sentinels, served: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, Listener]]:
    """The failover, beside one daemon for each of `HELD`.

    60 messages wait before, during and after; they are consumed at the new master, and only then is the end notified.
    """
    served.flood("nobody", 60)  # before the first look: half of them would be less severe
    with ExitStack() as stack:
        receivers = {held: stack.enter_context(RecordingReceiver()) for held in HELD}
        for held, receiver in receivers.items():
            folder = tmp_path_factory.mktemp("daemon")
            configure(folder, served, sentinels, receiver.url, held)
            stack.enter_context(running(folder))
        until(lambda: all(heard(one) == WAITING for one in receivers.values()), 30, "what fires before the failover to be notified")
        fails_over(sentinels, served)
        found = {held: Listener(receiver, heard(receiver)) for held, receiver in receivers.items()}
        with sentinels.data(sentinels.master()) as client:
            assert client.delete("nobody") == 1
        yield found


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


def heard(receiver: RecordingReceiver) -> Heard:
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
    ("unreachable_for", "of_the_broker"),
    [(HELD[0], []), (HELD[1], ["first", "resolved"])],
    ids=["within its for", "longer than its for"],
)
def test_a_failover_is_one_message_at_most_and_the_new_master_is_found(
    listeners: Mapping[str, Listener], unreachable_for: str, of_the_broker: list[str]
) -> None:
    listener = listeners[unreachable_for]
    assert listener.at_its_end == sorted([*WAITING, *(("BrokerUnreachable", event) for event in of_the_broker)])
    until(lambda: ("QueueNoConsumers", "resolved") in heard(listener.receiver), 30, "the end that only the new master shows")
