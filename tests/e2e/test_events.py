"""A daemon that has nothing but Redis: it hears of workers, tells a loss from a goodbye, and listens on through a reload."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from tests.processes.cluster import Cluster
from tests.processes.command_line import watchdog
from tests.processes.running import Daemon, events_of, running, told
from tests.servers.receiver import RecordingReceiver
from tests.servers.waiting import until

NAMES = ("celery@dies", "celery@leaves", "celery@stays")


def write(folder: Path, cluster: Cluster, hook: str, user: str = "", *, more: str = "") -> None:
    url = cluster.redis_url.replace("//", f"//{user}")
    (folder / "watchdog.toml").write_text(
        f"""
interval = "1s"
database = "watchdog.db"
flap_window = "0s"
[[target]]
name  = "prod"
redis = {json.dumps(url)}
{more}
[[receiver]]
name = "ops"
type = "webhook"
url  = "{hook}"
[[override]]
rule = "*"
for  = "0s"
keep_firing_for = "1s"
[[override]]
rule = "Blind"
enabled = false
"""
    )


@pytest.fixture
def watched(redis_server: Cluster, receiver: RecordingReceiver, tmp_path: Path) -> Iterator[Daemon]:
    """A daemon beside a Redis that nobody uses yet."""
    write(tmp_path, redis_server, receiver.url)
    with running(tmp_path) as daemon:
        yield daemon


def cells(daemon: Daemon, column: str) -> dict[str, object]:
    """A column of the workers, as the daemon stored it at its last look; nothing before its first one, when `status` looks itself."""
    (target,) = json.loads(watchdog("status", "--json", cwd=daemon.folder).stdout)["targets"]
    rows = [] if target["live"] else [row["cells"] for row in target["tables"]["workers"]["rows"]]
    return {row["name"]: row[column] for row in rows}


def test_it_tells_of_a_killed_worker_and_not_of_one_that_said_goodbye(
    watched: Daemon, redis_server: Cluster, receiver: RecordingReceiver
) -> None:
    for name in NAMES:
        redis_server.start_worker(name, [name], 1)
    redis_server.flood("celery@dies", 1, "demo.hang")  # it is heard while it works, so it is known not to be a busy solo pool
    redis_server.wait_ready(60)
    until(lambda: cells(watched, "state") == dict.fromkeys(NAMES, "online"), 60, "three workers", every=0.5)
    until(lambda: cells(watched, "active")["celery@dies"] == 1, 60, "its task", every=0.5)
    redis_server.kill_worker("celery@leaves", signal.SIGTERM)
    redis_server.kill_worker("celery@dies", signal.SIGKILL)
    until(lambda: "WorkerLost" in [rule for _, rule, _ in told(receiver)], 60, "the loss to be told", every=0.5)
    assert cells(watched, "state") == {"celery@dies": "lost", "celery@leaves": "left", "celery@stays": "online"}
    assert events_of(receiver, "WorkerLost") == ["first"]
    assert "celery@dies" in next(request.body.decode() for request in receiver.requests if b"WorkerLost" in request.body)


def test_a_reload_closes_the_connection_and_opens_one_and_an_end_leaves_none(
    watched: Daemon, redis_server: Cluster, receiver: RecordingReceiver
) -> None:
    with redis.Redis.from_url(redis_server.redis_url) as client:

        def listeners() -> set[str]:
            return {str(one["id"]) for one in client.client_list("pubsub")}

        until(lambda: len(listeners()) == 1, 20, "the connection")
        before = listeners()
        write(watched.folder, redis_server, receiver.url, more="min_workers = 1")
        watched.send(signal.SIGHUP)
        watched.wait_for("configuration_reloaded")
        until(lambda: len(listeners()) == 1 and not listeners() & before, 20, "another connection")
        assert watched.end() == 0
        until(lambda: not listeners(), 10, "the end of it")


def test_a_refusal_is_logged_once_and_shown_and_tells_nobody(redis_server: Cluster, receiver: RecordingReceiver, tmp_path: Path) -> None:
    with redis.Redis.from_url(redis_server.redis_url) as client:
        client.execute_command("ACL", "SETUSER", "narrow", "on", ">hunter2", "~*", "+@all", "resetchannels")
    write(tmp_path, redis_server, receiver.url, "narrow:hunter2@")
    with running(tmp_path) as daemon:
        daemon.wait_for("events_not_heard")
        until(lambda: "events not heard" in watchdog("status", cwd=tmp_path).stdout, 30, "a look that shows it", every=0.5)
        shown = watchdog("status", cwd=tmp_path).stdout
        assert "denies the channel" in " ".join(shown.split())
    assert daemon.text.count("events_not_heard") == 1
    assert "hunter2" not in daemon.text + shown
    assert told(receiver) == []


# --- tasks, without Flower ------------------------------------------------------------------------------------------------


def rows(daemon: Daemon, table: str) -> list[dict[str, object]]:
    """A table as the daemon stored it at its last look."""
    shown = json.loads(watchdog("status", "--json", cwd=daemon.folder).stdout)
    return [row["cells"] for row in shown["targets"][0]["tables"][table]["rows"]]


def test_without_flower_a_failing_task_is_told_with_its_exception(
    watched: Daemon, redis_server: Cluster, receiver: RecordingReceiver
) -> None:
    redis_server.start_worker("one", ["mails"], 2)
    until(lambda: cells(watched, "state") == {"celery@one": "online"}, 60, "the worker", every=0.5)
    for _ in range(8):
        redis_server.app.send_task("demo.fail", args=["TimeoutError"], queue="mails")
    until(lambda: events_of(receiver, "TaskFailureRateHigh"), 60, "the failures to be told", every=0.5)
    (body,) = [request.body.decode() for request in receiver.requests if b"TaskFailureRateHigh" in request.body]
    assert "demo.fail fails: 8 of its last 8 runs, mostly TimeoutError" in body


def test_without_flower_what_runs_is_shown_with_its_worker_and_its_queue(watched: Daemon, redis_server: Cluster) -> None:
    redis_server.start_worker("one", ["mails"], 2)
    until(lambda: cells(watched, "state") == {"celery@one": "online"}, 60, "the worker", every=0.5)
    redis_server.app.send_task("demo.hang", args=[60], queue="mails")
    until(lambda: rows(watched, "running"), 30, "the task to run", every=0.5)
    (row,) = rows(watched, "running")
    assert (row["name"], row["worker"], row["worker_state"], row["queue"]) == ("demo.hang", "celery@one", "online", "mails")


def test_a_worker_that_says_nothing_of_its_tasks_leaves_their_counts_unknown(
    watched: Daemon, redis_server: Cluster, receiver: RecordingReceiver
) -> None:
    redis_server.start_worker("mute", ["mails"], 2, "prefork", "--", "worker.send_task_events=0")
    until(lambda: cells(watched, "state") == {"celery@mute": "online"}, 60, "the worker", every=0.5)
    redis_server.flood("mails", 30, "demo.ok")
    until(lambda: cells(watched, "processed").get("celery@mute") == 30, 60, "its tasks", every=0.5)
    asked = watchdog("query", "--format", "json", "SELECT error_rate FROM cluster", cwd=watched.folder)
    assert "no event about them" in asked.stdout
    assert told(receiver) == []
