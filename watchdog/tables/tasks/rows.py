"""The cells of a task: counts over the window, the evidence from its last runs, and its failures.

Input: what is remembered, the samples within the window. Output: a row.
"""

from collections import Counter
from collections.abc import Mapping

from watchdog.core.model.rows import Cell, Row, Sample
from watchdog.tables.tasks.counters import TaskCounters
from watchdog.tables.tasks.expired import ExpiredRow
from watchdog.tables.tasks.failure_rates import Evidence, interval
from watchdog.tables.tasks.failures import Failures
from watchdog.tables.tasks.listed import EVENTS

__all__ = ["COUNTS", "IN_A_ROW", "PROVED", "failure_cells", "task_row", "without_counts"]

PROVED = (
    "failure_odds",
    "over_odds",
    "suspect_runs",
    "suspect_failed",
    "error_rate_low",
    "error_rate_high",
    "failed_in_a_row",
    "has_succeeded",
)
COUNTS = (*EVENTS, "finished", "error_rate", "retry_rate", "per_min")
IN_A_ROW = ("expired_in_a_row", "expired_row_s", "expired_row_usual")


def task_row(
    name: str,
    memory: TaskCounters,
    samples: list[Sample],
    watched_s: float,
    now: float,
    idle: Mapping[str, str],
    told: Mapping[str, tuple[Cell, str]],
) -> Row:
    """Return one task's row. `samples`: those within the window, over `watched_s`; `told`: cells from lists, each with its gap reason."""
    totals = _totals(name, samples)
    finished = totals["succeeded"] + totals["failed"]
    cells: dict[str, Cell] = {
        "name": name,
        **totals,
        "most_redelivered": float(memory.outcomes.most_again(name)),
        "finished": finished,
        "error_rate": totals["failed"] / finished if finished else 0.0,
        "retry_rate": totals["retried"] / finished if finished else 0.0,
        "per_min": finished / watched_s * 60 if watched_s else 0.0,
        **_proved(name, memory, now),
        **_in_a_row(memory.expired_rows.get(name) or ExpiredRow(), now),
        "last_success_s": max(now - memory.last_success[name], 0.0) if name in memory.last_success else 0.0,
        "last_seen_s": max(now - memory.last_seen[name], 0.0),
        **{column: cell for column, (cell, _) in told.items()},
    }
    known = {column: cell for column, cell in cells.items() if column not in idle}
    return Row(known, {column: told[column][1] for column, cell in known.items() if cell is None})


def _totals(name: str, samples: list[Sample]) -> dict[str, float]:
    totals = dict.fromkeys(EVENTS, 0.0)
    for sample in samples:
        for event, number in zip(EVENTS, sample.values.get(name, ()), strict=False):
            totals[event] += number or 0.0
    return {event: max(number, 0.0) for event, number in totals.items()}  # a failure may get its name later than it is counted


def _proved(name: str, memory: TaskCounters, now: float) -> dict[str, Cell]:
    found, habit = memory.evidence.get(name) or Evidence(), memory.habits.get(name)
    failed, finished = found.runs
    low, high = interval(failed, finished)
    return {
        "failure_odds": found.odds,
        "over_odds": found.over_odds,
        "suspect_runs": finished,
        "suspect_failed": failed,
        "error_rate_low": low,
        "error_rate_high": high,
        "failed_in_a_row": found.failed_in_a_row,
        "has_succeeded": found.has_succeeded,
        "usual_error_rate": habit.rate(now) if habit is not None else 0.0,
    }


def _in_a_row(row: ExpiredRow, now: float) -> dict[str, Cell]:
    count = row.now(now)
    return dict(zip(IN_A_ROW, (count, max(now - row.began, 0.0) if count else 0.0, row.longest), strict=True))


def without_counts(row: Row, why: str) -> Row:
    """Return a row of which nothing is known that was counted."""
    blind = (*COUNTS, *PROVED, *IN_A_ROW)
    return Row({**row.cells, **dict.fromkeys(blind)}, {**row.gaps, **dict.fromkeys(blind, why)})


def failure_cells(name: str, failures: Failures, unlisted: str) -> dict[str, tuple[Cell, str]]:
    """Return the most frequent exception of its last failures, and the last example. `unlisted`: why Flower does not list failures."""
    mine = failures.of(name)[-50:]
    if not mine:
        return dict.fromkeys(("exception", "example"), (None, unlisted) if unlisted else ("", ""))
    exception = Counter(failure.exception for failure in mine).most_common(1)[0][0]
    example = next(f.example for f in reversed(mine) if f.exception == exception)
    return {"exception": (exception, ""), "example": (example, "")}
