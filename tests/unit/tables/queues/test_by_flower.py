"""Queues of a target without Redis: lengths that Flower reports, and what it does not report."""

from math import inf

from msgspec.structs import replace

from tests.builders.answers import a_conf, a_target
from tests.builders.cluster import Cluster, healthy
from tests.builders.looks import Watch, cell, gap, names
from watchdog.core.model.gaps import NONE_LISTED, UNCOUNTABLE
from watchdog.core.model.queries import InspectAll, InspectOne, QueueLengths, WorkerStatus
from watchdog.core.model.reading import Past
from watchdog.core.model.rows import Reading
from watchdog.tables.queues.by_flower import NO_MORE

WEB, GPU = "celery@web-1", "celery@gpu-1"


def amqp(transport: str | None = "amqp", **lengths: int) -> Cluster:
    """Two workers behind a broker that is not Redis, and the lengths that Flower lists."""
    cluster = healthy()
    for name, seen in cluster.cache.items():
        cluster.cache[name] = replace(seen, conf=a_conf(transport=transport))
    cluster.lengths = lengths or {"indexing": 3, "training": 0}
    return cluster


def watch(cluster: Cluster, **target: object) -> Watch:
    return Watch(cluster, a_target(sources=frozenset({"flower"}), **target))


def queues(watching: Watch, after: float = 10) -> Reading:
    return watching.look(after)["queues"]


def asked(cluster: Cluster) -> bool:
    return QueueLengths() in cluster.asked


# --- what it tells ------------------------------------------------------------------------------------------------------


def test_lengths_are_those_that_flower_lists() -> None:
    reading = queues(watch(amqp()), 0)
    assert {name: cell(reading, name, "length") for name in names(reading)} == {"indexing": 3.0, "training": 0.0}


def test_consumers_are_the_online_workers_that_serve_it() -> None:
    assert cell(queues(watch(amqp()), 0), "indexing", "consumers") == 1.0


def test_what_the_conf_declares_is_declared() -> None:
    reading = queues(watch(amqp(celery=1, indexing=0, training=0)), 0)
    assert (cell(reading, "celery", "declared"), cell(reading, "indexing", "declared")) == (True, False)


def test_the_age_of_the_next_message_is_idle() -> None:
    assert queues(watch(amqp()), 0).idle["oldest_s"] == "needs Redis, and this target has no `redis`"


def test_growth_and_drain_come_from_two_looks() -> None:
    watching = watch(amqp())
    first = queues(watching, 0)
    watching.cluster.lengths["indexing"] = 1
    second = queues(watching)
    assert ("growth_per_min" in first.idle, cell(first, "indexing", "drain_s")) == (True, inf)
    assert (cell(second, "indexing", "growth_per_min"), cell(second, "indexing", "drain_s")) == (-12.0, 5.0)


def test_messages_that_wait_while_the_consumer_does_nothing_are_counted() -> None:
    watching = watch(amqp())
    readings = [queues(watching, 10 * (number > 0)) for number in range(4)]
    assert cell(readings[-1], "indexing", "idle_with_backlog_s") == 30.0


def test_the_backlog_of_the_cluster_is_their_sum() -> None:
    assert cell(watch(amqp(indexing=3, training=4)).look(0)["cluster"], "", "backlog") == 7.0


# --- what it does not tell ----------------------------------------------------------------------------------------------


def test_a_queue_that_is_not_listed_may_hold_messages() -> None:
    assert "another may hold messages" in str(queues(watch(amqp()), 0).partial)


def test_a_queue_that_is_listed_no_more_is_unknown_not_empty() -> None:
    watching = watch(amqp())
    queues(watching, 0)
    del watching.cluster.lengths["training"]
    reading = queues(watching)
    assert (cell(reading, "training", "length"), "does not list it" in gap(reading, "training", "length")) == (None, True)


def test_a_consumed_queue_that_is_not_listed_is_unknown_on_the_first_look() -> None:
    assert "does not list it" in gap(queues(watch(amqp(indexing=3)), 0), "training", "length")


def test_with_one_length_unknown_the_backlog_is_too() -> None:
    assert "training" in gap(watch(amqp(indexing=3)).look(0)["cluster"], "", "backlog")


def test_a_queue_not_listed_for_long_is_forgotten_by_name() -> None:
    watching = watch(amqp(indexing=3, training=0, old=1), forget_after_s=60.0)
    queues(watching, 0)
    del watching.cluster.lengths["old"]
    readings = [queues(watching) for _ in range(8)]
    assert [("old",) in reading.forgotten for reading in readings].count(True) == 1
    assert "old" not in names(readings[-1])


def test_no_answer_leaves_what_is_known_unknown() -> None:
    watching = watch(amqp())
    queues(watching, 0)
    watching.cluster.gaps[QueueLengths] = "flower: 500"
    reading = queues(watching)
    assert (reading.unread, gap(reading, "indexing", "length"), names(reading)) == ("flower: 500", "flower: 500", ["indexing", "training"])


def test_a_flower_that_lists_no_queue_any_more_does_not_reach_rabbitmq() -> None:
    watching = watch(amqp())
    watching.cluster.gaps[QueueLengths] = NONE_LISTED
    assert queues(watching, 0).unread == NONE_LISTED
    del watching.cluster.gaps[QueueLengths]
    queues(watching)
    watching.cluster.gaps[QueueLengths] = NONE_LISTED
    assert queues(watching).unread == NO_MORE


