"""The page on a terminal: 80 columns are enough, for every panel and for long names."""

import re
from typing import Any

import pytest
from msgspec.structs import replace
from rich.cells import cell_len

from tests.unit.cli.output.test_page import on_a_terminal
from tests.unit.cli.status.builders import NOON, a_day, blind_target, bucket, shown_of
from watchdog.cli.output.page import Heading, Ink, Line, Panel, Sheet
from watchdog.cli.status.on_terminal import on_terminal
from watchdog.cli.status.page import status_page
from watchdog.core.history.trends import day_of
from watchdog.status.panels.tables import queues, workers
from watchdog.status.panels.trend import trend
from watchdog.status.shown import TargetShown
from watchdog.tables.history.kept import KEPT

ESCAPE = re.compile(r"\x1b\[[\d;]*m")


def lines(page: Any, monkeypatch: pytest.MonkeyPatch, columns: int = 80, **environ: str) -> list[str]:
    return ESCAPE.sub("", on_a_terminal(page, monkeypatch, COLUMNS=str(columns), **environ)).splitlines()


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


def test_columns_that_can_be_spared_are_left_out_before_others_become_unreadable(monkeypatch: pytest.MonkeyPatch) -> None:
    headings = (Heading("name", elastic=True), Heading("first to go", spare=2), Heading("kept"), Heading("then this", spare=1))
    sheet = Sheet(headings, (("a" * 30, "1", "2", "3"),))
    heads = [lines([Panel("t", (sheet,))], monkeypatch, width)[1] for width in (60, 44, 28)]
    assert [[word in head for word in ("name", "first to go", "kept", "then this")] for head in heads] == [
        [True, True, True, True], [True, False, True, True], [True, False, True, False],
    ]  # fmt: skip


def test_at_80_columns_every_cell_of_queues_and_workers_is_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = lines([on_terminal(panel(shown_of(day=a_day()))) for panel in (workers, queues)], monkeypatch)
    assert not any("…" in line for line in drawn)


def test_on_a_wide_terminal_panels_stand_side_by_side(monkeypatch: pytest.MonkeyPatch) -> None:
    panels = [Panel(name, (Line.of("x"),)) for name in ("one", "two", "three")]
    drawn = lines(panels, monkeypatch, 161)
    assert [[name in line for name in ("one", "two", "three")] for line in (drawn[0], drawn[3])] == [
        [True, True, False], [False, False, True],
    ]  # fmt: skip
    assert "two" not in lines(panels, monkeypatch, 160)[0]


@pytest.mark.parametrize(
    "environ", [{"TERM": "linux"}, {"TERM": "dumb"}, {"LANG": "C"}, {"LC_ALL": "POSIX", "LANG": "de_DE.UTF-8"}], ids=str
)
def test_a_terminal_that_draws_no_frames_gets_ascii(monkeypatch: pytest.MonkeyPatch, environ: dict[str, str]) -> None:
    page = status_page([shown_of(day=a_day(3))], (), "configuration x")
    assert "".join(lines(page, monkeypatch, 80, **environ)).isascii()


@pytest.mark.parametrize("environ", [{}, {"LANG": "C.UTF-8"}, {"LC_ALL": "de_DE.UTF-8", "LANG": "C"}], ids=str)
def test_any_other_gets_frames(monkeypatch: pytest.MonkeyPatch, environ: dict[str, str]) -> None:
    assert lines([Panel("queues", (Line.of("x"),))], monkeypatch, 80, **environ)[0].startswith("╭─ queues")
