import pytest

from tests.builders import NOW, Cluster, Watch, a_target, cell, gap, healthy, names
from watchdog.core.queries import ReadEventCounters
from watchdog.core.rows import Reading

WEB, GPU = "celery@web-1", "celery@gpu-1"
JOB = "shop.pay"


def counting(**events: float) -> Cluster:
    cluster = healthy()
    count(cluster, **events)
    return cluster


def count(cluster: Cluster, worker: str = WEB, task: str = JOB, /, **events: float) -> None:
    for event, number in events.items():
        cluster.counts[(worker, task, event)] = cluster.counts.get((worker, task, event), 0.0) + number


def watching(cluster: Cluster, looks: int = 2, **target: object) -> Watch:
    watch = Watch(cluster, a_target(**target))
    for number in range(looks):
        watch.look(0 if number == 0 else 10)
    return watch


def tasks(watch: Watch, after: float = 10, window_s: float = 300.0) -> Reading:
    return watch.look(after, window_s=window_s)["tasks"]


def test_on_a_first_look_names_are_known_and_counts_idle() -> None:
    reading = tasks(Watch(counting(succeeded=5)), 0)
    assert (names(reading), reading.idle["failed"]) == ([JOB], "failed needs a second look")


def test_counts_before_the_first_look_are_not_counted() -> None:
    watch = watching(counting(succeeded=500, failed=500), 1)
    assert cell(tasks(watch), JOB, "finished") == 0.0


def test_what_happened_between_two_looks_is_counted() -> None:
    watch = watching(counting(succeeded=5))
    count(watch.cluster, succeeded=3, failed=1, received=4, started=4, retried=2, revoked=1)
    reading = tasks(watch)
    assert [cell(reading, JOB, c) for c in ("received", "started", "succeeded", "failed", "retried", "revoked", "finished")] == [
        4.0,
        4.0,
        3.0,
        1.0,
        2.0,
        1.0,
        4.0,
    ]


def test_the_error_rate_is_exact_over_several_looks() -> None:
    watch = watching(counting(succeeded=1000))
    for _ in range(3):
        count(watch.cluster, succeeded=7, failed=1)
        tasks(watch)
    count(watch.cluster, succeeded=2, failed=4)
    assert cell(tasks(watch), JOB, "error_rate") == 7 / 30


def test_a_rate_without_a_finished_task_is_0() -> None:
    assert cell(tasks(watching(counting(succeeded=5))), JOB, "error_rate") == 0.0


def test_retries_are_counted_against_what_finished() -> None:
    watch = watching(counting(succeeded=5))
    count(watch.cluster, succeeded=4, retried=2)
    assert cell(tasks(watch), JOB, "retry_rate") == 0.5


def test_a_rate_a_minute_covers_what_was_watched() -> None:
    watch = watching(counting(succeeded=5))
    count(watch.cluster, succeeded=10)
    assert cell(tasks(watch), JOB, "per_min") == 30.0


def test_workers_are_summed_after_the_difference() -> None:
    watch = watching(counting(succeeded=5))
    count(watch.cluster, GPU, succeeded=3)
    count(watch.cluster, WEB, succeeded=2)
    assert cell(tasks(watch), JOB, "succeeded") == 5.0


def test_a_series_that_appears_between_two_looks_counts_from_0() -> None:
    watch = watching(healthy())
    count(watch.cluster, failed=4)
    assert cell(tasks(watch), JOB, "failed") == 4.0


def test_what_lies_before_the_window_no_longer_counts() -> None:
    watch = watching(counting(succeeded=5))
    count(watch.cluster, failed=4)
    counts = [cell(tasks(watch, window_s=60.0), JOB, "failed") for _ in range(9)]
    assert (counts[0], counts[6], counts[7]) == (4.0, 4.0, 0.0)


# --- resets -----------------------------------------------------------------------------------------------------------


def test_a_restarted_flower_counts_from_0() -> None:
    watch = watching(counting(succeeded=1000))
    watch.cluster.counts = {(WEB, JOB, "succeeded"): 2000.0}
    watch.cluster.flower_started_at = watch.cluster.now
    assert cell(tasks(watch), JOB, "succeeded") == 2000.0


def test_a_counter_that_fell_was_reset() -> None:
    watch = watching(counting(succeeded=1000))
    watch.cluster.counts = {(WEB, JOB, "succeeded"): 4.0}
    assert cell(tasks(watch), JOB, "succeeded") == 4.0


def test_a_vanished_series_counts_nothing() -> None:
    watch = watching(counting(succeeded=1000))
    watch.cluster.counts = {}
    assert cell(tasks(watch), JOB, "succeeded") == 0.0


def test_a_series_that_vanished_and_came_back_counts_from_0() -> None:
    watch = watching(counting(succeeded=1000))
    watch.cluster.counts = {}
    tasks(watch)
    watch.cluster.counts = {(WEB, JOB, "succeeded"): 3.0}
    assert cell(tasks(watch), JOB, "succeeded") == 3.0


def test_a_flower_that_does_not_say_when_it_started_is_read_by_its_counters() -> None:
    watch = watching(counting(succeeded=1000))
    watch.cluster.flower_started_at = None  # type: ignore[assignment]
    tasks(watch)
    count(watch.cluster, succeeded=5)
    assert cell(tasks(watch), JOB, "succeeded") == 1005.0


# --- time not watched -------------------------------------------------------------------------------------------------


