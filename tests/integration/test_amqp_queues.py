"""Queues of a real RabbitMQ, purged and moved: in their order, byte by byte, refused, and killed in between."""

import json
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import amqp
import httpx
import kombu
import pytest

from tests.processes.cluster import Cluster
from tests.processes.command_line import watchdog
from tests.processes.running import COMMAND, environment
from tests.servers.rabbitmq import RabbitMQ, found
from tests.servers.waiting import until
from watchdog.sources.celery.settings import CelerySettings
from watchdog.sources.control.amqp import BrokerError, QueuesOnAmqp
from watchdog.sources.control.amqp_once import MARKS
from watchdog.store import Store

pytestmark = [pytest.mark.xdist_group("rabbitmq-2"), pytest.mark.skipif(found() is None, reason="RabbitMQ is not installed")]

KILLS = 5
MESSAGES = 3_000
RUNS_PER_KILL = 200


@pytest.fixture(scope="module")
def rabbit(rabbitmq_server: RabbitMQ) -> RabbitMQ:
    return rabbitmq_server.emptied()


@pytest.fixture
def channel(rabbit: RabbitMQ) -> Iterator[Any]:
    """A channel on which the queues src and dst are empty."""
    with kombu.Connection(rabbit.url) as connection, connection.channel() as channel:
        for name in ("src", "dst"):
            channel.queue_declare(name, durable=True, auto_delete=False)
            channel.queue_purge(name)
        yield channel


@pytest.fixture
def queues(rabbit: RabbitMQ) -> Iterator[QueuesOnAmqp]:
    one = QueuesOnAmqp(CelerySettings.model_validate({"url": rabbit.url}))
    yield one
    one.close()


def fill(channel: Any, queue: str, count: int, *tasks: str) -> list[str]:
    """Messages as Celery sends them. Returns their ids, the oldest first."""
    ids = [f"{queue}-{number}" for number in range(count)]
    producer = kombu.Producer(channel)
    for number, name in enumerate(ids):
        task = tasks[number % len(tasks)] if tasks else "demo.ok"
        producer.publish([[], {}, {}], routing_key=queue, headers={"id": name, "task": task}, correlation_id=name, delivery_mode=2)
    return ids


def ids(channel: Any, queue: str) -> list[str]:
    """The ids that wait, the oldest first; they are taken."""
    taken = iter(lambda: channel.basic_get(queue, no_ack=True), None)
    return [message.properties["application_headers"]["id"] for message in taken]


def waiting(channel: Any, queue: str) -> int:
    return int(channel.queue_declare(queue, passive=True).message_count)


def moved(queues: QueuesOnAmqp, most: int = 10_000, only: str | None = None) -> int:
    return sum(queues.move("src", "dst", most, only))


def test_all_are_moved_in_their_order_behind_those_that_wait(channel: Any, queues: QueuesOnAmqp) -> None:
    before, sent = fill(channel, "dst", 2), fill(channel, "src", 30)
    assert moved(queues) == 30
    assert (ids(channel, "dst"), ids(channel, "src")) == (before + sent, [])


def test_a_moved_message_is_the_same_to_the_byte(channel: Any, queues: QueuesOnAmqp) -> None:
    properties = {"application_headers": {"id": "1", "task": "demo.ok", "n": [1, None, "é"]}, "content_encoding": "binary", "priority": 3}
    message = amqp.Message(b"\xff\x00 not text", **properties, reply_to="me", expiration="600000")
    channel.basic_publish(message, routing_key="src")
    moved(queues)
    got = channel.basic_get("dst", no_ack=True)
    kept = {name: got.properties.get(name) for name in ("application_headers", "content_encoding", "priority", "reply_to", "expiration")}
    assert (bytes(got.body), kept) == (b"\xff\x00 not text", {**properties, "reply_to": "me", "expiration": "600000"})


def test_only_messages_of_one_task_are_moved_and_the_others_stay_in_their_order(channel: Any, queues: QueuesOnAmqp) -> None:
    sent = fill(channel, "src", 30, "demo.ok", "demo.fail", "demo.burn")
    assert moved(queues, only="demo.fail") == 10
    assert ids(channel, "dst") == sent[1::3]
    until(lambda: waiting(channel, "src") == 20, 10, "the others to be back")
    assert ids(channel, "src") == [name for at, name in enumerate(sent) if at % 3 != 1]


def test_no_more_are_moved_than_asked_for(channel: Any, queues: QueuesOnAmqp) -> None:
    sent = fill(channel, "src", 10)
    assert (moved(queues, 4), ids(channel, "src")) == (4, sent[4:])


