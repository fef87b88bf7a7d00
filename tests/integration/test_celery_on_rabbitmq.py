"""The celery source on a real RabbitMQ: workers are asked, no queue stays behind, and a broker that hangs or blocks hangs nothing."""

import pickle
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx
import kombu
import pytest
from pydantic import SecretStr

from tests.processes.cluster import Cluster
from tests.servers.rabbitmq import RabbitMQ, found
from tests.servers.tcp_relay import TcpRelay
from tests.servers.tcp_server import TcpServer
from tests.servers.waiting import until
from watchdog.core.model.gaps import Gap
from watchdog.core.model.queries import Query
from watchdog.core.model.servers.worker_queries import HeldByWorkers, InspectWorkers, PingWorkers
from watchdog.demo.processes import LOOPBACK, Process
from watchdog.sources.celery.line import Line
from watchdog.sources.celery.source import CelerySettings, CelerySource

pytestmark = [pytest.mark.xdist_group("rabbitmq-1"), pytest.mark.skipif(found() is None, reason="RabbitMQ is not installed")]

SHOP, NOBODY = "celery@shop", "celery@nobody"
Asked = Callable[[], list[dict[str, Any]]]


def source_of(url: str, **more: Any) -> CelerySource:
    return CelerySource(CelerySettings(url=SecretStr(url), **more))


def ask(source: CelerySource, query: Query) -> Any:
    return source.ask([query]).replies[query]


@pytest.fixture(scope="module")
def worker(rabbitmq_server: RabbitMQ) -> Iterator[Process]:
    """The only one."""
    server = rabbitmq_server.emptied()
    with Cluster(environment={"DEMO_BROKER_URL": server.url, "DEMO_RESULTS_URL": "disabled://"}) as cluster:
        cluster.start_worker(SHOP, ["orders"], 2, "threads")
        until(lambda: ask(source_of(server.url), PingWorkers()) == frozenset({SHOP}), 90, "an answer of the worker")
        yield cluster.workers[SHOP]


@pytest.fixture(scope="module")
def rabbitmq(rabbitmq_server: RabbitMQ, worker: Process) -> RabbitMQ:
    """With one worker."""
    return rabbitmq_server


@pytest.fixture(scope="module")
def heartbeats(rabbitmq: RabbitMQ) -> Iterator[None]:
    """To each connection that is opened from now on and wants heartbeats at all, RabbitMQ sends one every half a second."""
    with rabbitmq.setting("rabbit", "heartbeat", "1", "60"):
        yield


@pytest.fixture
def asked(rabbitmq: RabbitMQ) -> Iterator[Asked]:
    """What workers were asked since the test began."""
    until(none_under_way, 20, "the end of earlier conversations")
    told: list[dict[str, Any]] = []
    with kombu.Connection(rabbitmq.url) as connection:
        queue = kombu.Queue("", kombu.Exchange("celery.pidbox", "fanout", passive=True), exclusive=True)(connection.default_channel)
        queue.declare()

        def so_far() -> list[dict[str, Any]]:
            told.extend(message.payload for message in iter(lambda: queue.get(no_ack=True), None))
            return told

        yield so_far


def none_under_way() -> bool:
    """No conversation of an earlier question, which may outlast its answer."""
    return "asking-workers" not in {thread.name for thread in threading.enumerate()}


def queues_of(rabbitmq: RabbitMQ) -> set[str]:
    found = httpx.get(f"{rabbitmq.api_url}queues", trust_env=False, timeout=20).json()
    return {queue["name"] for queue in found if "reply" in queue["name"]}


def test_who_lives_answers(rabbitmq: RabbitMQ) -> None:
    assert ask(source_of(rabbitmq.url), PingWorkers((NOBODY, SHOP))) == frozenset({SHOP})


def test_a_worker_tells_its_pool_and_its_queues(rabbitmq: RabbitMQ) -> None:
    seen = ask(source_of(rabbitmq.url), InspectWorkers((SHOP,)))[SHOP]
    assert (seen.pool, seen.pool_size, seen.queues) == ("threads", 2, ("orders",))


@pytest.mark.parametrize("names", [(SHOP,), (NOBODY,), ()])
def test_no_queue_is_left_in_the_broker(rabbitmq: RabbitMQ, names: tuple[str, ...]) -> None:
    source_of(rabbitmq.url).ask([PingWorkers(names), InspectWorkers(names), HeldByWorkers(names)])
    until(lambda: queues_of(rabbitmq) == set(), 15, "no queue for replies")


def test_an_answer_to_an_earlier_question_is_none_to_this_one(rabbitmq: RabbitMQ, worker: Process, asked: Asked) -> None:
    asker = threading.Thread(target=ask, args=(source_of(rabbitmq.url), PingWorkers((SHOP,))))
    worker.send(signal.SIGSTOP)
    try:
        asker.start()
        until(asked, 20, "the question")
        with kombu.Connection(rabbitmq.url) as connection:
            connection.Producer().publish({SHOP: {"ok": "pong"}}, **asked()[0]["reply_to"], headers={"ticket": "of an earlier one"})
        asker.join()
    finally:
        worker.send(signal.SIGCONT)
    assert [one["method"] for one in asked()] == ["ping"]


