"""The lines of the objectives below the queues, on a terminal."""

from watchdog.core.model.rows import Cell, Reading, Row
from watchdog.status.panel import Ink, Line
from watchdog.status.panels.objectives import objective_lines
from watchdog.status.shown import TargetShown

KEPT: dict[str, Cell] = {
    "name": "indexing", "what": "start in time", "objective": 0.99, "max_wait_s": 300.0, "runs": 10_200.0, "share": 0.996,
    "budget_left": 0.6, "burn_1h": 0.2,
}  # fmt: skip


def said(*rows: Row) -> list[str]:
    return [_text(line) for line in objective_lines(TargetShown("prod", 0.0, {"objectives": Reading(rows)}))]


def _text(line: Line) -> str:
    return "".join(piece.text if isinstance(piece, Ink) else str(piece) for piece in line.pieces)


def test_what_was_kept_and_what_is_left_is_one_line() -> None:
    assert said(Row(KEPT)) == ["objective indexing: 99.6 % of 10,200 start within 5m, 99 % promised; 60 % of its error budget left"]


def test_a_budget_that_burns_too_fast_says_how_fast() -> None:
    assert said(Row({**KEPT, "burn_1h": 14.4}))[0].endswith("60 % of its error budget left, burns 14.4 times too fast")


def test_a_budget_that_is_used_up_says_so_and_stands_first() -> None:
    used_up = Row({**KEPT, "name": "pay", "what": "succeed", "budget_left": -0.5, "share": 0.985})
    assert said(Row(KEPT), used_up)[0] == "objective pay: 98.5 % of 10,200 succeed, 99 % promised; its error budget is used up"


def test_before_the_first_run_nothing_is_claimed_to_be_kept() -> None:
    fresh = Row({**KEPT, "runs": 0.0, "share": 1.0, "budget_left": 1.0, "burn_1h": 0.0})
    assert said(fresh) == ["objective indexing: 99 % are to start within 5m, no run yet; 100 % of its error budget left"]


def test_where_nobody_knows_the_reason_stands_there() -> None:
    blind = Row({**KEPT, "budget_left": None, "share": None}, {"budget_left": "flower: 503", "share": "flower: 503"})
    assert said(blind) == ["objective indexing: ? flower: 503"]


def test_without_objectives_there_is_no_line() -> None:
    assert said() == []
