from typing import Any

import pytest

from tests.builders.answers import NOW, a_failure, a_target, a_task
from tests.builders.cluster import Cluster, healthy
from tests.builders.looks import Watch, row
from watchdog.core.model.queries import FailedTasks
from watchdog.core.model.replies import TaskSeen
from watchdog.core.model.rows import Cell, Reading
from watchdog.tables.tasks.categories import category_of, exception_of
from watchdog.tables.tasks.names import NAMELESS

WRAPPED = "ExceptionWithTraceback()"
HARD_LIMIT = "billiard.exceptions.TimeLimitExceeded: TimeLimitExceeded(1,)"
KILLED = "billiard.exceptions.WorkerLostError: Worker exited prematurely: signal 9 (SIGKILL) Job: 9."


def failing(*failures: TaskSeen) -> Cluster:
    cluster = healthy()
    cluster.tasks = list(failures)
    return cluster


def errors(cluster: Cluster, window_s: float = 300.0, **target: Any) -> Reading:
    return Watch(cluster, a_target(**target)).look(0, window_s=window_s)["errors"]


def of(reading: Reading, column: str, exception: str = "ValueError") -> Cell:
    return row(reading, "shop.pay", exception, table="errors").cells[column]


# --- kinds ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("exception", "last", "name"),
    [
        ("ValueError('lab ValueError: no')", None, "ValueError"),
        ("SoftTimeLimitExceeded()", None, "SoftTimeLimitExceeded"),
        (WRAPPED, HARD_LIMIT, "TimeLimitExceeded"),
        (WRAPPED, KILLED, "WorkerLostError"),
        (WRAPPED, None, "ExceptionWithTraceback"),
        ("requests.exceptions.ReadTimeout('x')", None, "ReadTimeout"),
        ("<ConnectionClosed 1006>", None, "ConnectionClosed"),
        (None, "app.errors.Odd", "Odd"),
        (None, None, "unknown"),
        ("", "", "unknown"),
    ],
)
def test_the_true_type_is_found(exception: str | None, last: str | None, name: str) -> None:
    assert exception_of(a_failure(exception=exception, traceback_last=last)) == name


@pytest.mark.parametrize(
    ("exception", "category"),
    [
        ("TimeoutError", "timeout"),
        ("SoftTimeLimitExceeded", "timeout"),
        ("TimeLimitExceeded", "timeout"),
        ("ConnectTimeout", "timeout"),
        ("ReadTimeoutError", "timeout"),
        ("MemoryError", "memory"),
        ("ConnectionError", "connection"),
        ("ConnectionRefusedError", "connection"),
        ("OperationalError", "connection"),
        ("BusyLoadingError", "connection"),
        ("ConnectError", "connection"),
        ("WorkerLostError", "lost"),
        ("ValueError", "other"),
        ("KeyError", "other"),
        ("unknown", "other"),
    ],
)
def test_an_exception_has_a_category(exception: str, category: str) -> None:
    assert category_of(exception) == category


# --- counts -----------------------------------------------------------------------------------------------------------


def test_failures_of_one_kind_are_one_row() -> None:
    reading = errors(failing(a_failure("a"), a_failure("b"), a_failure("c", "KeyError('k')")))
    assert {r.cells["exception"]: r.cells["count"] for r in reading.rows} == {"ValueError": 2.0, "KeyError": 1.0}


def test_the_share_is_of_the_tasks_failures() -> None:
    other = a_failure("d", name="shop.ship")
    reading = errors(failing(a_failure("a"), a_failure("b"), a_failure("c", "KeyError('k')"), other))
    assert of(reading, "share") == 2 / 3


def test_what_failed_before_the_window_is_not_counted() -> None:
    cluster = failing(a_failure("a"), a_failure("b", at=NOW - 400))
    assert (of(errors(cluster), "count"), of(errors(cluster, 600.0), "count")) == (1.0, 2.0)


def test_a_clock_ahead_of_ours_counts_as_now() -> None:
    assert of(errors(failing(a_failure("a", at=NOW + 60))), "count") == 1.0


