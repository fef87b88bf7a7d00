"""A remedy on a real cluster: it frees a consumer that is really stuck, and stops at its limit where that does not help."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.processes.cluster import Cluster
from tests.processes.command_line import watchdog
from tests.processes.running import FRESH, running
from tests.servers.receiver import RecordingReceiver
from tests.servers.waiting import until

CONFIG = """
interval = "1s"
database = "watchdog.db"
[actions]
allow = ["restart-consumer"]
[[target]]
name = "prod"
flower = "{cluster.flower_url}"
redis = "{cluster.redis_url}"
[[override]]
rule = "*"
enabled = false
[[override]]
rule = "WorkerIdleWithBacklog"
enabled = true
params = {{ idle = "3s" }}
keep_firing_for = "1s"
remedy = "restart-consumer"
after = "1s"
at_most = "2 per 1h"
[[receiver]]
name = "ops"
type = "webhook"
url = "{hook}"
"""


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with Cluster() as own:
        own.start_redis()
        for name in ("one", "two"):
            own.start_worker(name, [f"q-{name}"], 1, "threads", "--include=tests.servers.stuck_app")
        own.start_flower()
        own.wait_ready(timeout=90)
        yield own


def stuck(cluster: Cluster, name: str, *, for_good: bool = False) -> None:
    arguments = {"queue": f"q-{name}", "for_good": for_good}
    (answer,) = cluster.app.control.broadcast("stick", arguments=arguments, destination=[f"celery@{name}"], reply=True, timeout=10, limit=1)
    assert "ok" in answer[f"celery@{name}"]
    cluster.flood(f"q-{name}", 5)


def told(receiver: RecordingReceiver) -> list[dict[str, Any]]:
    return [one for request in receiver.requests for one in json.loads(request.body)["data"]["incidents"]]


def audit_log(folder: Path) -> list[dict[str, Any]]:
    return list(json.loads(watchdog("act", "log", "--json", cwd=folder).stdout)["actions"])


def test_a_stuck_consumer_is_freed_and_its_incident_says_so(cluster: Cluster, receiver: RecordingReceiver, tmp_path: Path) -> None:
    (tmp_path / "watchdog.toml").write_text(CONFIG.format(cluster=cluster, hook=receiver.url))
    with running(tmp_path, command=FRESH):
        stuck(cluster, "one")
        until(lambda: [one["event"] for one in told(receiver)][-1:] == ["resolved"], 60, "its end")
        (record,) = audit_log(tmp_path)
    assert told(receiver)[-1]["remedy"] == "restart-consumer of q-one on celery@one: done, and it helped (1 of at most 2 per 1h)"
    assert (record["author"], record["outcome"]) == ("watchdog (rule WorkerIdleWithBacklog)", "done")


def waiting(cluster: Cluster, queue: str) -> int:
    with cluster.app.connection_for_read() as connection:
        return int(connection.default_channel.client.llen(queue))


def test_a_kill_under_way_leaves_no_worker_without_its_consumer_and_counts(
    cluster: Cluster, receiver: RecordingReceiver, tmp_path: Path
) -> None:
    (tmp_path / "watchdog.toml").write_text(CONFIG.format(cluster=cluster, hook=receiver.url))
    with running(tmp_path, command=FRESH) as daemon:
        stuck(cluster, "one")
        daemon.wait_for("remedy_begun")
        daemon.end(signal.SIGKILL)
    # as if it was killed between the two steps
    cluster.app.control.cancel_consumer("q-one", destination=["celery@one"], reply=True, timeout=10, limit=1)
    with running(tmp_path, command=FRESH) as daemon:
        daemon.wait_for("remedy_ended")
        until(lambda: waiting(cluster, "q-one") == 0, 30, "the worker to consume again")
        (record,) = audit_log(tmp_path)
    assert (record["outcome"], "was ended under way" in record["text"]) == ("unknown", True)


def test_it_stops_at_its_limit_where_it_does_not_help(cluster: Cluster, receiver: RecordingReceiver, tmp_path: Path) -> None:
    (tmp_path / "watchdog.toml").write_text(CONFIG.format(cluster=cluster, hook=receiver.url))
    with running(tmp_path, command=FRESH):
        stuck(cluster, "two", for_good=True)
        until(lambda: any("it is up to you now" in (one["remedy"] or "") for one in told(receiver)), 90, "to be told to act")
        assert [record["outcome"] for record in audit_log(tmp_path)] == ["done", "done"]


def test_a_remedy_that_is_not_allowed_is_a_fault_of_the_configuration_with_its_line(tmp_path: Path) -> None:
    target = '[[target]]\nname = "prod"\nredis = "redis://127.0.0.1:1"\n'
    override = '[[override]]\nrule = "WorkerIdleWithBacklog"\nremedy = "restart-consumer"\n'
    (tmp_path / "watchdog.toml").write_text(target + override)
    done = watchdog("config", "check", cwd=tmp_path)
    assert done.returncode == 2
    assert 'watchdog.toml:4: override of "WorkerIdleWithBacklog": remedy: its remedy restart-consumer is not allowed' in done.stderr
