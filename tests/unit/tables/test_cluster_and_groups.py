from msgspec.structs import replace

from tests.builders.answers import a_target
from tests.builders.cluster import Cluster, healthy
from tests.builders.looks import Watch, cell, gap
from watchdog.core.model.queries import ListLengths, ReadEventCounters, RecentTasks, WorkerHeartbeats, WorkersTasks, WorkerStatus
from watchdog.core.model.rows import Cell, Reading

WEB, GPU = "celery@web-1", "celery@gpu-1"


def watching(cluster: Cluster | None = None, looks: int = 2, **target: object) -> Watch:
    watch = Watch(cluster or healthy(), a_target(**target))
    for number in range(looks):
        watch.look(0 if number == 0 else 10)
    return watch


def cluster_of(watch: Watch) -> Reading:
    return watch.look()["cluster"]


def cells(reading: Reading, *columns: str) -> list[Cell]:
    return [cell(reading, "", column) for column in columns]


# --- cluster ----------------------------------------------------------------------------------------------------------


def test_workers_are_counted_by_state() -> None:
    watch = watching(healthy("celery@a-1", "celery@b-1", "celery@c-1", "celery@d-1"))
    watch.cluster.dies("celery@a-1")
    watch.cluster.leaves("celery@b-1")
    assert cells(cluster_of(watch), "workers_online", "workers_lost", "workers_left", "workers_known") == [2.0, 1.0, 1.0, 4.0]


def test_capacity_and_utilization_are_of_the_online_workers() -> None:
    watch = watching()
    watch.cluster.beats[WEB] = replace(watch.cluster.beats[WEB], active=2)
    watch.cluster.dies(GPU)
    assert cells(cluster_of(watch), "capacity", "active", "utilization") == [4.0, 2.0, 0.5]


def test_without_workers_nothing_is_utilized() -> None:
    assert cells(watching(Cluster(), 1).look()["cluster"], "capacity", "utilization", "workers_online") == [0.0, 0.0, 0.0]


def test_the_backlog_sums_all_queues() -> None:
    watch = watching()
    watch.cluster.lists |= {"indexing": 3, "training": 4}
    assert cells(cluster_of(watch), "backlog") == [7.0]


def test_one_queue_that_cannot_be_read_makes_the_backlog_a_gap() -> None:
    watch = watching()
    watch.cluster.gaps[ListLengths(("indexing",))] = "redis: WRONGTYPE"
    assert gap(cluster_of(watch), "", "backlog") == "indexing: redis: WRONGTYPE"


def test_one_worker_that_does_not_say_what_it_does_makes_the_sum_a_gap() -> None:
    watch = watching()
    watch.cluster.beats[WEB] = replace(watch.cluster.beats[WEB], active=None)
    reading = cluster_of(watch)
    assert (gap(reading, "", "active"), gap(reading, "", "utilization")) == ("celery@web-1: it does not say",) * 2
    assert cells(reading, "capacity") == [8.0]


def test_one_worker_in_an_unknown_state_leaves_the_counts_open() -> None:
    cluster = healthy()
    cluster.add("celery@solo-1", pool="solo")
    watch = watching(cluster)
    cluster.dies("celery@solo-1")
    cluster.gaps[WorkersTasks] = "flower: 503"
    reading = cluster_of(watch)
    assert cells(reading, "workers_online", "workers_lost", "capacity", "workers_unknown") == [None, None, None, 1.0]


def test_while_flower_is_down_every_count_of_workers_is_a_gap() -> None:
    watch = watching()
    watch.cluster.gaps[WorkerStatus] = "flower: connection refused"
    reading = cluster_of(watch)
    columns = ("workers_online", "workers_lost", "workers_left", "workers_unknown", "workers_known", "capacity", "active", "versions")
    assert {gap(reading, "", c) for c in columns} == {"flower: connection refused"}


def test_while_redis_is_down_backlog_and_unacked_are_gaps() -> None:
    watch = watching()
    watch.cluster.gaps["redis"] = "redis: connection refused"
    reading = cluster_of(watch)
    assert (gap(reading, "", "backlog"), gap(reading, "", "unacked")) == ("redis: connection refused",) * 2


def test_tasks_are_summed_over_names() -> None:
    watch = watching()
    watch.cluster.counts |= {(WEB, "a", "succeeded"): 3.0, (WEB, "b", "failed"): 1.0}
    assert cells(cluster_of(watch), "finished", "error_rate", "per_min") == [4.0, 0.25, 0.8]


