"""RabbitMQ as a source: what a real one (3.10) answered, and that every wrong answer is a gap that says what to do."""

from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.contract.test_sources_wrong_answers import SECRETS, WRONG_BODIES, WRONG_STATUSES
from watchdog.core.model.gaps import Gap
from watchdog.core.model.queries import Query
from watchdog.core.model.servers import rabbitmq_queries
from watchdog.core.model.servers.rabbitmq_queries import RabbitNodes, RabbitOverview, RabbitQueues
from watchdog.core.model.servers.rabbitmq_replies import NodeSeen, OverviewSeen, QueueSeen
from watchdog.sources.rabbitmq.source import RabbitmqSettings, RabbitmqSource

ASKED: list[Query] = [RabbitOverview(), RabbitNodes(), RabbitQueues("/")]
RECORDED = Path(__file__).parent.parent / "answers" / "rabbitmq310"


def source(handler: Callable[[httpx.Request], httpx.Response], **more: object) -> RabbitmqSource:
    settings = RabbitmqSettings.model_validate({"url": "http://user:hunter2@rabbit.test:15672", **more})
    return RabbitmqSource(settings, transport=httpx.MockTransport(handler))


def answer(name: str, query: Query, status: int = 200) -> object:
    """What the source makes of a recorded answer."""
    return source(lambda _: httpx.Response(status, content=(RECORDED / name).read_bytes())).ask([query]).replies[query]


def reason(asked: RabbitmqSource, query: Query) -> str:
    found = asked.ask([query]).replies[query]
    assert isinstance(found, Gap), found
    assert not any(secret in found.reason for secret in SECRETS)
    assert found.reason.startswith("rabbitmq: ")
    return found.reason


def test_every_question_there_is_stands_in_these_tests() -> None:
    kinds = {kind for name in rabbitmq_queries.__all__ if issubclass(kind := getattr(rabbitmq_queries, name), Query)}
    assert {type(query) for query in ASKED} == kinds


# --- what a real one answered -------------------------------------------------------------------------------------------


def test_the_overview_is_read() -> None:
    assert answer("overview.json", RabbitOverview()) == OverviewSeen("3.10.8", "basic", counts_nothing=False, connections=5)


def test_switched_off_statistics_are_known_from_the_overview() -> None:
    assert answer("overview_no_statistics.json", RabbitOverview()) == OverviewSeen("3.10.8", "basic", counts_nothing=True, connections=5)


def test_a_node_is_read() -> None:
    found = answer("nodes.json", RabbitNodes())
    assert isinstance(found, tuple)
    (node,) = found
    assert isinstance(node, NodeSeen)
    assert (node.name, node.memory_limit, node.memory_alarm, node.disk_alarm, node.most_descriptors) == (
        "scene@localhost", 536870912, False, False, 20000,
    )  # fmt: skip


def test_an_alarm_is_read() -> None:
    found = answer("nodes_alarm.json", RabbitNodes())
    assert isinstance(found, tuple)
    assert [(node.memory_alarm, node.disk_alarm) for node in found] == [(True, False)]


def test_of_a_node_without_statistics_alarms_are_unknown() -> None:
    found = answer("nodes_no_statistics.json", RabbitNodes())
    assert isinstance(found, tuple)
    assert [(node.memory_alarm, node.memory) for node in found] == [(None, None)]


def test_queues_are_read() -> None:
    found = answer("queues.json", RabbitQueues("/"))
    assert isinstance(found, tuple)
    assert {queue.name: queue for queue in found if queue.name in {"celery", "defualt"}} == {
        "celery": QueueSeen("celery", 10, 8, 1, published=41, delivered=33, acked=25, state="running"),
        "defualt": QueueSeen("defualt", 5, 0, 0, published=5, state="running"),
    }


def test_of_queues_without_statistics_the_names_alone_are_known() -> None:
    found = answer("queues_no_statistics.json", RabbitQueues("/"))
    assert isinstance(found, tuple)
    assert {(queue.ready, queue.unacked, queue.consumers) for queue in found} == {(None, None, None)}


@pytest.mark.parametrize(
    ("name", "query", "status", "says"),
    [
        ("wrong_password.json", RabbitOverview(), 401, "it does not accept the configured `username` and `password` of rabbitmq"),
        ("no_tag.json", RabbitOverview(), 401, "`rabbitmqctl set_user_tags user monitoring`"),
        ("not_monitoring.json", RabbitNodes(), 401, "expected the tag monitoring on the user user, found a lesser one"),
        ("no_rights.json", RabbitQueues("shop"), 401, 'no rights on the virtual host "shop": `rabbitmqctl set_permissions -p shop user'),
        ("no_vhost.json", RabbitQueues("nosuch"), 404, 'expected the virtual host "nosuch"'),
        ("no_vhost.json", RabbitOverview(), 404, "rabbitmq-plugins enable rabbitmq_management"),
    ],
)
def test_a_refusal_names_what_to_mend(name: str, query: Query, status: int, says: str) -> None:
    found = answer(name, query, status)
    assert isinstance(found, Gap)
    assert says in found.reason


