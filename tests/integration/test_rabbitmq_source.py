"""The rabbitmq source against a real RabbitMQ: what it lists, whom it lets in, its alarms, its statistics switched off, its death."""

import time
from pathlib import Path

import httpx
import pytest

from tests.builders.answers import a_target
from tests.servers.rabbitmq import RabbitMQ, found
from tests.servers.waiting import until
from watchdog.core.model.gaps import Gap
from watchdog.core.model.queries import Query
from watchdog.core.model.reading import DEFAULT_WINDOW_S, Past, read_tables
from watchdog.core.model.servers.rabbitmq_queries import RabbitNodes, RabbitOverview, RabbitQueues
from watchdog.core.model.servers.rabbitmq_replies import OverviewSeen, QueueSeen
from watchdog.polling.poller import Poller
from watchdog.sources.rabbitmq.source import RabbitmqSettings, RabbitmqSource
from watchdog.tables import TABLES

pytestmark = [pytest.mark.xdist_group("rabbitmq-1"), pytest.mark.skipif(found() is None, reason="RabbitMQ is not installed")]

COUNTED_S = 15.0
"""RabbitMQ counts every 5 s."""


@pytest.fixture(scope="module")
def rabbit(rabbitmq_server: RabbitMQ) -> RabbitMQ:
    """With users of different rights."""
    server = rabbitmq_server.emptied()
    with api(server) as to:  # rabbitmqctl takes seconds for each
        to.put("vhosts/shop").raise_for_status()
        for user, tag in (("monitor", "monitoring"), ("manager", "management"), ("nobody", "")):
            to.put(f"users/{user}", json={"password": "hunter2", "tags": tag}).raise_for_status()
            to.put(f"permissions/%2F/{user}", json=dict.fromkeys(("configure", "write", "read"), "^$")).raise_for_status()
    return server


def source(rabbit: RabbitMQ, user: str = "monitor", password: str = "hunter2", **more: object) -> RabbitmqSource:
    url = rabbit.api_url.replace("guest:guest", f"{user}:{password}")
    return RabbitmqSource(RabbitmqSettings.model_validate({"url": url, **more}))


def answer(asked: RabbitmqSource, query: Query) -> object:
    found_now = asked.ask([query]).replies[query]
    asked.close()
    return found_now


def reason(asked: RabbitmqSource, query: Query) -> str:
    gap = answer(asked, query)
    assert isinstance(gap, Gap), gap
    assert "hunter2" not in gap.reason
    return gap.reason


def queue(rabbit: RabbitMQ, name: str) -> QueueSeen | None:
    listed = answer(source(rabbit), RabbitQueues("/"))
    assert isinstance(listed, tuple)
    return next((one for one in listed if one.name == name), None)


def publish(rabbit: RabbitMQ, name: str, count: int, **arguments: int | str) -> None:
    with api(rabbit) as to:
        to.put(f"queues/%2F/{name}", json={"durable": True, "arguments": arguments}).raise_for_status()
        message = {"properties": {}, "routing_key": name, "payload": "{}", "payload_encoding": "string"}
        for _ in range(count):
            to.post("exchanges/%2F/amq.default/publish", json=message).raise_for_status()


def api(rabbit: RabbitMQ) -> httpx.Client:
    """Its management API, to an administrator."""
    return httpx.Client(base_url=rabbit.api_url, trust_env=False, timeout=20.0)


# --- what it lists ------------------------------------------------------------------------------------------------------


def test_a_queue_that_nobody_reads_is_listed_with_its_messages(rabbit: RabbitMQ) -> None:
    publish(rabbit, "defualt", 3)
    until(
        lambda: (one := queue(rabbit, "defualt")) is not None and (one.ready, one.consumers, one.published) == (3, 0, 3),
        COUNTED_S,
        "RabbitMQ to count",
    )


def test_what_expires_leaves_its_queue_without_being_delivered(rabbit: RabbitMQ) -> None:
    """By which a queue that gets shorter without a consumer is told from one that somebody empties."""
    publish(rabbit, "expiring", 3, **{"x-message-ttl": 500})
    until(lambda: (one := queue(rabbit, "expiring")) is not None and (one.ready, one.published) == (0, 3), COUNTED_S, "them to expire")
    assert (one := queue(rabbit, "expiring")) is not None
    assert (one.consumers, one.delivered) == (0, 0)