def test_how_long_failed_runs_took_is_failed_less_started() -> None:
    reading = errors(failing(a_failure("a", at=NOW - 10, started=NOW - 40), a_failure("b", at=NOW - 10, started=NOW - 20)))
    assert of(reading, "duration_avg_s") == 20.0


def test_where_flower_missed_the_start_the_duration_is_a_gap() -> None:
    reading = errors(failing(a_failure("a", started=None)))
    assert "missed" in row(reading, "shop.pay", "ValueError", table="errors").gaps["duration_avg_s"]


def test_the_queue_is_that_of_most() -> None:
    reading = errors(failing(a_failure("a", routing_key="x"), a_failure("b"), a_failure("c")))
    assert of(reading, "queue") == "indexing"


def test_without_a_task_sent_event_the_queue_is_a_gap() -> None:
    reading = errors(failing(a_failure("a", routing_key=None)))
    assert "task_send_sent_event" in row(reading, "shop.pay", "ValueError", table="errors").gaps["queue"]


def test_the_example_is_the_last_one_in_one_line() -> None:
    reading = errors(failing(a_failure("a", "ValueError('b\n  c')", at=NOW - 1), a_failure("b", "ValueError('a')")))
    assert of(reading, "example") == "ValueError('b c')"


def test_the_example_of_a_wrapped_one_is_what_it_wraps() -> None:
    reading = errors(failing(a_failure("a", WRAPPED, traceback_last=KILLED)))
    assert "signal 9" in str(of(reading, "example", "WorkerLostError"))


def test_other_apps_failures_are_not_counted() -> None:
    assert errors(failing(a_failure("a")), workers=("celery@gpu-*",)).rows == ()


def test_a_failure_without_a_name_is_a_row_of_the_nameless() -> None:
    assert errors(failing(a_failure("a", name=None))).rows[0].cells["task"] == NAMELESS


def test_a_task_that_no_worker_registers_is_filed_under_the_name_that_its_exception_holds() -> None:
    found = errors(failing(a_failure("a", "NotRegistered('shop.new_task')", name=None))).rows[0].cells
    assert (found["task"], found["exception"], found["category"]) == ("shop.new_task", "NotRegistered", "unregistered")


@pytest.mark.parametrize(
    ("exception", "kind", "category"),
    [
        ("network:ConnectionError('Error 111 connecting')", "ConnectionError", "connection"),
        ("timeout:TimeoutError('x')", "TimeoutError", "timeout"),
        ("kombu.exceptions.OperationalError('x')", "OperationalError", "connection"),
        ("<class 'redis.exceptions.TimeoutError'>", "TimeoutError", "timeout"),
        ("ValueError('no: TimeoutError(1)')", "ValueError", "other"),
        ("KeyError: 'x'", "KeyError", "other"),
    ],
)
def test_the_type_of_an_exception_is_found_in_what_its_repr_really_is(exception: str, kind: str, category: str) -> None:
    found = errors(failing(a_failure("a", exception))).rows[0].cells
    assert (found["exception"], found["category"]) == (kind, category)


@pytest.mark.parametrize("drift_s", [9 * 3600.0, -5 * 3600.0])
def test_when_a_failure_happened_is_told_by_our_clock_not_by_its_workers(drift_s: float) -> None:
    watch = Watch(healthy())
    watch.look(0)
    watch.cluster.tasks = [a_failure("a", at=watch.cluster.now + 5 + drift_s)]
    counts = [[row.cells["count"] for row in watch.look(after)["errors"].rows] for after in (10, 200, 200)]
    assert counts == [[1.0], [1.0], []]


def test_after_a_restart_of_flower_old_failures_age_out() -> None:
    watch = Watch(failing(a_failure("a")))
    watch.look(0)
    watch.cluster.tasks = []
    watch.cluster.flower_started_at = watch.cluster.now + 295
    watch.look(300)
    (aged,) = watch.look(10)["errors"].rows
    assert (aged.cells["count"], watch.look(10)["errors"].partial) == (0.0, "no failure from before the first event is known")


