"""The tables as metrics: cells as they are, gaps as nothing at all, and no more series than are bearable."""

import pytest

from tests.builders.metrics import names, samples
from watchdog.core.model.rows import Reading, Row
from watchdog.tables import TABLES
from watchdog.web.metrics.tables import FEWEST_SHOWN, MOST_ROWS, table_families


def of(name: str, **tables: Reading) -> dict[str, float]:
    return samples(table_families({"prod": tables}), name)


def queue(name: str = "emails", **cells: float | str | bool | None) -> Reading:
    return Reading((Row({"name": name, **cells}, {column: "redis: no answer" for column, cell in cells.items() if cell is None}),))


def test_a_cell_is_a_series_with_target_and_key() -> None:
    assert of("watchdog_queues_length", queues=queue(length=7.0)) == {'name="emails",target="prod"': 7.0}


def test_a_gap_has_no_series() -> None:
    assert of("watchdog_queues_length", queues=queue(length=None)) == {}


def test_a_truth_is_one_or_zero() -> None:
    assert of("watchdog_queues_declared", queues=queue(declared=False)) == {'name="emails",target="prod"': 0.0}


def test_milliseconds_become_seconds() -> None:
    assert of("watchdog_broker_latency_seconds", broker=Reading((Row({"latency_ms": 250.0}),))) == {'target="prod"': 0.25}


def test_what_counts_up_is_a_counter() -> None:
    workers = Reading((Row({"name": "celery@a", "processed": 5.0}),))
    assert of("watchdog_workers_processed_total", workers=workers) == {'name="celery@a",target="prod"': 5.0}


def test_a_word_out_of_a_list_is_a_label() -> None:
    workers = Reading((Row({"name": "celery@a", "state": "lost"}),))
    assert of("watchdog_workers_state", workers=workers) == {'name="celery@a",state="lost",target="prod"': 1.0}


@pytest.mark.parametrize(("reading", "unread"), [(Reading(unread="redis: refused"), 1.0), (Reading(), 0.0)])
def test_a_table_says_whether_it_could_be_read(reading: Reading, unread: float) -> None:
    assert of("watchdog_table_unread", queues=reading) == {'table="queues",target="prod"': unread}


def test_how_many_rows_an_unread_table_has_is_not_said() -> None:
    assert of("watchdog_table_rows", queues=Reading(unread="redis: refused")) == {}


def test_a_table_that_nothing_can_fill_here_is_not_there() -> None:
    idle = Reading(idle={column.name: "x" for column in TABLES["schedules"].columns})
    assert names(table_families({"prod": {"schedules": idle}})) == set()


def many(count: int) -> Reading:
    return Reading(tuple(Row({"name": f"q{nth}", "length": 1.0}) for nth in range(count)))


def test_no_more_rows_than_are_bearable_are_shown() -> None:
    assert len(of("watchdog_queues_length", queues=many(MOST_ROWS + 3))) == MOST_ROWS


def test_how_many_rows_are_left_out_is_said() -> None:
    assert of("watchdog_table_rows_left_out", queues=many(MOST_ROWS + 3)) == {'table="queues",target="prod"': 3.0}


def test_of_running_tasks_the_longest_are_shown() -> None:
    most, _ = FEWEST_SHOWN["running"]
    running = Reading(tuple(Row({"id": f"t{nth}", "running_s": float(nth)}) for nth in range(most + 10)))
    assert min(of("watchdog_running_running_seconds", running=running).values()) == 10.0


def test_targets_share_a_family() -> None:
    families = table_families({"a": {"queues": queue(length=1.0)}, "b": {"queues": queue(length=2.0)}})
    assert samples(families, "watchdog_queues_length") == {'name="emails",target="a"': 1.0, 'name="emails",target="b"': 2.0}