# --- wrong answers ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", WRONG_BODIES.values(), ids=WRONG_BODIES)
@pytest.mark.parametrize("query", ASKED, ids=lambda query: type(query).__name__)
def test_a_wrong_body_is_a_gap(query: Query, body: bytes) -> None:
    assert "expected" in reason(source(lambda _: httpx.Response(200, content=body)), query)


@pytest.mark.parametrize(("status", "body"), WRONG_STATUSES.values(), ids=WRONG_STATUSES)
@pytest.mark.parametrize("query", ASKED, ids=lambda query: type(query).__name__)
def test_a_wrong_status_is_a_gap(query: Query, status: int, body: bytes) -> None:
    location = {"location": "https://user:hunter2@login.test/start?token=tok3n"}
    assert str(status) in reason(source(lambda _: httpx.Response(status, content=body, headers=location)), query)


@pytest.mark.parametrize("error", [httpx.ConnectError, httpx.ConnectTimeout, httpx.ReadTimeout, httpx.ReadError, httpx.RemoteProtocolError])
@pytest.mark.parametrize("query", ASKED, ids=lambda query: type(query).__name__)
def test_no_answer_is_a_gap(query: Query, error: type[httpx.TransportError]) -> None:
    def fail(request: httpx.Request) -> httpx.Response:
        raise error("hunter2 tok3n")

    assert "rabbit.test" in reason(source(fail), query)


def test_an_answer_that_is_too_large_is_a_gap() -> None:
    asked = source(lambda _: httpx.Response(200, content=b"x" * 2000), max_answer_bytes=1000)
    assert "at most 1000 bytes" in reason(asked, RabbitOverview())


def test_a_page_in_its_place_asks_after_the_plugin() -> None:
    assert "is its plugin rabbitmq_management on?" in reason(source(lambda _: httpx.Response(200, content=b"<html>")), RabbitOverview())


def test_where_the_first_question_fails_nothing_else_is_asked() -> None:
    asked: list[str] = []

    def refuse(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        return httpx.Response(401)

    replies = source(refuse).ask(ASKED).replies
    assert (asked, len({str(gap) for gap in replies.values()})) == (["/api/overview"], 1)


def test_where_another_question_fails_the_rest_is_still_asked() -> None:
    def partly(request: httpx.Request) -> httpx.Response:
        name = request.url.path.split("/")[2]
        return httpx.Response(401) if name == "nodes" else httpx.Response(200, content=(RECORDED / f"{name}.json").read_bytes())

    replies = source(partly).ask(ASKED).replies
    assert [isinstance(replies[query], Gap) for query in ASKED] == [False, True, False]


def test_the_name_of_a_virtual_host_is_escaped_whole() -> None:
    asked: list[bytes] = []

    def note(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.raw_path.partition(b"?")[0])
        return httpx.Response(200, content=b"[]")

    source(note).ask([RabbitQueues("a/b c")])
    assert asked == [b"/api/queues/a%2Fb%20c"]


def test_slow_answers_cannot_add_up_to_a_hang() -> None:
    now = [0.0]

    def slowly(request: httpx.Request) -> httpx.Response:
        now[0] += 4.9
        return httpx.Response(200, content=b"[]")

    settings = RabbitmqSettings.model_validate({"url": "http://rabbit.test:15672"})
    asked = RabbitmqSource(settings, transport=httpx.MockTransport(slowly), clock=lambda: now[0])
    replies = asked.ask([RabbitQueues(str(n)) for n in range(100)]).replies
    assert now[0] <= asked.longest_s
    assert isinstance(replies[RabbitQueues("99")], Gap)


@given(body=st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_no_bytes_are_an_exception(body: bytes) -> None:
    asked = source(lambda _: httpx.Response(200, content=body))
    for query in ASKED:
        asked.ask([query])


# --- settings -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given_url", "said"),
    [
        ("amqp://guest:hunter2@rabbit:5672//", "management API, such as http://rabbit:15672"),
        ("rabbit:15672", "http:// or https://, found no scheme"),
        ("http://", "expected a host"),
        ("http://rabbit:port", "cannot be read"),
        ("http://rabbit:15672/?x=1", "found a ? or #"),
    ],
)
def test_a_wrong_url_is_told_what_was_expected(given_url: str, said: str) -> None:
    with pytest.raises(ValidationError) as raised:
        RabbitmqSettings.model_validate({"url": given_url})
    message = " ".join(str(error["msg"]) for error in raised.value.errors(include_input=False, include_url=False))
    assert said in message
    assert "hunter2" not in message


@pytest.mark.parametrize("path", ["", "/", "/api", "/api/"])
def test_flowers_own_url_of_the_api_is_understood(path: str) -> None:
    settings = RabbitmqSettings.model_validate({"url": f"http://u:p%3Aw@rabbit:15672{path}"})
    assert (settings.url, settings.username, settings.vhost) == ("http://rabbit:15672", "u", "/")
