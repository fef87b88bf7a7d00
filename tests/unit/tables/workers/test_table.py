import pytest
from msgspec.structs import replace

from tests.builders.answers import NOW, a_target, an_inspection
from tests.builders.cluster import Cluster, healthy
from tests.builders.looks import Watch, cell, gap, row
from watchdog.core.model.queries import Inspected, ReadEventCounters, WorkerHeartbeats
from watchdog.core.model.rows import Reading

WEB = "celery@web-1"


def first_look(cluster: Cluster, **target: object) -> Reading:
    return Watch(cluster, a_target(**target)).look(0)["workers"]


def second_look(cluster: Cluster) -> tuple[Watch, Reading]:
    watch = Watch(cluster)
    watch.look(0)
    return watch, watch.look()["workers"]


def test_without_flower_every_column_is_idle() -> None:
    reading = first_look(healthy(), sources=frozenset({"redis"}))
    assert (reading.rows, reading.idle["state"]) == (
        (),
        "needs `flower` or `celery`, and this target has neither",
    )


def test_a_row_names_kind_and_host() -> None:
    reading = first_look(healthy())
    assert (cell(reading, WEB, "kind"), cell(reading, WEB, "host")) == ("celery@web-*", "web-1")


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("active", 0.0),
        ("processed", 100.0),
        ("load1", 0.5),
        ("load15", 0.3),
        ("pid", 17.0),
        ("version", "5.7.0"),
        ("pool_size", 4.0),
        ("saturated", False),
        ("queues", "indexing"),
        ("uptime_s", 172830.0),
        ("silent_s", 1.0),
        ("restarts", 0.0),
    ],
)
def test_a_healthy_worker_shows(column: str, value: object) -> None:
    assert cell(first_look(healthy()), WEB, column) == value


def test_a_worker_whose_pool_is_full_is_saturated() -> None:
    cluster = healthy()
    cluster.beats[WEB] = replace(cluster.beats[WEB], active=4)
    assert cell(first_look(cluster), WEB, "saturated") is True


def test_queues_are_sorted_and_named_once() -> None:
    cluster = healthy()
    cluster.cache[WEB] = replace(cluster.cache[WEB], queues=("b", "a", "b"))
    assert cell(first_look(cluster), WEB, "queues") == "a,b"


def test_a_rate_needs_a_second_look() -> None:
    assert first_look(healthy()).idle["processed_per_min"] == "processed_per_min needs a second poll"


def test_a_rate_is_what_was_processed_between_two_looks() -> None:
    cluster = healthy()
    watch = Watch(cluster)
    watch.look(0)
    cluster.beats[WEB] = replace(cluster.beats[WEB], processed=130)
    assert cell(watch.look()["workers"], WEB, "processed_per_min") == 180.0


def test_a_rate_over_a_restart_counts_the_new_process_from_0() -> None:
    cluster = healthy()
    watch = Watch(cluster)
    watch.look(0)
    cluster.beats[WEB] = replace(cluster.beats[WEB], processed=10, pid=99)
    assert cell(watch.look()["workers"], WEB, "processed_per_min") == 60.0


def test_after_an_hour_without_a_look_a_rate_needs_a_second_look_again() -> None:
    watch = Watch(healthy())
    watch.look(0)
    assert "processed_per_min" in watch.look(3600)["workers"].idle


def test_a_worker_without_a_dashboard_entry_has_gaps_not_zeros() -> None:
    cluster = healthy()
    del cluster.beats[WEB]
    reading = first_look(cluster)
    assert (cell(reading, WEB, "active"), gap(reading, WEB, "active")) == (None, "no heartbeat of it was seen yet")


def test_while_the_dashboard_does_not_answer_what_it_said_last_is_not_shown_as_now() -> None:
    watch, _ = second_look(healthy())
    watch.cluster.gaps[WorkerHeartbeats] = "flower: 500"
    reading = watch.look()["workers"]
    assert [gap(reading, WEB, c) for c in ("active", "processed", "load1", "silent_s", "saturated", "processed_per_min")] == [
        "flower: 500"
    ] * 6


