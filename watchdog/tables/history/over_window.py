"""The tables over a window that only history reaches: the last look, with its windowed columns replaced by what history kept.

In: the readings of the last look, slices of history, the window, now. Out: readings. A windowed column that history does not keep is idle.
How much of the window was watched is said in the table's note.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

from msgspec.structs import replace

from watchdog.core.history.folding import fold_parts
from watchdog.core.history.series import Part, Slice, Value
from watchdog.core.history.trends import number_of
from watchdog.core.model.rows import Cell, Reading, Row, Table
from watchdog.core.model.sketch import Sketch, quantile
from watchdog.core.text.durations import format_duration
from watchdog.tables import TABLES
from watchdog.tables.history.kept import KEPT
from watchdog.tables.tasks.categories import category_of

__all__ = ["readings_over"]

MOSTLY = 0.98
"""The share of the window that must have been watched for nothing to be said of it."""
NOT_KEPT = "history does not keep it"
NOTHING = "history has nothing of this window"
QUANTILES = {"runtime_p50": 0.5, "runtime_p95": 0.95, "runtime_p99": 0.99}

Cells = dict[str, Cell]


def readings_over(readings: Mapping[str, Reading], slices: Iterable[Slice], window_s: float, now: float) -> dict[str, Reading]:
    """Return every reading over the window."""
    begin, parts = now - window_s, dict[str, list[Part]]()
    for one in slices:
        for name, part in one.parts.items():
            if part.until > begin:
                parts.setdefault(name, []).append(part)
    return {name: _over(TABLES[name], reading, parts, begin, now) for name, reading in readings.items() if name in TABLES}


def _over(table: Table, reading: Reading, parts: Mapping[str, list[Part]], begin: float, now: float) -> Reading:
    windowed = [column.name for column in table.columns if column.windowed]
    fill = FILLED.get(table.name)
    if not windowed:
        return reading
    source = OF_TASKS if table.name == "cluster" else table.name
    if fill is None or source not in parts:
        idle = dict.fromkeys(windowed, NOT_KEPT if fill is None else NOTHING)
        return replace(reading, rows=tuple(_without(row, idle) for row in reading.rows), idle={**reading.idle, **idle})
    watched_s = sum(max(min(part.until, now) - max(part.since, begin), 0.0) for part in parts[source])
    rows, filled = fill(reading, fold_parts(parts[source], KEPT[source]), watched_s)
    idle = {name: why for name, why in reading.idle.items() if name not in filled}
    idle |= {name: NOT_KEPT for name in windowed if name not in filled}
    left = tuple(_without(row, idle) for row in rows)
    return replace(reading, rows=left, idle=idle, unread=None, partial=None, note=_note(watched_s, now - begin))


def _without(row: Row, columns: Iterable[str]) -> Row:
    left_out = frozenset(columns)
    cells = {name: cell for name, cell in row.cells.items() if name not in left_out}
    return Row(cells, {name: why for name, why in row.gaps.items() if name not in left_out})


def _note(watched_s: float, window_s: float) -> str:
    if watched_s >= MOSTLY * window_s:
        return ""
    return f"history covers {format_duration(round(watched_s))} of {format_duration(round(window_s))}"


Filled = tuple[list[Row], frozenset[str]]
"""The rows, and the windowed columns that history fills."""


def _with(row: Row | None, key: Cells, cells: Cells) -> Row:
    """A row of the last look with these cells; a new one if it has none."""
    before = row if row is not None else Row({})
    gaps = {name: why for name, why in before.gaps.items() if name not in cells}
    gaps |= {name: "history: nothing measured within the window" for name, cell in cells.items() if cell is None}
    return Row({**before.cells, **key, **cells}, gaps)


def _tasks(reading: Reading, part: Part, watched_s: float) -> Filled:
    known = {str(row.cells["name"]): row for row in reading.rows}
    names = sorted({*known, *(name for (name,) in part.rows)})
    rows = [_with(known.get(name), {"name": name}, _task_cells(part.rows.get((name,), ()), watched_s)) for name in names]
    return rows, frozenset(_task_cells((), 1.0))


def _task_cells(values: Sequence[Value], watched_s: float) -> Cells:
    succeeded, failed, retried = (max(number_of(values, place) or 0.0, 0.0) for place in range(3))
    runtime, wait = (value if isinstance(value := values[place] if place < len(values) else None, Sketch) else Sketch() for place in (3, 4))
    finished = succeeded + failed
    nothing = 0.0 if not succeeded else None
    return {
        "succeeded": succeeded,
        "failed": failed,
        "retried": retried,
        "finished": finished,
        "error_rate": failed / finished if finished else 0.0,
        "retry_rate": retried / finished if finished else 0.0,
        "per_min": finished / watched_s * 60 if watched_s else 0.0,
        "runtime_avg": runtime.mean_s if runtime.count else nothing,
        **{name: quantile(runtime, share) if runtime.count else nothing for name, share in QUANTILES.items()},
        "wait_p95": quantile(wait, 0.95) if wait.count else nothing,
    }


def _errors(reading: Reading, part: Part, _: float) -> Filled:
    counts: dict[tuple[str, str], Counter[str]] = {}
    timed: dict[tuple[str, str], tuple[float, float]] = {}
    for (task, exception, queue), values in part.rows.items():
        count, known, seconds = (number_of(values, place) or 0.0 for place in range(3))
        counts.setdefault((task, exception), Counter())[queue] += int(count)
        before = timed.get((task, exception), (0.0, 0.0))
        timed[task, exception] = (before[0] + known, before[1] + seconds)
    of_task = Counter[str]()
    for (task, _exception), queues in counts.items():
        of_task[task] += queues.total()
    known_rows = {row.key(("task", "exception")): row for row in reading.rows}
    rows = []
    for kind, queues in counts.items():
        count, (measured, seconds) = queues.total(), timed[kind]
        cells: Cells = {
            "category": category_of(kind[1]),
            "queue": queues.most_common(1)[0][0] or None,
            "count": float(count),
            "share": count / of_task[kind[0]] if of_task[kind[0]] else 0.0,
            "duration_avg_s": seconds / measured if measured else None,
        }
        rows.append(_with(known_rows.get(kind), {"task": kind[0], "exception": kind[1]}, cells))
    return rows, frozenset({"count", "share", "duration_avg_s"})


def _cluster(reading: Reading, part: Part, watched_s: float) -> Filled:
    succeeded, failed = (sum(number_of(values, place) or 0.0 for values in part.rows.values()) for place in range(2))
    finished = max(succeeded + failed, 0.0)
    cells: Cells = {
        "finished": finished,
        "error_rate": max(failed, 0.0) / finished if finished else 0.0,
        "per_min": finished / watched_s * 60 if watched_s else 0.0,
    }
    return [_with(row, {}, cells) for row in reading.rows], frozenset(cells)


def _workers(reading: Reading, part: Part, watched_s: float) -> Filled:
    rows = []
    for row in reading.rows:
        took = number_of(part.rows.get((str(row.cells["name"]),), ()), 0)
        rows.append(_with(row, {}, {"processed_per_min": None if took is None or not watched_s else took / watched_s * 60}))
    return rows, frozenset({"processed_per_min"})


OF_TASKS = "tasks"
FILLED: Mapping[str, Callable[[Reading, Part, float], Filled]] = {
    "tasks": _tasks,
    "errors": _errors,
    "cluster": _cluster,
    "workers": _workers,
}