# --- against its own past ---------------------------------------------------------------------------------------------


def failing_steadily(watch: Watch, looks: int, a_look: int) -> Reading:
    for nth in range(looks):
        now = watch.cluster.now + 10
        watch.cluster.tasks = [a_failure(f"{now}-{n}", at=now - n) for n in range(a_look)] + watch.cluster.tasks[:150]
        watch.cluster.counts[("celery@web-1", "shop.pay", "failed")] = float((nth + 1) * a_look)
        watch.cluster.counts[("celery@web-1", "shop.pay", "succeeded")] = (nth + 1) * 100.0
        reading = watch.look(10)["errors"]
    return reading


def test_a_kind_that_was_never_seen_before_has_no_usual_count() -> None:
    assert of(errors(failing(*many(40))), "usual_count") == 0.0


def test_what_flower_lists_of_the_hour_before_is_a_past_at_the_first_look() -> None:
    every_20_s = [a_failure(f"f{n}", at=NOW - 20 * n) for n in range(180)]
    assert of(errors(failing(*every_20_s)), "usual_count") == pytest.approx(15.0, abs=0.5)


def test_what_failed_as_often_all_along_is_usual() -> None:
    reading = failing_steadily(Watch(healthy()), 90, 1)
    assert of(reading, "count") == 31.0
    assert of(reading, "usual_count") == pytest.approx(31.0, abs=1.0)


def test_the_usual_count_grows_with_the_runs() -> None:
    watch = Watch(healthy())
    few = of(failing_steadily(watch, 90, 1), "usual_count")
    watch.cluster.counts[("celery@web-1", "shop.pay", "succeeded")] = 90 * 100.0 + 30_000.0
    more = of(watch.look(10)["errors"], "usual_count")
    assert float(more or 0) > 8 * float(few or 0)


def test_while_the_task_as_a_whole_fails_nothing_of_it_is_fresh() -> None:
    reading = failing_steadily(Watch(healthy()), 5, 60)
    assert (of(reading, "count"), of(reading, "fresh")) == (300.0, 0.0)


def test_what_failed_while_the_task_as_a_whole_failed_is_not_fresh_afterwards() -> None:
    watch = Watch(healthy())
    failing_steadily(watch, 5, 60)
    watch.cluster.counts[("celery@web-1", "shop.pay", "succeeded")] = 5000.0
    watch.look(10)
    watch.cluster.tasks = [a_failure("new", at=watch.cluster.now + 9), *watch.cluster.tasks]
    reading = watch.look(10)["errors"]
    assert (of(reading, "count"), of(reading, "fresh")) == (301.0, 1.0)


def test_at_the_first_look_the_past_is_what_flower_has_lived_through() -> None:
    fresh = failing(*many(40))
    fresh.flower_started_at = NOW - 500
    assert [of(errors(failing(*many(40))), "has_past"), of(errors(fresh), "has_past")] == [True, False]


def test_what_was_watched_for_two_windows_has_a_past() -> None:
    cluster = healthy()
    cluster.flower_started_at = NOW
    watch = Watch(cluster)
    assert [of(failing_steadily(watch, looks, 1), "has_past") for looks in (30, 40)] == [False, True]


def test_a_task_that_is_new_has_no_past() -> None:
    watch = Watch(healthy())
    for _ in range(100):
        watch.look(10)
    assert [of(failing_steadily(watch, looks, 1), "has_past") for looks in (30, 40)] == [False, True]


def test_the_share_of_the_runs_is_counted_within_the_window() -> None:
    assert of(failing_steadily(Watch(healthy()), 20, 1), "run_share") == pytest.approx(0.01, abs=0.002)