def test_while_the_dashboard_does_not_answer_pid_and_version_still_hold() -> None:
    watch, _ = second_look(healthy())
    watch.cluster.gaps[WorkerHeartbeats] = "flower: 500"
    reading = watch.look()["workers"]
    assert (cell(reading, WEB, "pid"), cell(reading, WEB, "version")) == (17.0, "5.7.0")


def test_without_an_inspection_its_columns_are_gaps() -> None:
    cluster = healthy()
    cluster.cache.clear()
    cluster.answering.clear()
    assert gap(first_look(cluster), WEB, "queues") == "flower: the worker has not answered an inspect yet"


def test_where_flower_tells_no_inspection_its_own_reason_is_given() -> None:
    cluster = healthy()
    cluster.cache.clear()
    cluster.answering.clear()
    cluster.gaps[Inspected] = "flower: 405 (not allowed)"
    assert gap(first_look(cluster), WEB, "queues") == "flower: 405 (not allowed)"


def test_an_inspection_remembered_holds_while_the_cache_does_not_answer() -> None:
    watch, _ = second_look(healthy())
    watch.cluster.gaps[Inspected] = "flower: 500"
    assert cell(watch.look()["workers"], WEB, "queues") == "indexing"


def test_queues_inspected_more_than_10_minutes_ago_are_a_gap() -> None:
    cluster = healthy()
    cluster.cache[WEB] = replace(cluster.cache[WEB], at=NOW - 700)
    cluster.answering.discard(WEB)
    assert gap(first_look(cluster), WEB, "queues") == "flower: last inspected 700s ago"


def test_a_restarted_worker_that_was_not_inspected_since_shows_nothing_of_its_earlier_process() -> None:
    watch, _ = second_look(healthy())
    watch.cluster.beats[WEB] = replace(watch.cluster.beats[WEB], pid=99)
    watch.cluster.answering.discard(WEB)
    reading = watch.look()["workers"]
    assert [gap(reading, WEB, c) for c in ("queues", "uptime_s", "pool_size")] == [
        "flower: the worker has restarted, and not answered an inspect since"
    ] * 3


def test_reserved_is_known_only_where_the_worker_was_refreshed_alone() -> None:
    cluster = healthy()
    del cluster.cache[WEB]
    cluster.inspections[WEB] = an_inspection(WEB, reserved=3)
    reading = first_look(cluster)
    assert (cell(reading, WEB, "reserved"), cell(reading, "celery@gpu-1", "reserved")) == (3.0, None)


def test_silence_of_a_worker_that_is_online_is_bounded_by_its_heartbeat_however_flowers_clock_stands() -> None:
    watch = Watch(healthy())
    watch.skew = 120.0
    assert cell(watch.look(0)["workers"], WEB, "silent_s") == 4.0


def test_silence_of_a_worker_already_gone_at_the_first_look_is_since_its_last_heartbeat() -> None:
    cluster = healthy()
    cluster.dies(WEB)
    assert cell(first_look(cluster), WEB, "silent_s") == 1.0


def test_an_unknown_state_is_a_gap_with_its_reason() -> None:
    watch, _ = second_look(healthy())
    watch.cluster.gaps["redis"] = "redis: connection refused"
    watch.cluster.dies(WEB)
    reading = watch.look()["workers"]
    assert (cell(reading, WEB, "state"), gap(reading, WEB, "state")) == (None, "redis: not answering")


def test_counters_that_cannot_be_read_change_no_worker() -> None:
    watch, before = second_look(healthy())
    watch.cluster.gaps[ReadEventCounters] = "flower: 500"
    after = row(watch.look()["workers"], WEB)
    assert {**after.cells, "uptime_s": None} == {**row(before, WEB).cells, "uptime_s": None}