def told_first(rabbitmq: RabbitMQ, worker: Process, asked: Asked, body: bytes, form: str, ticket: str = "of an earlier one") -> Any:
    """What the source says if its question is first answered by this message, then by the worker. No ticket: that of the question."""
    said: list[Any] = []
    asker = threading.Thread(target=lambda: said.append(ask(source_of(rabbitmq.url, timeout="20s"), PingWorkers((SHOP,)))))
    worker.send(signal.SIGSTOP)
    try:
        asker.start()
        until(asked, 20, "the question")
        question = asked()[0]
        with kombu.Connection(rabbitmq.url) as connection:
            sent = {"content_type": form, "content_encoding": "binary", "headers": {"ticket": ticket or question["ticket"]}}
            connection.Producer().publish(body, **sent, **question["reply_to"])
    finally:
        worker.send(signal.SIGCONT)
    asker.join()
    return said[0]


PICKLED = (pickle.dumps({SHOP: {"ok": "pong"}}), "application/x-python-serialize")


@pytest.mark.parametrize(("body", "form"), [PICKLED, (b"{cut", "application/json")], ids=["pickled", "damaged"])
def test_a_late_answer_that_cannot_be_decoded_costs_this_question_nothing(
    rabbitmq: RabbitMQ, worker: Process, asked: Asked, body: bytes, form: str
) -> None:
    assert told_first(rabbitmq, worker, asked, body, form) == frozenset({SHOP})


def test_an_answer_to_this_question_that_is_not_json_is_a_gap_that_says_so(rabbitmq: RabbitMQ, worker: Process, asked: Asked) -> None:
    assert "expected replies in JSON" in told_first(rabbitmq, worker, asked, *PICKLED, ticket="").reason


@pytest.mark.usefixtures("heartbeats")
def test_heartbeats_of_the_broker_are_no_reason_to_wait_longer_for_a_worker(rabbitmq: RabbitMQ) -> None:
    assert ask(source_of(rabbitmq.url, timeout="2s"), PingWorkers((NOBODY, SHOP))) == frozenset({SHOP})


def test_after_a_connection_was_lost_on_the_way_workers_are_asked_again(rabbitmq: RabbitMQ, asked: Asked) -> None:
    """RabbitMQ does not know yet, and keeps its reply queue for it."""
    port = urlsplit(rabbitmq.url).port or 0
    with TcpRelay(port) as relay:
        source = source_of(rabbitmq.url.replace(f":{port}/", f":{relay.port}/"), timeout="20s")
        asker = threading.Thread(target=ask, args=(source, PingWorkers((NOBODY,))))
        asker.start()
        until(asked, 20, "the question")
        relay.hold()
        source._settings, source._line = source_of(rabbitmq.url)._settings, Line(time.monotonic)
        until(lambda: ask(source, PingWorkers((SHOP,))) == frozenset({SHOP}), 10, "an answer")
        assert queues_of(rabbitmq) != set()
    asker.join()


def test_a_wrong_password_is_a_refusal_that_shows_none(rabbitmq: RabbitMQ) -> None:
    answer = ask(source_of(rabbitmq.url.replace("guest:guest", "guest:hunter2")), PingWorkers((SHOP,)))
    assert isinstance(answer, Gap)
    assert "refused" in answer.reason
    assert "hunter2" not in answer.reason


@dataclass(frozen=True)
class Blocked:
    """How a question went in a memory alarm. `longest_s`: how long it might take; `ended`: the conversation ended, too, in the alarm."""

    answer: object
    took_s: float
    longest_s: float
    ended: bool


@pytest.fixture(scope="module")
def blocked(rabbitmq: RabbitMQ, heartbeats: None) -> Blocked:
    """While RabbitMQ is short of memory, it reads no more from whoever publishes, and sends heartbeats as before."""
    rabbitmq.set_memory_limit("0")
    try:
        source, began = source_of(rabbitmq.url, timeout="300ms"), time.monotonic()
        answer = ask(source, PingWorkers((SHOP,)))
        took_s = time.monotonic() - began
        with suppress(AssertionError):
            until(none_under_way, 15, "an end of the conversation")
        return Blocked(answer, took_s, source.longest_s, ended=none_under_way())
    finally:
        rabbitmq.set_memory_limit("0.9")


def test_while_the_broker_blocks_publishers_it_is_unknown_who_lives(blocked: Blocked) -> None:
    assert isinstance(blocked.answer, Gap), blocked.answer


def test_a_broker_that_blocks_publishers_hangs_nobody_who_asks(blocked: Blocked) -> None:
    assert blocked.took_s < blocked.longest_s + 0.5


def test_a_conversation_that_the_broker_blocks_ends_before_the_alarm_does(blocked: Blocked) -> None:
    assert blocked.ended


def test_a_broker_that_says_nothing_hangs_nothing() -> None:
    def silent(connection: socket.socket, closing: threading.Event) -> None:
        connection.recv(100)
        closing.wait(10)

    with TcpServer(silent) as server:
        source, began = source_of(f"amqp://guest:guest@{LOOPBACK}:{server.port}//"), time.monotonic()
        answer = ask(source, PingWorkers((SHOP,)))
        took_s = time.monotonic() - began
    assert isinstance(answer, Gap)
    assert "no answer" in answer.reason
    assert took_s < source.longest_s + 0.5
