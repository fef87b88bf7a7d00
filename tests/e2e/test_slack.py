"""`watchdog run` with a Slack look-alike, as its users run it."""

import json
from pathlib import Path

import redis

from tests.builders.slack_limits import beyond_slacks_limits
from tests.processes.cluster import Cluster
from tests.processes.running import running, write_config
from tests.servers.many_tasks_app import NAMES
from tests.servers.receiver import Answer, RecordingReceiver
from tests.servers.waiting import until

OK = Answer(body=b"ok")
BUSY = Answer(429, {"retry-after": "1"}, b'{"retry_after": 1, "ok": false, "error": "rate_limited"}')
QUEUES = ("alpha", "beta", "gamma")


def as_slack(path: Path) -> None:
    path.write_text(path.read_text().replace('type = "webhook"', 'type = "slack"'))


def named(receiver: RecordingReceiver, at: int = -1) -> list[str]:
    """The queues that one request reports."""
    body = receiver.requests[at].body.decode() if receiver.requests else ""
    return [queue for queue in QUEUES if f"`{queue}`" in body]


def test_while_slack_is_busy_what_waits_is_merged_and_what_ended_untold_is_not_told(
    own_cluster: Cluster, receiver: RecordingReceiver, tmp_path: Path
) -> None:
    as_slack(write_config(tmp_path, own_cluster, receiver.url, short=("QueueBacklogHigh",)))
    receiver.default = BUSY
    with running(tmp_path) as daemon, redis.Redis.from_url(own_cluster.redis_url) as broker:
        for queue in QUEUES:
            own_cluster.flood(queue, 60)
        until(lambda: named(receiver) == list(QUEUES), 60, "all three in one message")
        broker.delete("beta")
        until(lambda: named(receiver) == ["alpha", "gamma"], 60, "a message without the one that ended")
        refused = len(receiver.requests)
        receiver.default = OK
        daemon.wait_for("message_delivered")
        broker.delete("alpha", "gamma")
        daemon.wait_for("message_delivered", count=2)
        assert daemon.end() == 0
    told = [request.body for request in receiver.requests[refused:]]
    assert named(receiver, refused) == ["alpha", "gamma"]
    assert json.loads(told[-1])["text"].startswith(("Resolved", "prod: 2 incidents over"))
    assert not any(b"beta" in body for body in told)
    assert "/hook" not in daemon.own_text


def test_five_hundred_tasks_that_fail_are_one_message_within_slacks_limits(
    bare_cluster: Cluster, receiver: RecordingReceiver, tmp_path: Path
) -> None:
    bare_cluster.start_redis()
    (tmp_path / "watchdog.toml").write_text(
        f'''interval = "1s"
database = "watchdog.db"
[[target]]
name = "prod"
redis = "{bare_cluster.redis_url}"
[[receiver]]
name = "ops"
type = "slack"
url = "{receiver.url}"
group_wait = "20s"      # they do not fail within one cycle
[[override]]
rule = "TaskFailureRateHigh"
params = {{ at_least = 1 }}
[[override]]
rule = "Queue*"
enabled = false
'''
    )
    receiver.default = OK
    with running(tmp_path) as daemon:
        daemon.wait_for("watchdog_started")
        for name in NAMES:
            bare_cluster.app.send_task(name, queue="mails", ignore_result=True)
        bare_cluster.start_worker("one", ["mails"], 2, "prefork", "--include=tests.servers.many_tasks_app")
        until(lambda: receiver.requests, 90, "a message")
        assert daemon.end() == 0
    (body,) = [request.body for request in receiver.requests]
    assert not beyond_slacks_limits(body)
    assert "500 incidents" in json.loads(body)["text"]
