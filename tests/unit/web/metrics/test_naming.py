"""Names of metrics: each column with numbers has one, no two have the same, and their units are Prometheus' own."""

from collections import Counter

import pytest

from watchdog.core.model.rows import Kind
from watchdog.tables import TABLES
from watchdog.web.metrics.naming import COUNTERS, names_of

COLUMNS = [(table, column) for table in TABLES.values() for column in table.columns]


def name_of(table: str, column: str) -> str:
    return names_of(TABLES[table])[column].name


def test_every_column_with_numbers_has_a_metric() -> None:
    expected = {(table.name, column.name) for table, column in COLUMNS if column.kind in (Kind.NUMBER, Kind.BOOLEAN)}
    assert expected <= {(table.name, column) for table in TABLES.values() for column in names_of(table)}


def test_no_two_columns_have_the_same_metric() -> None:
    counted = Counter(name.name for table in TABLES.values() for name in names_of(table).values())
    assert [name for name, count in counted.items() if count > 1] == []


@pytest.mark.parametrize(
    ("table", "column", "name"),
    [
        ("workers", "silent_s", "watchdog_workers_silent_seconds"),
        ("tasks", "runtime_p95", "watchdog_tasks_runtime_p95_seconds"),
        ("broker", "latency_ms", "watchdog_broker_latency_seconds"),
        ("broker", "used_memory", "watchdog_broker_used_memory_bytes"),
        ("self", "database_bytes", "watchdog_self_database_bytes"),
        ("errors", "usual_count", "watchdog_errors_usual_failures"),
        ("schedules", "overdue_s", "watchdog_schedules_overdue_seconds"),
        ("queues", "length", "watchdog_queues_length"),
    ],
)
def test_a_name_says_the_unit(table: str, column: str, name: str) -> None:
    assert name_of(table, column) == name


def test_no_name_ends_as_only_histograms_and_counters_may() -> None:
    names = [name.name for table in TABLES.values() for name in names_of(table).values()]
    assert [name for name in names if name.endswith(("_total", "_count", "_sum", "_bucket", "_info"))] == []


def test_every_counter_is_a_column() -> None:
    assert {(table.name, column.name) for table, column in COLUMNS} >= COUNTERS


def test_words_out_of_a_list_become_a_label() -> None:
    assert names_of(TABLES["workers"])["state"].states == "state"


def test_free_text_has_no_metric() -> None:
    assert "version" not in names_of(TABLES["workers"])