def test_lengths_that_flower_says_it_cannot_know_are_idle_while_no_worker_has_told_its_broker() -> None:
    cluster = healthy()
    cluster.cache = {name: replace(seen, conf=None) for name, seen in cluster.cache.items()}
    cluster.gaps[QueueLengths] = UNCOUNTABLE
    watching = watch(cluster)
    readings = [queues(watching, 10 * (number > 0)) for number in range(5)]
    told = {(reading.idle.get("length"), reading.unread, "indexing" in names(reading)) for reading in readings}
    assert told == {("Flower does not know the length of a queue in the broker that it was started with", None, True)}


def test_a_queue_of_a_worker_that_died_keeps_its_row() -> None:
    watching = watch(amqp())
    queues(watching, 0)
    watching.cluster.dies(GPU)
    assert cell(queues(watching), "training", "consumers") == 0.0


def test_of_a_broker_that_flower_cannot_count_lengths_are_idle_and_not_asked_for() -> None:
    watching = watch(amqp("sqs"))
    reading = queues(watching, 0)
    assert (asked(watching.cluster), reading.idle["length"]) == (False, "Flower does not know the length of a queue in sqs")
    assert (names(reading), cell(reading, "indexing", "consumers")) == (["indexing", "training"], 1.0)


def test_of_such_a_broker_a_consumed_queue_is_not_forgotten() -> None:
    watching = watch(amqp("sqs"), forget_after_s=30.0)
    readings = [queues(watching, 10 * (number > 0)) for number in range(6)]
    assert names(readings[-1]) == ["indexing", "training"]


def test_of_such_a_broker_the_backlog_is_idle_too() -> None:
    assert "in sqs" in watch(amqp("sqs")).look(0)["cluster"].idle["backlog"]


# --- filters ------------------------------------------------------------------------------------------------------------


def test_a_filter_keeps_other_apps_queues_out() -> None:
    assert names(queues(watch(amqp(), queues=("index*",)), 0)) == ["indexing"]


def test_queues_that_only_another_apps_workers_consume_are_not_listed() -> None:
    assert names(queues(watch(amqp(indexing=3, training=4), workers=("celery@web-*",)), 0)) == ["indexing"]


# --- doing no harm ------------------------------------------------------------------------------------------------------


def test_while_a_worker_is_heard_lengths_are_asked_for() -> None:
    watching = watch(amqp("redis"))
    queues(watching, 0)
    assert asked(watching.cluster)


def test_while_nobody_is_heard_and_no_refresh_comes_back_a_redis_is_not_asked_for_lengths() -> None:
    """It hangs: one such question would stop Flower 2.0 and 1.2 until it is back."""
    watching = watch(amqp("redis"))
    queues(watching, 0)
    hangs(watching.cluster)
    reading = queues(watching)
    assert (asked(watching.cluster), "no worker sends heartbeats" in str(reading.unread)) == (False, True)


def hangs(cluster: Cluster) -> None:
    for name in (WEB, GPU):
        cluster.online[name] = False
    cluster.gaps |= {InspectOne: "flower: no answer", InspectAll: "flower: no answer"}


def test_where_no_worker_says_what_the_broker_is_it_may_be_a_redis() -> None:
    watching = watch(amqp(None))
    queues(watching, 0)
    hangs(watching.cluster)
    queues(watching)
    assert not asked(watching.cluster)


def test_a_broker_that_is_not_redis_is_asked_whoever_is_heard() -> None:
    watching = watch(amqp())
    queues(watching, 0)
    hangs(watching.cluster)
    queues(watching)
    assert asked(watching.cluster)


def test_a_refresh_that_comes_back_shows_that_the_broker_answers() -> None:
    """Both workers were killed: there is a backlog, and nobody left to be heard."""
    watching = watch(amqp("redis"))
    queues(watching, 0)
    watching.cluster.dies(WEB)
    watching.cluster.dies(GPU)
    readings = [queues(watching) for _ in range(60)]
    assert [reading.unread for reading in readings] == [None] * 60


def test_what_a_refresh_showed_before_a_worker_was_heard_says_nothing_of_now() -> None:
    watching = watch(amqp("redis"))
    watching.cluster.dies(WEB)
    watching.cluster.dies(GPU)
    queues(watching, 0)
    watching.cluster.online[WEB] = True
    queues(watching)
    hangs(watching.cluster)
    assert "no worker sends heartbeats" in str(queues(watching).unread)


def test_a_first_look_asks_once_a_worker_is_heard_within_three_rounds() -> None:
    watching = watch(amqp("redis"))
    watching.past = Past()
    assert queues(watching, 0).unread is None
    assert watching.cluster.asked.index(WorkerStatus()) < watching.cluster.asked.index(QueueLengths())


def test_a_flower_that_does_not_answer_is_the_reason() -> None:
    watching = watch(amqp())
    queues(watching, 0)
    watching.cluster.gaps["flower"] = "flower: connection refused"
    assert queues(watching).unread == "flower: connection refused"