def test_a_purge_says_how_many_they_were(channel: Any, queues: QueuesOnAmqp) -> None:
    fill(channel, "src", 7)
    assert (queues.purge("src"), waiting(channel, "src")) == (7, 0)


def test_a_queue_that_is_not_there_has_no_length(channel: Any, queues: QueuesOnAmqp) -> None:
    fill(channel, "src", 2)
    until(lambda: waiting(channel, "src") == 2, 10, "both")
    assert (queues.length("src"), queues.length("nobody-s")) == (2, None)


def test_what_the_other_queue_refuses_stays_where_it_is(channel: Any, queues: QueuesOnAmqp) -> None:
    limits = {"x-max-length": 2, "x-overflow": "reject-publish"}
    channel.queue_declare("small", durable=True, auto_delete=False, arguments=limits)
    channel.queue_purge("small")
    sent = fill(channel, "src", 5)
    with pytest.raises(BrokerError, match="small takes no more messages"):
        sum(queues.move("src", "small", 5, None))
    queues.close()
    until(lambda: waiting(channel, "src") + waiting(channel, "small") == 5, 10, "all of them")
    assert sorted(ids(channel, "src") + ids(channel, "small")) == sorted(sent)


def test_what_no_queue_takes_stays_where_it_is(channel: Any, queues: QueuesOnAmqp) -> None:
    fill(channel, "src", 3)
    with pytest.raises(BrokerError, match="there is no queue gone any more"):
        sum(queues.move("src", "gone", 3, None))
    queues.close()
    until(lambda: waiting(channel, "src") == 3, 10, "all of them")


def test_who_may_not_is_told_what_is_missing_and_no_password(rabbit: RabbitMQ, channel: Any) -> None:
    url = rabbit.let_in("reader", configure="^$", write="^$", read="^$")
    fill(channel, "src", 1)
    queues = QueuesOnAmqp(CelerySettings.model_validate({"url": url}))
    with pytest.raises(BrokerError) as refused:
        queues.purge("src")
    queues.close()
    assert ("ACCESS_REFUSED" in str(refused.value), "hunter2" in str(refused.value)) == (True, False)


def test_the_permissions_of_the_docs_are_enough(rabbit: RabbitMQ, channel: Any) -> None:
    url = rabbit.let_in("mover", configure="^$", write=r"^amq\.default$", read="^(src|dst)$")
    fill(channel, "src", 3)
    queues = QueuesOnAmqp(CelerySettings.model_validate({"url": url}))
    try:
        until(lambda: queues.length("src") == 3, 10, "all of them")
        assert (moved(queues), queues.purge("dst")) == (3, 3)
    finally:
        queues.close()


def test_a_broker_that_is_not_there_is_one_sentence() -> None:
    queues = QueuesOnAmqp(CelerySettings.model_validate({"url": "amqp://guest:hunter2@127.0.0.1:1//"}))
    with pytest.raises(BrokerError, match=r"rabbitmq: connection refused by amqp://\*\*\*@127.0.0.1:1//"):
        queues.length("src")


# --- sent once ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def no_marks(channel: Any) -> None:
    """No failure was sent again."""
    channel.queue_delete(MARKS)


def sent_once(queues: QueuesOnAmqp, queue: str, *names: str) -> list[bool]:
    return [queues.send_once(queue, f"mark-{name}", amqp.Message(b"[]", application_headers={"id": name})) for name in names]


def test_what_is_marked_is_not_sent_again(channel: Any, no_marks: None, queues: QueuesOnAmqp) -> None:
    assert sent_once(queues, "src", "a", "b", "a") == [True, True, False]
    queues.close()
    assert sent_once(queues, "src", "b", "c") == [False, True]
    assert ids(channel, "src") == ["a", "b", "c"]


def test_the_permissions_for_sending_again_in_the_docs_are_enough(rabbit: RabbitMQ, channel: Any, no_marks: None) -> None:
    url = rabbit.let_in("sender", configure=r"^watchdog\.sent-again$", write=r"^amq\.default$", read=r"^watchdog\.sent-again$")
    queues = QueuesOnAmqp(CelerySettings.model_validate({"url": url}))
    assert sent_once(queues, "src", "a", "a") == [True, False]
    queues.close()


def test_who_may_not_keep_marks_is_told_so(rabbit: RabbitMQ, no_marks: None) -> None:
    queues = QueuesOnAmqp(CelerySettings.model_validate({"url": rabbit.let_in("mover", configure="^$", write=".*", read=".*")}))
    with pytest.raises(BrokerError, match=r"ACCESS_REFUSED.*retry also to configure and read watchdog\.sent-again"):
        sent_once(queues, "src", "a")
    queues.close()