def test_while_counters_cannot_be_read_rates_are_gaps() -> None:
    watch = watching()
    watch.cluster.gaps[ReadEventCounters] = "flower: 500"
    assert gap(cluster_of(watch), "", "error_rate") == "flower: 500"


def test_on_a_first_look_rates_come_from_the_tasks_that_flower_lists() -> None:
    assert cells(Watch(healthy()).look(0)["cluster"], "finished", "error_rate") == [0.0, 0.0]


def test_where_that_list_cannot_be_had_rates_are_gaps_not_0() -> None:
    cluster = healthy()
    cluster.counts[(WEB, "a", "failed")] = 3.0
    cluster.gaps[RecentTasks] = "flower: 405"
    assert gap(Watch(cluster).look(0)["cluster"], "", "error_rate") == "flower: 405"


def test_versions_are_counted_once_each() -> None:
    watch = watching()
    watch.cluster.beats[WEB] = replace(watch.cluster.beats[WEB], version="5.4.0")
    assert cells(cluster_of(watch), "versions") == [2.0]


def test_a_worker_that_does_not_say_its_version_makes_their_number_a_gap() -> None:
    watch = watching()
    del watch.cluster.beats[WEB]
    watch.past = replace(watch.past, memories={})
    assert gap(cluster_of(watch), "", "versions").startswith("celery@web-1: no heartbeat")


def test_expected_is_the_highest_of_what_is_configured() -> None:
    watch = watching(min_workers=2, min_workers_by_name={"celery@gpu-*": 1, "celery@web-*": 3}, expected_workers=(WEB, "celery@x-*"))
    assert cells(cluster_of(watch), "workers_expected") == [4.0]


def test_without_redis_what_is_unacked_is_idle() -> None:
    watch = watching(sources=frozenset({"flower"}))
    assert "unacked" in cluster_of(watch).idle


# --- groups -----------------------------------------------------------------------------------------------------------


def test_all_workers_are_a_group_and_each_pattern_is_one() -> None:
    reading = watching(min_workers=3, min_workers_by_name={"celery@gpu-*": 2}).look()["groups"]
    assert [(cell(reading, p, "online"), cell(reading, p, "minimum")) for p in ("*", "celery@gpu-*")] == [(2.0, 3.0), (1.0, 2.0)]


def test_a_pattern_that_nobody_fits_counts_0() -> None:
    assert cell(watching(min_workers_by_name={"celery@x-*": 1}).look()["groups"], "celery@x-*", "online") == 0.0


def test_an_unknown_worker_leaves_the_counts_of_its_own_groups_open_alone() -> None:
    cluster = healthy()
    cluster.add("celery@solo-1", pool="solo")
    watch = watching(cluster, min_workers_by_name={"celery@gpu-*": 1, "celery@solo-*": 1})
    cluster.dies("celery@solo-1")
    cluster.gaps[WorkersTasks] = "flower: 503"
    reading = watch.look()["groups"]
    assert [cell(reading, p, "online") for p in ("*", "celery@gpu-*", "celery@solo-*")] == [None, 1.0, None]
    assert gap(reading, "celery@solo-*", "online").startswith("celery@solo-1: it is silent, as a solo pool is")


def test_while_flower_is_down_every_count_of_a_group_is_a_gap() -> None:
    watch = watching()
    watch.cluster.gaps["flower"] = "flower: connection refused"
    reading = watch.look()["groups"]
    assert [gap(reading, "*", c) for c in ("online", "lost", "left", "unknown")] == ["flower: connection refused"] * 4


def test_while_flower_is_down_on_a_first_look_no_group_counts_0() -> None:
    cluster = healthy()
    cluster.gaps["flower"] = "flower: connection refused"
    assert cell(Watch(cluster).look(0)["groups"], "*", "unknown") is None


def test_without_flower_groups_are_idle() -> None:
    assert "online" in watching(sources=frozenset({"redis"})).look()["groups"].idle


def test_a_dashboard_that_does_not_answer_leaves_the_online_count_known() -> None:
    watch = watching()
    watch.cluster.gaps[WorkerHeartbeats] = "flower: 500"
    assert cell(watch.look()["groups"], "*", "online") == 2.0
