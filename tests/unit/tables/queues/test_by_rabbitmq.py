"""Queues as RabbitMQ's management API lists them: which count, who consumes them, what is not known of them."""

import pytest
from msgspec.structs import replace

from tests.builders.answers import NOW, a_conf, a_target
from tests.builders.cluster import Cluster, healthy
from tests.builders.looks import Watch, cell, gap, names
from watchdog.core.model.queries import QueueLengths
from watchdog.core.model.rows import Reading
from watchdog.core.model.servers.rabbitmq_queries import RabbitOverview, RabbitQueues
from watchdog.core.model.servers.rabbitmq_replies import OverviewSeen, QueueSeen

WEB, GPU = "celery@web-1", "celery@gpu-1"
BOTH, ALONE = frozenset({"flower", "rabbitmq"}), frozenset({"rabbitmq"})


def rabbit(**ready: int) -> Cluster:
    """Two workers that serve `indexing` and `training`, and a RabbitMQ that holds these messages."""
    cluster = healthy()
    connect(cluster)
    held = {"indexing": 3, "training": 0, **ready}
    cluster.vhosts = {"/": {name: QueueSeen(name, count, 0, 1 if name in {"indexing", "training"} else 0) for name, count in held.items()}}
    return cluster


def connect(cluster: Cluster, transport: str = "amqp", vhost: str = "/") -> None:
    """All workers report this broker."""
    conf = a_conf(transport=transport, broker_vhost=vhost)
    cluster.cache = {name: replace(seen, conf=conf) for name, seen in cluster.cache.items()}


def change(cluster: Cluster, name: str, **changes: object) -> None:
    cluster.vhosts["/"][name] = replace(cluster.vhosts["/"].get(name, QueueSeen(name, 0, 0, 0)), **changes)


def watch(cluster: Cluster, sources: frozenset[str] = BOTH, **target: object) -> Watch:
    return Watch(cluster, a_target(sources=sources, **target))


def queues(watching: Watch, after: float = 10) -> Reading:
    return watching.look(after)["queues"]


# --- what it tells ------------------------------------------------------------------------------------------------------


def test_each_queue_has_what_rabbitmq_counts() -> None:
    cluster = rabbit()
    change(cluster, "indexing", unacked=4, consumers=2)
    reading = queues(watch(cluster), 0)
    assert [cell(reading, "indexing", column) for column in ("length", "unacked", "consumers")] == [3.0, 4.0, 2.0]


@pytest.mark.parametrize("sources", [BOTH, ALONE])
def test_a_queue_that_nobody_reads_is_told_at_the_first_look(sources: frozenset[str]) -> None:
    assert cell(queues(watch(rabbit(defualt=5), sources), 0), "defualt", "unserved") == 5.0


def test_the_queue_whose_name_is_nearly_its_own_is_named() -> None:
    assert cell(queues(watch(rabbit(idnexing=5)), 0), "idnexing", "similar") == "indexing"


def test_a_queue_that_somebody_else_reads_is_served() -> None:
    cluster = rabbit(foreign=5)
    change(cluster, "foreign", consumers=1)
    assert cell(queues(watch(cluster), 0), "foreign", "unserved") == 0.0


def test_where_rabbitmq_counts_no_consumer_a_worker_that_is_online_is_none() -> None:
    cluster = rabbit()
    change(cluster, "indexing", consumers=0)
    reading = queues(watch(cluster), 0)
    assert (cell(reading, "indexing", "consumers"), cell(reading, "indexing", "last_consumer_state")) == (0.0, "online")


def test_consumers_are_known_while_flower_is_down() -> None:
    cluster = rabbit()
    cluster.gaps["flower"] = "flower: connection refused"
    assert cell(queues(watch(cluster), 0), "indexing", "consumers") == 1.0


@pytest.mark.parametrize(
    "name", ["celeryev.7c2a", "celeryev", "w1@h.celery.pidbox", "e6f1.reply.celery.pidbox", "celery_delayed_0", "celery_delayed_27"]
)
def test_queues_that_celery_makes_for_itself_are_none_of_these(name: str) -> None:
    assert name not in names(queues(watch(rabbit(**{name: 9})), 0))