def test_two_do_not_send_at_the_same_time(rabbit: RabbitMQ, no_marks: None, queues: QueuesOnAmqp) -> None:
    sent_once(queues, "src", "a")
    other = QueuesOnAmqp(CelerySettings.model_validate({"url": rabbit.url}))
    with pytest.raises(BrokerError, match="another watchdog sends runs again at this moment"):
        sent_once(other, "src", "b")
    other.close()


def test_what_no_queue_takes_is_not_marked(channel: Any, no_marks: None, queues: QueuesOnAmqp) -> None:
    with pytest.raises(BrokerError, match="there is no queue later"):
        sent_once(queues, "later", "a")
    channel.queue_declare("later", durable=True, auto_delete=False)
    assert (sent_once(queues, "later", "a"), ids(channel, "later")) == ([True], ["a"])
    channel.queue_delete("later")


def test_what_a_full_queue_refuses_is_not_marked(channel: Any, no_marks: None, queues: QueuesOnAmqp) -> None:
    channel.queue_declare("small", durable=True, auto_delete=False, arguments={"x-max-length": 2, "x-overflow": "reject-publish"})
    channel.queue_purge("small")
    assert sent_once(queues, "small", "a", "b") == [True, True]
    with pytest.raises(BrokerError, match="small takes no more messages"):
        sent_once(queues, "small", "c")
    assert ids(channel, "small") == ["a", "b"]
    assert (sent_once(queues, "small", "c"), ids(channel, "small")) == ([True], ["c"])


SENDER = """
import sys, amqp
from watchdog.sources.celery.settings import CelerySettings
from watchdog.sources.control.amqp import QueuesOnAmqp
queues = QueuesOnAmqp(CelerySettings.model_validate({"url": sys.argv[1]}))
for name in map(str, range(int(sys.argv[2]))):
    queues.send_once("src", name, amqp.Message(b"[]", application_headers={"id": name}))
"""


