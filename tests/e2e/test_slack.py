"""`watchdog run` with a Slack look-alike, as its users run it."""

import json
from pathlib import Path

import redis

from tests.processes.running import running, write_config
from tests.servers.receiver import Answer, RecordingReceiver
from tests.servers.waiting import until
from watchdog.demo.cluster import Cluster

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