@pytest.mark.parametrize(
    ("name", "changes", "shown"),
    [
        ("958d56ca-609a-39e3-a8ff-2837d4025a79", {"auto_delete": True}, False),
        ("958d56ca-609a-39e3-a8ff-2837d4025a79", {}, True),
        ("shopev.958d56ca-609a-39e3-a8ff-2837d4025a79", {"auto_delete": True}, False),
        ("bcast.958d56ca-609a-39e3-a8ff-2837d4025a79", {"auto_delete": True}, True),
        ("mine", {"exclusive": True}, False),
        ("audit", {"is_stream": True}, False),
        ("mine", {"auto_delete": True}, True),
    ],
)
def test_queues_of_one_process_are_none_of_these(name: str, changes: dict[str, bool], *, shown: bool) -> None:
    cluster = rabbit()
    change(cluster, name, ready=1, **changes)
    assert (name in names(queues(watch(cluster), 0))) is shown


def test_a_declared_queue_that_is_not_there_holds_nothing() -> None:
    reading = queues(watch(rabbit(), declared_queues=("reports",)), 0)
    assert [cell(reading, "reports", column) for column in ("length", "consumers", "declared", "bound")] == [0.0, 0.0, True, False]


def test_a_declared_queue_has_its_length_whatever_it_is() -> None:
    cluster = rabbit()
    change(cluster, "audit", ready=7, is_stream=True)
    assert cell(queues(watch(cluster, declared_queues=("audit",)), 0), "audit", "length") == 7.0


def test_a_queue_that_was_deleted_is_gone() -> None:
    cluster = rabbit(old=5)
    watching = watch(cluster)
    queues(watching, 0)
    del cluster.vhosts["/"]["old"]
    assert "old" not in names(queues(watching))


def test_flower_is_not_asked_for_lengths_too() -> None:
    cluster = rabbit()
    queues(watch(cluster), 0)
    assert QueueLengths() not in cluster.asked


# --- rates and heads ----------------------------------------------------------------------------------------------------


def test_what_arrives_and_is_acknowledged_is_counted_a_minute() -> None:
    cluster = rabbit()
    watching = watch(cluster)
    queues(watching, 0)
    change(cluster, "indexing", published=20, acked=10)
    reading = queues(watching, 30)
    assert [cell(reading, "indexing", column) for column in ("arrived_per_min", "finished_per_min")] == [40.0, 20.0]


def test_after_its_restart_it_counts_anew() -> None:
    cluster = rabbit()
    change(cluster, "indexing", acked=500)
    watching = watch(cluster)
    queues(watching, 0)
    change(cluster, "indexing", acked=10)
    assert cell(queues(watching, 60), "indexing", "finished_per_min") == 10.0


def test_the_next_message_is_the_same_while_none_was_delivered() -> None:
    cluster = rabbit()
    watching = watch(cluster)
    queues(watching, 0)
    assert cell(queues(watching, 10), "indexing", "head_s") == 10.0


def test_once_one_was_delivered_it_is_another() -> None:
    cluster = rabbit()
    watching = watch(cluster)
    queues(watching, 0)
    change(cluster, "indexing", delivered=1)
    assert cell(queues(watching, 10), "indexing", "head_s") == 0.0


def test_its_age_is_that_of_the_time_its_publisher_gave() -> None:
    cluster = rabbit()
    change(cluster, "indexing", head_at=NOW - 90)
    assert cell(queues(watch(cluster), 0), "indexing", "oldest_s") == 90.0


def test_without_a_time_its_age_is_a_lower_bound() -> None:
    watching = watch(rabbit())
    queues(watching, 0)
    reading = queues(watching, 10)
    assert (cell(reading, "indexing", "oldest_s"), "may be older" in gap(reading, "indexing", "oldest_s")) == (10.0, True)


# --- what it does not tell ----------------------------------------------------------------------------------------------


def test_while_it_does_not_answer_every_queue_is_unknown() -> None:
    cluster = rabbit()
    watching = watch(cluster)
    queues(watching, 0)
    cluster.gaps[RabbitOverview] = "rabbitmq: connection refused"
    reading = queues(watching)
    assert (reading.unread, gap(reading, "indexing", "length")) == ("rabbitmq: connection refused", "rabbitmq: connection refused")


def test_without_rights_on_the_virtual_host_no_queue_is_read() -> None:
    cluster = rabbit()
    cluster.gaps[RabbitQueues] = "rabbitmq: no rights"
    assert queues(watch(cluster), 0).unread == "rabbitmq: no rights"


def test_another_virtual_host_than_the_workers_says_nothing_of_them() -> None:
    cluster = rabbit()
    connect(cluster, vhost="shop")
    assert queues(watch(cluster), 0).unread == (
        'rabbitmq: configured is the virtual host "/", the workers use "shop": set `vhost` of rabbitmq'
    )


def test_workers_on_another_kind_of_broker_are_not_these_queues() -> None:
    cluster = rabbit()
    connect(cluster, "redis", "0")
    assert "the workers' broker is redis" in (queues(watch(cluster), 0).unread or "")