def test_at_the_first_look_the_share_is_of_the_runs_that_flower_lists() -> None:
    failures = [a_failure(f"f{n}", at=NOW - 8 * n) for n in range(60)]
    successes = [a_task(f"s{n}", "SUCCESS", succeeded=NOW - 0.08 * n, timestamp=NOW - 0.08 * n) for n in range(2000)]
    cluster = failing(*sorted([*failures, *successes], key=lambda task: -(task.timestamp or 0.0)))
    cluster.counts = {("celery@web-1", "shop.pay", "succeeded"): 7000.0, ("celery@web-1", "shop.pay", "failed"): 80.0}
    cluster.flower_started_at = NOW - 700
    reading = errors(cluster, 600.0)
    assert [of(reading, "count"), of(reading, "has_past")] == [60.0, False]
    assert of(reading, "run_share") == pytest.approx(0.01, abs=0.004)


def test_it_is_said_how_long_ago_the_last_one_was() -> None:
    assert of(errors(failing(a_failure("a", at=NOW - 40), a_failure("b", at=NOW - 90))), "last_s") == 40.0


# --- what is not known ------------------------------------------------------------------------------------------------


def many(count: int, at: float = NOW - 10, prefix: str = "m") -> list[TaskSeen]:
    return [a_failure(f"{prefix}{n}", at=at) for n in range(count)]


def test_a_short_list_is_whole() -> None:
    assert errors(failing(a_failure("a"))).partial is None


def test_a_list_that_is_cut_within_the_window_is_read_in_part() -> None:
    assert "200" in str(errors(failing(*many(300))).partial)


def test_a_list_that_is_cut_before_the_window_is_whole() -> None:
    assert errors(failing(*many(150), *many(150, NOW - 500, "old"))).partial is None


def test_what_a_cut_list_showed_before_is_still_counted() -> None:
    watch = Watch(failing(*many(150)))
    watch.look(0)
    watch.cluster.tasks = [*many(150, NOW, "new"), *watch.cluster.tasks]
    reading = watch.look()["errors"]
    assert (of(reading, "count"), reading.partial) == (300.0, None)


def test_a_restart_of_flower_makes_no_count_fall() -> None:
    watch = Watch(failing(*many(20)))
    watch.look(0)
    watch.cluster.tasks, watch.cluster.flower_started_at = [], watch.cluster.now
    assert of(watch.look()["errors"], "count") == 20.0


def test_after_a_restart_of_flower_the_window_is_read_in_part_until_it_lies_behind() -> None:
    watch = Watch(failing())
    watch.look(0)
    watch.cluster.flower_started_at = watch.cluster.now
    partial = [watch.look(100)["errors"].partial is not None for _ in range(4)]
    assert partial == [True, True, False, False]


def test_of_a_flower_that_started_within_the_window_a_first_look_reads_a_part() -> None:
    cluster = failing()
    cluster.flower_started_at = NOW - 60
    assert "no failure from before" in str(errors(cluster).partial)


def test_while_the_list_cannot_be_read_kinds_are_rows_full_of_gaps() -> None:
    watch = Watch(failing(a_failure("a")))
    watch.look(0)
    watch.cluster.gaps[FailedTasks] = "flower: 500"
    reading = watch.look()["errors"]
    seen = row(reading, "shop.pay", "ValueError", table="errors")
    assert (reading.unread, seen.gaps["count"], seen.cells["category"]) == ("flower: 500", "flower: 500", "other")


def test_what_is_remembered_has_a_bound() -> None:
    watch = Watch(failing(*many(150)))
    watch.look(0)
    for number in range(4):
        watch.cluster.tasks = many(199, watch.cluster.now, f"n{number}-")
        reading = watch.look()["errors"]
    assert (of(reading, "count"), reading.partial) == (500.0, "only the last 500 failures are kept")


def test_failures_are_forgotten_after_an_hour() -> None:
    watch = Watch(failing(a_failure("a")))
    watch.look(0)
    watch.cluster.tasks = []
    watch.look(3700)
    assert "f1" not in watch.past.memories["tasks"].failures.known  # type: ignore[attr-defined]


def test_without_flower_every_column_is_idle() -> None:
    assert errors(healthy(), sources=frozenset({"redis"})).idle["count"] == "needs Flower, and this target has no `flower`"