def test_after_three_hours_without_a_look_windowed_columns_are_idle_not_0() -> None:
    watch = watching(counting(succeeded=5))
    count(watch.cluster, failed=400)
    reading = tasks(watch, 3 * 3600)
    assert ("failed" in reading.idle, "last_seen_s" in reading.idle) == (True, False)


def test_what_happened_in_three_hours_without_a_look_is_not_counted_as_recent() -> None:
    watch = watching(counting(succeeded=5))
    count(watch.cluster, failed=400)
    tasks(watch, 3 * 3600)
    assert cell(tasks(watch), JOB, "failed") == 0.0


def test_a_window_shorter_than_the_time_between_two_looks_is_idle_not_0() -> None:
    watch = watching(counting(succeeded=5))
    count(watch.cluster, failed=400)
    assert tasks(watch, window_s=5.0).idle["failed"] == "failed needs two looks within 5s"


def test_a_minute_without_flower_is_counted_when_it_is_back() -> None:
    watch = watching(counting(succeeded=5))
    watch.cluster.gaps["flower"] = "flower: connection refused"
    for _ in range(6):
        tasks(watch)
    watch.cluster.gaps.clear()
    count(watch.cluster, failed=4)
    assert cell(tasks(watch), JOB, "failed") == 4.0


def test_a_clock_set_back_counts_each_failure_once() -> None:
    watch = watching(counting(succeeded=5))
    watch.skew = -3600.0
    count(watch.cluster, failed=4)
    tasks(watch)
    assert cell(tasks(watch), JOB, "failed") == 4.0


def test_while_the_counters_cannot_be_read_tasks_are_rows_full_of_gaps() -> None:
    watch = watching(counting(succeeded=5))
    watch.cluster.gaps[ReadEventCounters] = "flower: 500"
    reading = tasks(watch)
    assert (reading.unread, gap(reading, JOB, "error_rate")) == ("flower: 500", "flower: 500")


# --- names, ages ------------------------------------------------------------------------------------------------------


def test_a_task_of_which_flower_missed_the_name_is_no_row() -> None:
    watch = watching(counting(succeeded=5))
    count(watch.cluster, WEB, "", failed=7)
    count(watch.cluster, failed=2)
    reading = tasks(watch)
    assert (names(reading), cell(reading, JOB, "failed")) == ([JOB], 2.0)


def test_the_events_of_clients_are_not_remembered() -> None:
    watch = watching(counting(succeeded=5))
    count(watch.cluster, "gen123@client", sent=5)
    tasks(watch)
    assert "gen123@client" not in str(watch.past.memories["tasks"])


def test_other_apps_workers_are_not_counted() -> None:
    watch = watching(counting(succeeded=5), workers=("celery@web-*",))
    count(watch.cluster, GPU, failed=100)
    count(watch.cluster, WEB, failed=1)
    assert cell(tasks(watch), JOB, "failed") == 1.0


def test_last_success_and_last_seen_are_ages() -> None:
    watch = watching(counting(succeeded=5))
    count(watch.cluster, succeeded=1)
    tasks(watch)
    count(watch.cluster, failed=1)
    reading = [tasks(watch), tasks(watch)][-1]
    assert (cell(reading, JOB, "last_success_s"), cell(reading, JOB, "last_seen_s")) == (20.0, 10.0)


def test_a_task_that_flower_no_longer_counts_is_forgotten_by_name() -> None:
    watch = watching(counting(succeeded=5), forget_after_s=60.0)
    watch.cluster.counts = {}
    readings = [tasks(watch) for _ in range(8)]
    assert [(JOB,) in r.forgotten for r in readings].count(True) == 1
    assert names(readings[-1]) == []


def test_without_flower_every_column_is_idle() -> None:
    reading = Watch(healthy(), a_target(sources=frozenset({"redis"}))).look(0)["tasks"]
    assert reading.idle["failed"] == "needs Flower, and this target has no `flower`"


@pytest.mark.parametrize("event", ["sent", "progress", "rejected"])
def test_events_that_no_column_counts_make_no_row(event: str) -> None:
    watch = watching(healthy())
    count(watch.cluster, **{event: 3})
    assert (names(tasks(watch)), watch.cluster.now > NOW) == ([], True)


def test_another_flower_whose_counters_are_older_is_no_restart() -> None:
    watch = watching(counting(succeeded=5))
    watch.cluster.flower_started_at = NOW - 3 * 86400
    watch.cluster.counts = {(WEB, JOB, "failed"): 5000.0}
    reading = tasks(watch)
    assert reading.idle["failed"] == "failed needs a second look"


def test_from_the_look_after_on_another_flower_is_counted() -> None:
    watch = watching(counting(succeeded=5))
    watch.cluster.flower_started_at = NOW - 3 * 86400
    watch.cluster.counts = {(WEB, JOB, "failed"): 5000.0}
    tasks(watch, 20)
    watch.cluster.counts = {(WEB, JOB, "failed"): 5002.0}
    assert cell(tasks(watch), JOB, "failed") == 2.0


def test_a_wider_filter_counts_nothing_that_happened_before_it() -> None:
    cluster = counting(succeeded=5)
    count(cluster, GPU, JOB, failed=5000)
    narrow = watching(cluster, workers=(WEB,))
    wide = Watch(cluster, a_target(workers=(WEB, GPU)))
    wide.past = narrow.past
    count(cluster, GPU, JOB, failed=1)
    assert cell(tasks(wide), JOB, "failed") == 1.0
