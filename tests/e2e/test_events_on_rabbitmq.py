"""A daemon on RabbitMQ, without Flower: it hears of workers and tasks, tells a loss, and takes nobody's silence in an alarm for one."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.test_events import cells, rows
from tests.processes.cluster import Cluster
from tests.processes.command_line import watchdog
from tests.processes.running import FRESH, Daemon, events_of, running, told
from tests.servers.rabbitmq import RabbitMQ, found
from tests.servers.receiver import RecordingReceiver
from tests.servers.waiting import until

pytestmark = [pytest.mark.xdist_group("rabbitmq-1"), pytest.mark.skipif(found() is None, reason="RabbitMQ is not installed")]


@pytest.fixture(scope="module")
def rabbit(rabbitmq_server: RabbitMQ) -> RabbitMQ:
    return rabbitmq_server.emptied()


@pytest.fixture(scope="module")
def cluster(rabbit: RabbitMQ, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with Cluster(tmp_path_factory.mktemp("site"), environment={"DEMO_BROKER_URL": rabbit.url, "DEMO_RESULTS_URL": "disabled://"}) as one:
        one.start_worker("stays", ["mails"], 2)
        yield one


@pytest.fixture
def watched(rabbit: RabbitMQ, cluster: Cluster, receiver: RecordingReceiver, tmp_path: Path) -> Iterator[Daemon]:
    (tmp_path / "watchdog.toml").write_text(
        f"""
interval = "1s"
database = "watchdog.db"
flap_window = "0s"
[[target]]
name     = "prod"
rabbitmq = {json.dumps(rabbit.api_url)}
celery   = {json.dumps(rabbit.url)}
[[receiver]]
name = "ops"
type = "webhook"
url  = "{receiver.url}"
[[override]]
rule = "*"
for  = "0s"
keep_firing_for = "1s"
[[override]]
rule = "BrokerMemoryHigh"
enabled = false
[[override]]
rule = "Blind"
enabled = false
"""
    )
    assert cluster.workers
    with running(tmp_path, command=FRESH) as daemon:
        until(lambda: cells(daemon, "state").get("celery@stays") == "online", 90, "the worker", every=0.5)
        until(lambda: hears(daemon), 60, "the connection over which events come", every=0.5)  # the worker itself may have been asked
        yield daemon


def hears(daemon: Daemon) -> bool:
    """Whether counts of tasks are known at the last look."""
    asked = watchdog("query", "--format", "json", "SELECT name FROM tasks", cwd=daemon.folder)
    return not json.loads(asked.stdout)["unread"]


def send(cluster: Cluster, task: str, *args: object, queue: str = "mails") -> None:
    cluster.app.send_task(task, args=args, queue=queue)


def test_a_failing_task_is_told_with_its_exception(watched: Daemon, cluster: Cluster, receiver: RecordingReceiver) -> None:
    for _ in range(8):
        send(cluster, "demo.fail", "TimeoutError")
    until(lambda: events_of(receiver, "TaskFailureRateHigh"), 60, "the failures to be told", every=0.5)
    (body,) = [request.body.decode() for request in receiver.requests if b"TaskFailureRateHigh" in request.body]
    assert "demo.fail fails: 8 of its last 8 runs, mostly TimeoutError" in body


def test_it_tells_of_a_killed_worker_and_not_of_one_that_said_goodbye(
    watched: Daemon, cluster: Cluster, receiver: RecordingReceiver
) -> None:
    for name in ("dies", "leaves"):
        cluster.start_worker(name, [name])
    until(lambda: {"celery@dies", "celery@leaves"} <= cells(watched, "state").keys(), 90, "two more workers", every=0.5)
    send(cluster, "demo.hang", 60, queue="dies")  # it is heard while it works, so it is known not to be a busy solo pool
    until(lambda: cells(watched, "active")["celery@dies"] == 1, 60, "its task", every=0.5)
    (row,) = [row for row in rows(watched, "running") if row["worker"] == "celery@dies"]
    assert (row["name"], row["queue"]) == ("demo.hang", "dies")
    cluster.kill_worker("leaves", signal.SIGTERM)
    cluster.kill_worker("dies")
    until(lambda: events_of(receiver, "WorkerLost"), 60, "the loss to be told", every=0.5)
    assert cells(watched, "state") == {"celery@dies": "lost", "celery@leaves": "left", "celery@stays": "online"}
    assert events_of(receiver, "WorkerLost") == ["first"]


def test_in_an_alarm_which_blocks_heartbeats_no_worker_is_lost(
    watched: Daemon, rabbit: RabbitMQ, cluster: Cluster, receiver: RecordingReceiver
) -> None:
    send(cluster, "demo.hang", 8)
    until(lambda: cells(watched, "active")["celery@stays"] == 1, 60, "its task", every=0.5)
    rabbit.set_memory_limit("0")
    try:
        until(lambda: events_of(receiver, "BrokerAlarm"), 60, "the alarm to be told", every=0.5)
        until(lambda: float(str(cells(watched, "silent_s")["celery@stays"])) > 25, 60, "a long silence", every=0.5)
        assert not events_of(receiver, "WorkerLost")
    finally:
        rabbit.set_memory_limit("0.4")
    until(lambda: cells(watched, "state")["celery@stays"] == "online", 60, "the end of it", every=0.5)
    assert not events_of(receiver, "WorkerLost")


def test_where_nothing_is_heard_that_is_logged_once_and_shown_and_tells_nobody(
    rabbit: RabbitMQ, receiver: RecordingReceiver, tmp_path: Path, cluster: Cluster
) -> None:
    assert cluster.workers
    url = rabbit.let_in("narrow", "^$", "^$", "^$")
    (tmp_path / "watchdog.toml").write_text(
        f'database = "watchdog.db"\n[[target]]\nname = "prod"\nrabbitmq = {json.dumps(rabbit.api_url)}\ncelery = {json.dumps(url)}\n'
        f'[[receiver]]\nname = "ops"\ntype = "webhook"\nurl = "{receiver.url}"\n'
    )
    with running(tmp_path) as daemon:
        daemon.wait_for("events_not_heard")
        until(lambda: "events not heard" in watchdog("status", cwd=tmp_path).stdout, 30, "a look that shows it", every=0.5)
        shown = watchdog("status", cwd=tmp_path).stdout
        assert "does not let this user declare a queue" in " ".join(shown.split())
    assert daemon.text.count("events_not_heard") == 1
    assert "hunter2" not in daemon.text + shown
    assert told(receiver) == []
