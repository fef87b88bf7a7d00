"""The page on a terminal: 80 columns are enough, for every panel and for long names."""

import re
from typing import Any

import pytest
from msgspec.structs import replace
from rich.cells import cell_len

from tests.unit.cli.status.builders import NOON, a_day, blind_target, bucket, shown_of
from tests.unit.cli.test_page import on_a_terminal
from watchdog.cli.output.page import Heading, Ink, Line, Panel, Sheet
from watchdog.cli.status.on_terminal import on_terminal
from watchdog.cli.status.page import status_page
from watchdog.core.history.trends import day_of
from watchdog.status.panels.trend import trend
from watchdog.status.shown import TargetShown
from watchdog.tables.history.kept import KEPT

ESCAPE = re.compile(r"\x1b\[[\d;]*m")


def lines(page: Any, monkeypatch: pytest.MonkeyPatch, columns: int = 80) -> list[str]:
    return ESCAPE.sub("", on_a_terminal(page, monkeypatch, COLUMNS=str(columns))).splitlines()


def long_names(shown: TargetShown) -> TargetShown:
    """The same with workers, queues and tasks whose names do not fit."""
    readings = {
        name: replace(reading, rows=tuple(replace(row, cells={**row.cells, "name": "x" * 90}) for row in reading.rows))
        for name, reading in shown.readings.items()
    }
    return replace(shown, readings=readings)


@pytest.mark.parametrize("columns", [80, 81, 100, 200])
def test_the_page_fits_the_terminal(monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    for shown in (shown_of(day=a_day(3)), long_names(shown_of(day=a_day())), blind_target("flower"), blind_target("redis")):
        drawn = lines(status_page([shown], (), "configuration x"), monkeypatch, columns)
        assert max(map(cell_len, drawn)) <= columns


def test_a_frame_has_its_title_on_the_left_and_its_note_on_the_right(monkeypatch: pytest.MonkeyPatch) -> None:
    [top, *_] = lines([Panel("queues", (Line.of("x"),), "3 waiting")], monkeypatch, 40)
    assert (top[:9], top[-12:], len(top)) == ("╭─ queues", "3 waiting ─╮", 40)


def test_elastic_columns_give_way_and_numbers_stay_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    sheet = Sheet((Heading("name", elastic=True), Heading("n", right=True)), (("a" * 60, "12,345"), ("b", "7")))
    drawn = lines([Panel("t", (sheet,))], monkeypatch, 40)
    assert drawn[2] == f"│ {'a' * 27}…  12,345 │"
    assert drawn[3].endswith("7 │")


@pytest.mark.parametrize("tasks", [1.0, 99.0, 1_184.0, 8_340.0, 99_900.0])
def test_the_chart_is_whole_however_many_tasks_ran(monkeypatch: pytest.MonkeyPatch, tasks: float) -> None:
    day = day_of([bucket(NOON - 300.0 * nth, tasks, tasks) for nth in range(287, -1, -1)], KEPT, NOON)
    drawn = lines([on_terminal(trend(shown_of(day=day)))], monkeypatch)
    assert not any("…" in line for line in drawn)
    assert {len(line) for line in drawn} == {80}


def test_a_sentence_is_folded_and_a_chart_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = lines([Panel("t", (Line.of(Ink("why " * 20, "odd")), Line.of("█" * 30, "█" * 30)))], monkeypatch, 40)
    assert sum("why" in line for line in drawn) == 3
    assert sum("█" in line for line in drawn) == 1
