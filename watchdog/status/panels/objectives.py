"""One line for each objective: what share was kept, and what is left of its error budget. They stand below the queues."""

from collections.abc import Iterator

from watchdog.core.model.rows import Row
from watchdog.core.text.phrasing import FILTERS
from watchdog.status.numbers import short
from watchdog.status.panel import Ink, Line
from watchdog.status.shown import TargetShown

__all__ = ["objective_lines"]

LOW = 0.25
"""With less of its budget left, an objective stands out."""
FAST = 1.0
"""A burn rate above which the budget does not last."""


def objective_lines(shown: TargetShown) -> Iterator[Line]:
    """The objectives, those in trouble first; nothing where none is configured."""
    rows = shown.table("objectives").rows
    known = [row for row in rows if isinstance(row.cells.get("budget_left"), float)]
    unknown = [row for row in rows if row not in known]
    yield from (_kept(row) for row in sorted(known, key=lambda row: _number(row, "budget_left")))
    for row in unknown:
        why = row.gaps.get("budget_left", "not looked at often enough yet")
        yield Line.of(f"objective {row.cells['name']}: ", Ink(f"? {why}", "odd"))


def _kept(row: Row) -> Line:
    left, burn = _number(row, "budget_left"), _number(row, "burn_1h")
    budget = f"{max(left, 0.0) * 100:.0f} % of its error budget left" if left > 0 else "its error budget is used up"
    burning = f", burns {short(burn)} times too fast" if burn > FAST else ""
    tone = "bad" if left <= 0 else "odd" if left < LOW or burning else "good"
    return Line.of(f"objective {row.cells['name']}: ", f"{_said(row)}; ", Ink(budget + burning, tone))


def _said(row: Row) -> str:
    wait = f"start within {FILTERS['duration'](row.cells['max_wait_s'])}" if row.cells.get("what") == "start in time" else "succeed"
    if not _number(row, "runs"):
        return f"{_percent(row, 'objective')} are to {wait}, no run yet"
    return f"{_percent(row, 'share')} of {short(_number(row, 'runs'))} {wait}, {_percent(row, 'objective')} promised"


def _percent(row: Row, column: str) -> str:
    return FILTERS["percent_down"](_number(row, column)).replace("%", " %")


def _number(row: Row, column: str) -> float:
    cell = row.cells.get(column)
    return cell if isinstance(cell, float) else 0.0
