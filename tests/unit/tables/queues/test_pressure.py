"""How much work there is of a queue, whether its workers can take more, whether anybody ever used it; and the sum for a target."""

from msgspec.structs import replace

from tests.builders.answers import NOW, a_target
from tests.builders.cluster import Cluster, healthy
from tests.builders.looks import Watch, cell, gap
from watchdog.core.model.queries import ListLengths, ScanKeys, WorkerHeartbeats
from watchdog.core.model.replies import KeysFound
from watchdog.core.model.rows import Reading

WEB = "celery@web-1"


def busy(active: int, size: int = 4) -> Cluster:
    cluster = Cluster(now=NOW)
    cluster.add(WEB, queues=("indexing",), pool_size=size)
    cluster.beats[WEB] = replace(cluster.beats[WEB], active=active)
    cluster.lists["indexing"] = 7
    return cluster


def queues(cluster: Cluster, **target: object) -> Reading:
    return Watch(cluster, a_target(**target)).look(0)["queues"]


def test_the_pressure_of_a_queue_is_what_waits_and_what_runs() -> None:
    assert cell(queues(busy(3)), "indexing", "pressure") == 10.0


def test_without_a_length_nobody_knows_the_pressure() -> None:
    cluster = busy(3)
    watch = Watch(cluster)
    watch.look(0)
    cluster.gaps[ListLengths] = "redis: WRONGTYPE"
    cluster.lists.clear()
    assert gap(watch.look()["queues"], "indexing", "pressure")


def test_a_queue_is_saturated_if_each_of_its_workers_is() -> None:
    assert [cell(queues(busy(active)), "indexing", "saturated") for active in (3, 4)] == [False, True]


def test_a_queue_without_a_worker_is_not_saturated() -> None:
    cluster = busy(4)
    cluster.sets["_kombu.binding.other"] = frozenset({"other\x06\x16\x06\x16other"})
    cluster.lists["other"] = 1
    assert cell(queues(cluster), "other", "saturated") is False


def test_one_worker_with_room_is_enough_whatever_is_unknown_of_the_others() -> None:
    cluster = busy(3)
    cluster.add("celery@web-2", queues=("indexing",))
    del cluster.cache["celery@web-2"]
    cluster.answering.discard("celery@web-2")
    assert cell(queues(cluster), "indexing", "saturated") in (False, None)


def test_where_heartbeats_are_not_read_nobody_knows_who_has_room() -> None:
    cluster = busy(4)
    cluster.gaps[WorkerHeartbeats] = "flower: 500"
    assert gap(queues(cluster), "indexing", "saturated")


def test_a_queue_with_a_binding_was_used() -> None:
    cluster = busy(0)
    cluster.sets["_kombu.binding.indexing"] = frozenset({"indexing\x06\x16\x06\x16indexing"})
    assert cell(queues(cluster), "indexing", "bound") is True


def test_a_declared_queue_without_one_never_was() -> None:
    assert cell(queues(busy(0), declared_queues=("indexin",)), "indexin", "bound") is False


def test_before_all_keys_were_scanned_nobody_knows() -> None:
    cluster = busy(0)
    cluster.scans[0] = KeysFound(17, ())
    assert "scanned" in gap(queues(cluster, declared_queues=("indexin",)), "indexin", "bound")


def test_the_pressure_of_a_target_is_its_backlog_and_what_workers_hold() -> None:
    cluster = busy(3)
    cluster.hashes["unacked"] = 12
    assert cell(Watch(cluster).look(0)["cluster"], "", "pressure") == 19.0


def test_what_runs_after_it_was_acknowledged_counts_too() -> None:
    assert cell(Watch(busy(3)).look(0)["cluster"], "", "pressure") == 10.0


def test_without_redis_the_pressure_of_a_target_cannot_be_known() -> None:
    reading = Watch(healthy(), a_target(sources=frozenset({"flower"}))).look(0)["cluster"]
    assert "pressure" in reading.idle


def test_a_gap_in_one_part_is_a_gap_of_the_sum() -> None:
    cluster = busy(3)
    cluster.gaps[ScanKeys] = "redis: denied"
    assert gap(Watch(cluster).look(0)["cluster"], "", "pressure") == "redis: denied"