def test_a_sender_that_is_killed_at_any_moment_and_begun_anew_sends_each_exactly_once(
    rabbit: RabbitMQ, channel: Any, no_marks: None, tmp_path: Path, count: Callable[[int], int], figure: Callable[[str], None]
) -> None:
    dice, kills, within = random.Random(13), count(KILLS), 0
    runs = RUNS_PER_KILL * kills
    command = [sys.executable, "-c", SENDER, rabbit.url, str(runs)]
    for _ in range(kills):
        had = waiting(channel, "src")
        child = subprocess.Popen(command, env=environment(tmp_path, {}), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until(lambda: child.poll() is not None or waiting(channel, "src") > had, 60, "it to begin", every=0.002)  # noqa: B023
        time.sleep(dice.random() * 0.02)
        within += child.poll() is None
        child.kill()
        child.wait()
    subprocess.run(command, env=environment(tmp_path, {}), check=True, timeout=300)
    assert Counter(ids(channel, "src")) == Counter(map(str, range(runs)))
    assert within > 0
    figure(f"{runs:,} runs on RabbitMQ, {kills} kills, {within} of them in the middle: each sent exactly once")


# --- as people do it ------------------------------------------------------------------------------------------------------


def configured(folder: Path, rabbit: RabbitMQ, more: str = "") -> Path:
    allow = '["move", "purge", "grow", "retry"]'
    target = f'[[target]]\nname = "prod"\ncelery = "{rabbit.url}"\nrabbitmq = "{rabbit.api_url}"\n{more}'
    (folder / "watchdog.toml").write_text(f'database = "watchdog.db"\n[actions]\nallow = {allow}\n{target}')
    Store.open(folder / "watchdog.db").close()
    return folder


def act(folder: Path, *args: str, timeout: str = "0.5s", code: int = 0) -> dict[str, Any]:
    done = watchdog("act", *args, "--json", "--timeout", timeout, cwd=folder)
    assert done.returncode == code, done.stdout + done.stderr
    return dict(json.loads(done.stdout))


def test_a_purge_says_before_what_it_deletes_and_is_in_the_audit_log(rabbit: RabbitMQ, channel: Any, tmp_path: Path) -> None:
    folder = configured(tmp_path, rabbit)
    fill(channel, "src", 4)
    until(lambda: waiting(channel, "src") == 4, 10, "all of them")
    assert act(folder, "purge", "src", "--dry-run")["touches"] == ["src: 4 messages deleted for good"]
    assert act(folder, "purge", "src", "--yes")["answers"]["src"]["text"] == "4 deleted"
    with Store.open(folder / "watchdog.db", create=False) as store:
        assert [(one.action, one.outcome) for one in store.actions(0.0)] == [("purge", "done")]


def test_a_move_to_a_queue_that_is_not_there_is_refused(rabbit: RabbitMQ, channel: Any, tmp_path: Path) -> None:
    fill(channel, "src", 1)
    done = watchdog("act", "move", "src", "nowhere", "--yes", "--timeout", "0.5s", cwd=configured(tmp_path, rabbit))
    assert (done.returncode, 'RabbitMQ has no queue "nowhere"' in done.stderr) == (3, True)


def test_a_retry_without_flower_says_that_nobody_knows_the_arguments(rabbit: RabbitMQ, channel: Any, tmp_path: Path) -> None:
    done = watchdog("act", "retry", "some-id", "--yes", "--timeout", "0.5s", cwd=configured(tmp_path, rabbit))
    assert (done.returncode, "nobody knows the arguments" in done.stderr) == (2, True)


@pytest.fixture(scope="module")
def site(rabbit: RabbitMQ, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A worker on RabbitMQ, and a Flower."""
    environment = {"DEMO_BROKER_URL": rabbit.url, "DEMO_RESULTS_URL": "disabled://"}
    with Cluster(tmp_path_factory.mktemp("site"), environment=environment) as cluster:
        cluster.start_worker("one", ["mails"], 1)
        cluster.start_flower()
        cluster.wait_ready(timeout=90)
        yield cluster


def processes(cluster: Cluster) -> int:
    return sum(len(said["pool"]["processes"]) for said in (cluster.app.control.inspect(timeout=5.0, limit=1).stats() or {}).values())


def test_workers_are_reached_through_the_broker(site: Cluster, rabbit: RabbitMQ, tmp_path: Path) -> None:
    act(configured(tmp_path, rabbit), "grow", "1", "celery@one", "--yes", timeout="5s")
    until(lambda: processes(site) == 2, 30, "two processes")


def failures(cluster: Cluster, task_id: str) -> list[float]:
    """When Flower saw it fail last; nothing yet."""
    answer = httpx.get(f"{cluster.flower_url}/api/task/info/{task_id}")
    return [answer.json()["failed"]] if answer.is_success and answer.json()["state"] == "FAILURE" else []


def test_a_failed_run_is_sent_again_to_its_queue_and_runs_and_the_same_failure_only_once(
    site: Cluster, rabbit: RabbitMQ, channel: Any, queues: QueuesOnAmqp, no_marks: None, tmp_path: Path
) -> None:
    folder = configured(tmp_path, rabbit, f'flower = "{site.flower_url}"\n')
    (task_id,) = site.flood("mails", 1, "demo.fail", kind="KeyError")
    until(lambda: failures(site, task_id), 60, "its failure")
    first = failures(site, task_id)
    assert act(folder, "retry", task_id, "--queue", "dst", "--yes")["answers"][task_id]["text"] == "sent to dst"
    again = act(folder, "retry", task_id, "--queue", "src", "--yes", code=1)["answers"][task_id]["text"]
    assert (again, waiting(channel, "src")) == ("was sent again before", 0)
    assert sum(queues.move("dst", "mails", 1, None)) == 1
    until(lambda: failures(site, task_id) not in ([], first), 60, "its second failure")
    assert act(folder, "retry", task_id, "--yes")["answers"][task_id]["text"] == "sent to mails"


def test_a_move_that_is_killed_at_any_moment_loses_no_message(rabbit: RabbitMQ, channel: Any, tmp_path: Path) -> None:
    """In both queues is at most one for each kill."""
    folder, dice = configured(tmp_path, rabbit), random.Random(13)
    names = fill(channel, "src", MESSAGES)
    until(lambda: waiting(channel, "src") == MESSAGES, 30, "all of them")
    for _ in range(KILLS):
        had = waiting(channel, "dst")
        child = subprocess.Popen(
            [*COMMAND, "act", "move", "src", "dst", "--yes", "--timeout", "0.2s"],
            cwd=folder, env=environment(folder, {}), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        until(lambda: child.poll() is not None or waiting(channel, "dst") > had, 60, "it to begin", every=0.005)  # noqa: B023
        time.sleep(dice.random() * 0.2)
        child.kill()
        child.wait()
        until(lambda: waiting(channel, "src") + waiting(channel, "dst") >= MESSAGES, 30, "what it had taken to be back")
    left = ids(channel, "src")
    found = Counter(left + ids(channel, "dst"))
    assert (set(found), found.total() - MESSAGES <= KILLS, bool(left)) == (set(names), True, True)