def test_a_queue_that_is_not_counted_yet_is_a_gap() -> None:
    cluster = rabbit()
    change(cluster, "fresh", ready=None, unacked=None, consumers=None)
    reading = queues(watch(cluster), 0)
    assert {gap(reading, "fresh", column) for column in ("length", "unacked", "consumers")} == {
        "rabbitmq: it has not counted this queue yet"
    }


def test_a_queue_on_a_node_that_is_down_says_so() -> None:
    cluster = rabbit()
    change(cluster, "indexing", ready=None, unacked=None, consumers=None, state="down")
    assert gap(queues(watch(cluster), 0), "indexing", "length") == "rabbitmq: its state is down"


def test_without_statistics_lengths_are_gaps_that_name_the_setting() -> None:
    cluster = rabbit()
    cluster.overview = OverviewSeen("3.10.8", "basic", counts_nothing=True)
    change(cluster, "indexing", ready=None, unacked=None, consumers=None)
    reading = queues(watch(cluster), 0)
    assert "management_agent.disable_metrics_collector" in gap(reading, "indexing", "length")
    assert "arrived_per_min" in reading.idle


def test_without_rates_what_happens_to_messages_is_idle() -> None:
    cluster = rabbit()
    cluster.overview = OverviewSeen("3.10.8", "none")
    reading = queues(watch(cluster), 0)
    assert {column for column, why in reading.idle.items() if "rates_mode" in why} >= {"head_s", "oldest_s", "finished_per_min"}
    assert cell(reading, "indexing", "length") == 3.0


# --- a queue without consumers that gets shorter ------------------------------------------------------------------------


def shorter(*polls: tuple[int, int], consumers: int = 0, rates_mode: str = "basic", queue: str = "orphaned") -> Reading:
    """9 messages in a queue; then it is looked at every 10 s, each time with so many messages left and so many delivered."""
    cluster = rabbit(**{queue: 9})
    cluster.overview = OverviewSeen("3.10.8", rates_mode)
    change(cluster, queue, consumers=consumers)
    watching = watch(cluster)
    reading = queues(watching, 0)
    for ready, delivered in polls:
        change(cluster, queue, ready=ready, delivered=delivered)
        reading = queues(watching)
    return reading


GOT = "RabbitMQ counts no consumer of it, and yet it fell from 9 to 7 messages as some were delivered: somebody gets them one by one"


@pytest.mark.parametrize("polls", [[(7, 2)], [(7, 0), (7, 2)], [(9, 2), (7, 2)]])
def test_of_which_some_were_delivered_somebody_gets_them_however_late_that_is_counted(polls: list[tuple[int, int]]) -> None:
    assert gap(shorter(*polls), "orphaned", "unserved") == GOT


def test_of_which_none_was_delivered_has_lost_them_to_nobody() -> None:
    """They have expired, or some were dropped for it is full."""
    assert (cell(reading := shorter((7, 0)), "orphaned", "unserved"), gap(reading, "orphaned", "consumers")) == (7.0, "")


def test_whose_messages_expire_again_and_again_is_without_a_consumer_all_the_time() -> None:
    """Its consumer said goodbye, so that four minutes pass first."""
    cluster = rabbit(training=90)
    watching = watch(cluster)
    queues(watching, 0)
    cluster.leaves(GPU)
    change(cluster, "training", consumers=0)
    for ready in range(89, 63, -1):
        change(cluster, "training", ready=ready)
        reading = queues(watching)
    assert cell(reading, "training", "unserved") == 64.0


def test_a_delivery_long_before_it_fell_is_no_sign_of_who_took_them() -> None:
    """A consumer's last one is counted after it has gone."""
    assert gap(shorter((9, 1), (9, 1), (9, 1), (7, 1)), "orphaned", "consumers") == ""


def test_where_deliveries_are_not_counted_they_may_have_expired_or_been_got() -> None:
    assert gap(shorter((7, 0), rates_mode="none"), "orphaned", "unserved") == (
        "RabbitMQ counts no consumer of it, and yet it fell from 9 to 7 messages: they expire, or somebody gets them one by one"
    )


@pytest.mark.parametrize(("delivered", "idle_s"), [(0, 20.0), (2, 0.0)])
def test_messages_that_expire_before_an_idle_consumer_are_not_taken_by_it(delivered: int, idle_s: float) -> None:
    assert cell(shorter((9, 0), (7, delivered), consumers=1, queue="training"), "training", "idle_with_backlog_s") == idle_s
