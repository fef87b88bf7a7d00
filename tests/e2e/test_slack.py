"""`watchdog run` with a Slack look-alike, and `watchdog receivers test`, as their users run them."""

import json
from pathlib import Path

import pytest
import redis

from tests.processes.command_line import watchdog
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


# --- watchdog receivers test --------------------------------------------------------------------------------------------


@pytest.fixture
def folder(receiver: RecordingReceiver, tmp_path: Path) -> Path:
    receiver.default = OK
    chat = f'[[receiver]]\nname = "chat"\ntype = "slack"\nurl = "{receiver.url}/s3cretpath"\n'
    screen = '[[receiver]]\nname = "screen"\ntype = "console"\n'
    (tmp_path / "watchdog.toml").write_text(chat + screen)
    return tmp_path


def test_a_test_message_is_marked_as_one_and_what_came_back_is_said(folder: Path, receiver: RecordingReceiver) -> None:
    done = watchdog("receivers", "test", "chat", cwd=folder)
    assert (done.returncode, done.stdout, done.stderr) == (0, "chat: delivered (200)\n", "")
    [request] = receiver.requests
    assert json.loads(request.body)["text"] == "Info in watchdog: This is a test of the receiver chat: nothing is wrong"


def test_no_database_is_made_for_a_test_message(folder: Path) -> None:
    watchdog("receivers", "test", "chat", cwd=folder)
    assert list(folder.rglob("*.db")) == []


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Answer(404, body=b"no_service"), "chat: refused: http://127.0.0.1:{port} answered 404: no_service: the webhook was removed"),
        (BUSY, "chat: not delivered: http://127.0.0.1:{port} answered 429: "),
    ],
)
def test_what_is_not_delivered_says_why_and_is_1(folder: Path, receiver: RecordingReceiver, answer: Answer, said: str) -> None:
    receiver.default = answer
    done = watchdog("receivers", "test", "chat", cwd=folder)
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.startswith(said.format(port=receiver.port))
    assert "s3cretpath" not in done.stdout


def test_a_pause_longer_than_any_is_not_repeated_as_if_it_held(folder: Path, receiver: RecordingReceiver) -> None:
    receiver.default = Answer(503, {"retry-after": "Fri, 31 Dec 9999 23:59:59 GMT"})
    done = watchdog("receivers", "test", "chat", cwd=folder)
    assert done.stdout.endswith("(`watchdog run` would try again in 15m, though it asks for a longer pause)\n")


def test_all_receivers_are_tried_though_one_fails(folder: Path, receiver: RecordingReceiver) -> None:
    receiver.default = Answer(404)
    done = watchdog("receivers", "test", "--all", cwd=folder)
    assert done.returncode == 1
    assert done.stdout.splitlines()[0].startswith("chat: refused: ")
    assert done.stdout.splitlines()[-1] == "screen: delivered (printed)"


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["chta"], 'no receiver "chta"; did you mean "chat"?\nconfigured: chat, screen\n'),
        ([], "expected the name of a receiver, or --all; configured: chat, screen\n"),
        (["chat", "--all"], "expected the name of a receiver, or --all; configured: chat, screen\n"),
    ],
)
def test_a_mistake_names_the_receivers_there_are(folder: Path, args: list[str], said: str) -> None:
    done = watchdog("receivers", "test", *args, cwd=folder)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", said)


def test_without_any_receiver_it_says_what_to_add(tmp_path: Path) -> None:
    (tmp_path / "watchdog.toml").write_text('[[target]]\nname = "prod"\nflower = "http://127.0.0.1:1"\n')
    done = watchdog("receivers", "test", "ops", cwd=tmp_path)
    assert done.returncode == 2
    assert "add a [[receiver]]" in done.stderr
