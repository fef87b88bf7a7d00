"""The tables over a window that only history reaches."""

import pytest

from tests.builders.looks import cell
from tests.unit.cli.status.builders import NOON, bucket, shown_of
from watchdog.core.history.series import Part, Slice, Value
from watchdog.core.model.rows import Cell, Key, Reading
from watchdog.core.model.sketch import sketch_of
from watchdog.tables import TABLES
from watchdog.tables.history.over_window import readings_over

DAY_S = 86400.0
HOUR = [bucket(NOON - 300.0 * nth, 3.0, 1.0, runtimes=sketch_of([2.0] * 4)) for nth in range(12)]


def over(*slices: Slice, window_s: float = 3600.0) -> dict[str, Reading]:
    return readings_over(shown_of().readings, slices, window_s, NOON)


def of_task(readings: dict[str, Reading], *columns: str) -> list[Cell]:
    return [cell(readings["tasks"], "shop.pay", column) for column in columns]


def test_counts_are_those_of_the_window() -> None:
    assert of_task(over(*HOUR), "succeeded", "failed", "finished", "error_rate", "per_min") == [36.0, 12.0, 48.0, 0.25, 0.8]


def test_slices_before_the_window_do_not_count() -> None:
    assert of_task(over(*HOUR, window_s=600.0), "succeeded") == [6.0]


def test_percentiles_are_within_5_percent() -> None:
    assert of_task(over(*HOUR), "runtime_avg", "runtime_p95") == [2.0, pytest.approx(2.0, rel=0.05)]


def test_a_task_without_a_success_has_neutral_runtimes_and_one_without_a_list_has_none() -> None:
    failed = bucket(NOON, 0.0, 1.0, runtimes=sketch_of([]))
    unlisted = bucket(NOON, 5.0, 0.0, runtimes=sketch_of([]))
    assert of_task(over(failed), "runtime_p95") == [0.0]
    assert of_task(over(unlisted), "runtime_p95") == [None]


def test_what_history_does_not_keep_is_idle_with_the_reason() -> None:
    readings = over(*HOUR)
    for name, reading in readings.items():
        kept = {column for row in reading.rows for column in row.cells}
        windowed = {column.name for column in TABLES[name].columns if column.windowed}
        assert windowed - kept <= set(reading.idle), name
    assert readings["queues"].idle["growth_per_min"] == "history does not keep it"


def test_a_window_that_was_watched_in_part_says_so() -> None:
    assert over(*HOUR)["tasks"].note == ""
    assert over(*HOUR, window_s=DAY_S)["tasks"].note == "history covers 1h of 1d"


def test_without_history_no_count_is_shown() -> None:
    readings = over()
    assert readings["tasks"].idle["succeeded"] == "history has nothing of this window"
    assert all("succeeded" not in row.cells for row in readings["tasks"].rows)


def test_the_cluster_and_its_workers_follow() -> None:
    workers: dict[Key, tuple[Value, ...]] = {("celery@web-1",): (120.0, 1.0, 1.0, 0.5, None, None)}
    readings = over(*HOUR, Slice(NOON, {"workers": Part(NOON - 3600, NOON, workers)}))
    assert [cell(readings["cluster"], "", column) for column in ("finished", "error_rate", "per_min")] == [48.0, 0.25, 0.8]
    assert cell(readings["workers"], "celery@web-1", "processed_per_min") == 2.0
    assert cell(readings["workers"], "celery@web-2", "processed_per_min") is None


def test_errors_are_counted_by_task_and_exception() -> None:
    [row] = over(*HOUR)["errors"].rows
    assert [row.cells[column] for column in ("task", "exception", "category", "queue", "count", "share", "duration_avg_s")] == [
        "shop.pay", "TimeoutError", "timeout", "indexing", 12.0, 1.0, 30.0,
    ]  # fmt: skip