def test_a_stream_is_told_from_queues_whose_messages_go(rabbit: RabbitMQ) -> None:
    kinds = {kind: f"of-{kind}" for kind in ("classic", "quorum", "stream")}
    for kind, name in kinds.items():
        publish(rabbit, name, 2, **{"x-queue-type": kind})
    until(lambda: all((one := queue(rabbit, name)) and one.ready == 2 for name in kinds.values()), COUNTED_S, "their counts")
    assert [kind for kind, name in kinds.items() if (one := queue(rabbit, name)) and one.is_stream] == ["stream"]


def test_what_waits_for_its_eta_is_scheduled_and_no_queue(rabbit: RabbitMQ) -> None:
    publish(rabbit, "celery_delayed_27", 1, **{"x-message-ttl": 2**27 * 1000})  # as kombu declares it
    target = a_target(sources=frozenset({"rabbitmq"}))
    poller = Poller(target, {"rabbitmq": source(rabbit)}, TABLES)

    def scheduled() -> bool:
        now = time.time()
        looked = read_tables(TABLES, target, Past(), poller.ask(Past(), now), now).windows[DEFAULT_WINDOW_S]
        assert not any("celery_delayed" in str(row.cells["name"]) for row in looked["queues"].rows)
        return looked["broker"].rows[0].cells["scheduled"] == 1.0

    until(scheduled, COUNTED_S, "RabbitMQ to count")
    poller.close()


# --- whom it lets in ----------------------------------------------------------------------------------------------------


def test_the_tag_monitoring_and_rights_on_nothing_are_enough(rabbit: RabbitMQ) -> None:
    answers = [answer(source(rabbit), query) for query in (RabbitOverview(), RabbitNodes(), RabbitQueues("/"))]
    assert [type(one) for one in answers if isinstance(one, Gap)] == []


@pytest.mark.parametrize(
    ("user", "password", "query", "says"),
    [
        ("monitor", "wrong", RabbitOverview(), "does not accept the configured `username` and `password`"),
        ("nobody", "hunter2", RabbitOverview(), "set_user_tags nobody monitoring"),
        ("manager", "hunter2", RabbitNodes(), "expected the tag monitoring on the user manager"),
        ("monitor", "hunter2", RabbitQueues("shop"), 'the user monitor has no rights on the virtual host "shop"'),
        ("monitor", "hunter2", RabbitQueues("shöp/2"), 'expected the virtual host "shöp/2"'),
    ],
)
def test_who_lacks_a_right_is_told_which(rabbit: RabbitMQ, user: str, password: str, query: Query, says: str) -> None:
    assert says in reason(source(rabbit, user, password), query)


def test_the_port_of_messages_is_not_that_of_the_api(rabbit: RabbitMQ) -> None:
    port = rabbit.url.rpartition(":")[2].strip("/")
    asked = RabbitmqSource(RabbitmqSettings.model_validate({"url": f"http://127.0.0.1:{port}"}))
    assert port in reason(asked, RabbitOverview())


# --- its health ---------------------------------------------------------------------------------------------------------


def test_a_memory_alarm_is_told_and_its_end(rabbit: RabbitMQ) -> None:
    def alarmed() -> bool | None:
        nodes = answer(source(rabbit), RabbitNodes())
        assert isinstance(nodes, tuple)
        return bool(nodes[0].memory_alarm)

    rabbit.set_memory_limit("0")
    try:
        until(lambda: alarmed() is True, COUNTED_S, "RabbitMQ to count")
    finally:
        rabbit.set_memory_limit("0.8")
    until(lambda: alarmed() is False, COUNTED_S, "RabbitMQ to count")


def test_without_statistics_it_says_so_and_counts_nothing(rabbit: RabbitMQ) -> None:
    publish(rabbit, "uncounted", 1)
    with rabbit.setting("rabbitmq_management_agent", "disable_metrics_collector", "true", "false"):
        overview, seen = answer(source(rabbit), RabbitOverview()), queue(rabbit, "uncounted")
    assert isinstance(overview, OverviewSeen)
    assert (overview.counts_nothing, seen is not None and seen.ready is None) == (True, True)


def test_a_server_that_is_gone_is_a_gap_that_asks_after_its_plugin(tmp_path: Path) -> None:
    gone = RabbitMQ(tmp_path)  # never started
    assert "is RabbitMQ, with its plugin rabbitmq_management, running there" in reason(source(gone), RabbitOverview())
