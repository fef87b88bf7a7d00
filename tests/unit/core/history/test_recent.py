"""The last half hour of a figure as a line of a message."""

import pytest

from tests.builders.answers import NOW
from watchdog.core.history.recent import column_kept, recent_line, spark
from watchdog.core.history.series import Part, Slice
from watchdog.tables.history.kept import KEPT

QUEUES = KEPT["queues"]


def look(minutes_ago: int, length: float | None, name: str = "indexing") -> Slice:
    at = NOW - 60.0 * minutes_ago - 1
    return Slice(at, {"queues": Part(at - 10, at, {(name,): (length, length, 1.0, None)})})


HALF_HOUR = [look(29 - nth, float(nth)) for nth in range(30)]


def test_each_minute_is_a_character_as_high_as_its_value() -> None:
    assert recent_line(HALF_HOUR, QUEUES, ("indexing",), "length", NOW) == "length in 30m: ▁▁▁▁▁▁▂▂▂▂▃▃▃▄▄▄▄▅▅▅▆▆▆▆▇▇▇▇██ up to 29"


def test_a_minute_of_which_nothing_is_known_is_a_dot() -> None:
    holey = [one for nth, one in enumerate(HALF_HOUR) if nth not in (3, 4)]
    holey[10] = look(29 - 12, None)
    line = recent_line(holey, QUEUES, ("indexing",), "length", NOW)
    assert [nth for nth, letter in enumerate(line.partition(": ")[2][:30]) if letter == "·"] == [3, 4, 12]


@pytest.mark.parametrize(
    "slices", [[], HALF_HOUR[-2:], [look(nth, None) for nth in range(30)], [look(nth, 1.0, "training") for nth in range(30)]]
)
def test_what_is_hardly_known_has_no_line(slices: list[Slice]) -> None:
    assert recent_line(slices, QUEUES, ("indexing",), "length", NOW) == ""


def test_nothing_at_all_is_the_lowest_line() -> None:
    assert spark([0.0, 0.0, None, 0.0]) == "▁▁·▁"


@pytest.mark.parametrize(("columns", "found"), [(("consumers", "length"), "length"), (("oldest_s",), None), ((), None)])
def test_the_first_column_that_history_keeps_as_it_was_is_drawn(columns: tuple[str, ...], found: str | None) -> None:
    assert column_kept(QUEUES, columns) == found


def test_a_table_without_history_is_not_drawn() -> None:
    assert column_kept(None, ("up",)) is None
