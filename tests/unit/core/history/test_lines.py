"""One figure over some hours as lines, whose gaps are never a zero."""

import pytest

from watchdog.core.history.lines import lines_of, series_drawn
from watchdog.core.history.series import Part, Slice
from watchdog.tables.history.kept import KEPT


def look(since: float, until: float, length: float | None, name: str = "a") -> Slice:
    return Slice(until, {"queues": Part(since, until, {(name,): (length, length, 1.0, None)})})


def lines(*slices: Slice) -> tuple[tuple[tuple[float, float], ...], ...]:
    return lines_of(slices, "queues", ("a",), 0)


def test_looks_that_follow_each_other_are_one_line_with_each_point_in_its_middle() -> None:
    assert lines(look(0, 10, 1.0), look(10, 20, 0.0), look(20, 30, 3.0)) == (((5.0, 1.0), (15.0, 0.0), (25.0, 3.0)),)


@pytest.mark.parametrize("between", [(), (look(10, 20, None),), (look(10, 20, 5.0, "b"),), (Slice(20.0),)])
def test_what_nobody_saw_parts_two_lines(between: tuple[Slice, ...]) -> None:
    assert lines(look(0, 10, 1.0), *between, look(20, 30, 3.0)) == (((5.0, 1.0),), ((25.0, 3.0),))


@pytest.mark.parametrize(
    ("columns", "found"), [(("drain_s", "length"), ("length", 0)), (("oldest_s",), ("oldest_s", 3)), (("declared",), None), ((), None)]
)
def test_the_first_column_that_history_keeps_is_drawn(columns: tuple[str, ...], found: object) -> None:
    assert series_drawn(KEPT["queues"], columns) == found


def test_a_table_without_history_is_not_drawn() -> None:
    assert series_drawn(None, ("up",)) is None
