"""`broker` where RabbitMQ is the broker, and what its alarms mean for the workers."""

import pytest

from tests.builders.answers import a_node, a_target
from tests.builders.cluster import Cluster, healthy
from tests.builders.looks import Watch, cell, gap
from watchdog.core.model.rows import Cell, Reading
from watchdog.core.model.servers.rabbitmq_queries import RabbitNodes, RabbitOverview
from watchdog.core.model.servers.rabbitmq_replies import OverviewSeen, QueueSeen

ONE, TWO = a_node(), a_node("rabbit@b")


def watch(cluster: Cluster) -> Watch:
    return Watch(cluster, a_target(sources=frozenset({"flower", "rabbitmq"})))


def first_look(cluster: Cluster) -> Reading:
    return watch(cluster).look(0)["broker"]


def shown(column: str, *nodes: object) -> Cell:
    cluster = healthy()
    cluster.nodes = nodes or (ONE,)  # type: ignore[assignment]
    return cell(first_look(cluster), "", column)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("used_memory", 2.5e8),
        ("max_memory", 1e9),
        ("memory_ratio", 0.25),
        ("clients", 5.0),
        ("client_ratio", 0.005),
        ("unacked", 0.0),
        ("alarms", ""),
        ("disk_free", 7e10),
        ("disk_limit", 5e7),
        ("nodes_down", ""),
        ("partitions", ""),
        ("scheduled", 0.0),
    ],
)
def test_a_healthy_rabbitmq_shows(column: str, value: object) -> None:
    assert shown(column) == value


def test_an_alarm_names_its_kind_and_its_node() -> None:
    nodes = (a_node(memory_alarm=True), a_node("rabbit@b", disk_alarm=True))
    assert shown("alarms", *nodes) == "memory on rabbit@a, disk on rabbit@b"


def test_of_several_nodes_the_one_nearest_to_its_limit_counts() -> None:
    assert shown("memory_ratio", ONE, a_node("rabbit@b", memory=900_000_000)) == 0.9


def test_a_limit_of_0_is_none_by_its_ratio() -> None:
    assert shown("memory_ratio", a_node(memory_limit=0)) == 0.0


def test_a_node_that_does_not_run_is_named() -> None:
    assert shown("nodes_down", ONE, a_node("rabbit@b", running=False, memory=None, memory_alarm=None, disk_alarm=None)) == "rabbit@b"


def test_both_sides_of_a_partition_are_named() -> None:
    assert shown("partitions", a_node(partitions=("rabbit@b",)), TWO) == "rabbit@a, rabbit@b"


def test_delayed_messages_are_scheduled_work() -> None:
    cluster = healthy()
    cluster.vhosts["/"] = {name: QueueSeen(name, 4, 0, 0) for name in ("celery_delayed_0", "celery_delayed_27", "celery")}
    assert cell(first_look(cluster), "", "scheduled") == 8.0


def test_unacknowledged_messages_are_those_of_all_queues() -> None:
    cluster = healthy()
    cluster.vhosts["/"] = {name: QueueSeen(name, 0, 3, 1) for name in ("indexing", "training")}
    assert cell(first_look(cluster), "", "unacked") == 6.0


@pytest.mark.parametrize("column", ["latency_ms", "evicted", "role", "unacked_ratio", "lost_messages", "blocked_clients"])
def test_what_only_redis_has_is_idle(column: str) -> None:
    assert first_look(healthy()).idle[column] == "RabbitMQ has no such figure"


@pytest.mark.parametrize("column", ["alarms", "memory_ratio", "disk_free", "nodes_down"])
def test_without_the_tag_monitoring_its_health_is_a_gap(column: str) -> None:
    cluster = healthy()
    cluster.gaps[RabbitNodes] = "rabbitmq: expected the tag monitoring"
    assert gap(first_look(cluster), "", column) == "rabbitmq: expected the tag monitoring"


def test_a_node_that_does_not_tell_its_alarms_is_not_known_to_have_none() -> None:
    cluster = healthy()
    cluster.nodes = (a_node(memory_alarm=None),)
    assert "disable_metrics_collector" in gap(first_look(cluster), "", "alarms")


def test_while_it_is_down_every_cell_has_that_reason() -> None:
    cluster = healthy()
    cluster.gaps[RabbitOverview] = "rabbitmq: connection refused"
    reading = first_look(cluster)
    assert set(reading.rows[0].gaps.values()) == {"rabbitmq: connection refused"}


# --- what it means for workers ------------------------------------------------------------------------------------------


def test_in_an_alarm_the_silence_of_workers_proves_nothing() -> None:
    cluster = healthy()
    watching = watch(cluster)
    watching.look(0)
    cluster.nodes = (a_node(memory_alarm=True),)
    cluster.dies("celery@web-1")
    reading = watching.look(60)["workers"]
    assert gap(reading, "celery@web-1", "state") == "rabbitmq: in an alarm (memory on rabbit@a), in which no heartbeat arrives"


def test_while_it_is_down_the_silence_of_workers_proves_nothing() -> None:
    cluster = healthy()
    watching = watch(cluster)
    watching.look(0)
    cluster.gaps[RabbitOverview] = "rabbitmq: connection refused"
    cluster.dies("celery@web-1")
    assert gap(watching.look(60)["workers"], "celery@web-1", "state") == "rabbitmq: not answering"


def test_just_after_its_start_workers_may_still_come_back() -> None:
    cluster = healthy()
    watching = watch(cluster)
    watching.look(0)
    cluster.nodes = (a_node(uptime_s=3.0),)
    cluster.dies("celery@web-1")
    assert "the workers may still be reconnecting" in gap(watching.look(10)["workers"], "celery@web-1", "state")


# --- sources ------------------------------------------------------------------------------------------------------------


def test_the_source_shows_its_version_and_since_when_it_runs() -> None:
    cluster = healthy()
    cluster.nodes, cluster.overview = (ONE, a_node("rabbit@b", uptime_s=60.0)), OverviewSeen("4.1.0")
    reading = watch(cluster).look(0)["sources"]
    assert [cell(reading, "rabbitmq", column) for column in ("up", "version", "restarted_s")] == [True, "4.1.0", 60.0]


def test_a_missing_tag_is_an_error_of_a_source_that_is_up() -> None:
    cluster = healthy()
    cluster.gaps[RabbitNodes] = "rabbitmq: expected the tag monitoring"
    reading = watch(cluster).look(0)["sources"]
    assert [cell(reading, "rabbitmq", column) for column in ("up", "error")] == [True, "rabbitmq: expected the tag monitoring"]
