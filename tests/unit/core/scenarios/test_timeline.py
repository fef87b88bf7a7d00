"""What a look finds of the rows that a scenario writes."""

from collections.abc import Mapping

from tests.builders.scenarios import scenarios_of
from watchdog.core.model.rows import Cell, Reading
from watchdog.core.scenarios.timeline import UNSAID, Timeline
from watchdog.tables import TABLES

HEAD = '[[scenario]]\nname = "x"\nquiet = ["QueueStuck"]\n'


def looks(text: str, *times: float) -> list[Mapping[str, Reading]]:
    timeline = Timeline(scenarios_of(text if "[[scenario]]" in text else HEAD + text)[0], TABLES)
    return [timeline.at(at_s) for at_s in times]


def lengths(text: str, *times: float) -> list[list[Cell]]:
    return [[row.cells["length"] for row in readings["queues"].rows] for readings in looks(text, *times)]


def test_rows_stay_until_they_are_changed() -> None:
    rows = (
        '[[scenario.rows]]\nqueues = [{ name = "a", length = 1 }]\n'
        '[[scenario.rows]]\nat = "1m"\nqueues = [{ name = "a", length = 2 }, { name = "b", length = 3 }]'
    )
    assert lengths(rows, 0, 50, 60, 600) == [[1.0], [1.0], [2.0, 3.0], [2.0, 3.0]]


def test_a_change_leaves_the_other_cells_as_they_were() -> None:
    rows = (
        '[[scenario.rows]]\nqueues = [{ name = "a", length = 1, consumers = 4 }]\n'
        '[[scenario.rows]]\nat = "1m"\nqueues = [{ name = "a", length = 2 }]'
    )
    assert looks(rows, 60)[0]["queues"].rows[0].cells == {"name": "a", "length": 2.0, "consumers": 4.0}


def test_a_ramp_grows_from_the_time_of_its_rows() -> None:
    rows = '[[scenario.rows]]\nat = "1m"\nqueues = [{ name = "a", length = "40 + 10/1m" }]'
    assert lengths(rows, 0, 60, 90, 180) == [[], [40.0], [45.0], [60.0]]


def test_a_ramp_without_a_start_goes_on_from_what_was_there() -> None:
    rows = (
        '[[scenario.rows]]\nqueues = [{ name = "a", length = "0 + 10/1m" }]\n'
        '[[scenario.rows]]\nat = "2m"\nqueues = [{ name = "a", length = "-5/1m" }]'
    )
    assert lengths(rows, 120, 180) == [[20.0], [15.0]]


def test_a_row_that_goes_is_gone() -> None:
    rows = (
        '[[scenario.rows]]\nqueues = [{ name = "a", length = 1 }, { name = "b", length = 2 }]\n'
        '[[scenario.rows]]\nat = "1m"\ngone = { queues = ["a"] }'
    )
    assert lengths(rows, 0, 60) == [[1.0, 2.0], [2.0]]


def test_rows_go_by_a_part_of_their_key() -> None:
    rows = (
        '[[scenario.rows]]\nerrors = [{ task = "a", exception = "X" }, { task = "a", exception = "Y" }, { task = "b", exception = "X" }]\n'
        '[[scenario.rows]]\nat = "1m"\ngone = { errors = [{ task = "a" }] }'
    )
    assert [row.cells["task"] for row in looks(rows, 60)[0]["errors"].rows] == ["b"]


def test_a_table_that_cannot_be_read_has_no_rows_and_a_reason_until_it_can_again() -> None:
    rows = (
        '[[scenario.rows]]\nqueues = [{ name = "a", length = 1 }]\n'
        '[[scenario.rows]]\nat = "1m"\nunread = { queues = "redis: timeout" }\n'
        '[[scenario.rows]]\nat = "2m"\nunread = { queues = false }'
    )
    found = [(readings["queues"].unread, len(readings["queues"].rows)) for readings in looks(rows, 0, 60, 120)]
    assert found == [(None, 1), ("redis: timeout", 0), (None, 1)]


def test_a_table_may_have_been_read_in_part() -> None:
    rows = '[[scenario.rows]]\nqueues = [{ name = "a", length = 1 }]\npartial = { queues = "redis: 100,000 keys" }'
    assert looks(rows, 0)[0]["queues"].partial == "redis: 100,000 keys"


def test_a_gap_has_its_reason_and_what_is_proved() -> None:
    row = looks('[[scenario.rows]]\nqueues = [{ name = "a", oldest_s = { gap = "a bound", at_least = 600 } }]', 0)[0]["queues"].rows[0]
    assert (row.cells["oldest_s"], row.gaps) == (600.0, {"oldest_s": "a bound"})


def test_a_column_without_a_word_has_no_value() -> None:
    reading = looks('[[scenario.rows]]\nqueues = [{ name = "a", length = 1 }]', 0)[0]["queues"]
    assert (reading.idle["consumers"], "consumers" in reading.rows[0].cells, "length" in reading.idle) == (UNSAID, False, False)


def test_a_column_that_only_other_rows_have_is_unknown() -> None:
    reading = looks('[[scenario.rows]]\nqueues = [{ name = "a", length = 1 }, { name = "b" }]', 0)[0]["queues"]
    assert list(reading.rows[1].gaps) == ["length"]


def test_a_table_without_a_row_is_known_to_be_empty() -> None:
    assert looks("[[scenario.rows]]\nqueues = []", 0)[0]["queues"] == Reading()


def test_a_row_begins_with_what_is_usual() -> None:
    text = f'[usual.queues]\nlength = 7\nconsumers = 2\n{HEAD}[[scenario.rows]]\nqueues = [{{ name = "a", length = 1 }}]'
    assert looks(text, 0)[0]["queues"].rows[0].cells == {"name": "a", "length": 1.0, "consumers": 2.0}


def test_what_is_usual_does_not_come_back_with_a_change() -> None:
    rows = (
        f'[usual.queues]\nlength = 7\n{HEAD}[[scenario.rows]]\nqueues = [{{ name = "a", length = 1 }}]\n'
        '[[scenario.rows]]\nat = "1m"\nqueues = [{ name = "a", consumers = 3 }]'
    )
    assert lengths(rows, 60) == [[1.0]]


def test_a_table_of_one_row_needs_no_key() -> None:
    assert looks("[[scenario.rows]]\ncluster = [{ backlog = 3 }]", 0)[0]["cluster"].rows[0].cells == {"backlog": 3.0}


def test_what_has_not_changed_is_the_same_object() -> None:
    first, second = looks('[[scenario.rows]]\nqueues = [{ name = "a", length = 1 }]', 0, 10)
    assert first is second
