"""`usual`: one row per task and per queue, with how much is done of it now and usually at this hour, and how long its runs take and took.

In: the rows of `tasks` and `queues`, and the runs that `tasks` has heard of or remembers from lists. Out: rows, and what is usual. It is
learned only while a rule reads the table: a week of hours by the day's clock, and the runtimes of one day to compare the next with.
"""

from collections.abc import Iterable, Mapping

from msgspec import Struct, field

from watchdog.core.history.hours import Hours, usual_at, with_rate
from watchdog.core.model.demand import NOT_READ
from watchdog.core.model.queries import Query
from watchdog.core.model.rows import Asking, Cell, Column, Key, Kind, Look, Reading, Row, Table
from watchdog.core.model.servers.timings import Timing
from watchdog.core.model.sketch import Sketch, merged, quantile, sketch_of
from watchdog.tables.past.runs import Ended, ended_now, new_runs
from watchdog.tables.tasks.counters import TaskCounters
from watchdog.tables.tasks.names import NAMELESS
from watchdog.tables.tasks.runtimes import TimedTask, runtimes_due

__all__ = ["TABLE", "Habits", "Took"]

N = Kind.NUMBER
TASK, QUEUE = "task", "queue"
COLUMNS = (
    Column("what", Kind.TEXT, "what it is a row of", allowed=(TASK, QUEUE)),
    Column("name", Kind.TEXT, "its name"),
    Column("per_min", N, "tasks finished a minute", "1/min", 0.0, windowed=True),
    Column("usual_per_min", N, "at this hour of the day, the median of the last 7 days on which it was watched; 0 before", "1/min", 0.0),
    Column("least_per_min", N, "the least of these days", "1/min", 0.0),
    Column("days", N, "how many these are", "days", 0.0),
    Column("length", N, "of a queue: messages that wait", "messages", 0.0),
    Column("runs", N, "of a task: its successes within the window, as far as they are heard or listed", "runs", 0.0, windowed=True),
    Column("runtime_p95", N, "their runtime, 95th percentile", "s", 0.0, windowed=True),
    Column("usual_runs", N, "successes of the day before, as far as they were heard or listed; 0 before a day was watched", "runs", 0.0),
    Column("usual_runtime_p95", N, "their runtime, 95th percentile", "s", 0.0),
)
FIGURES = tuple(column.name for column in COLUMNS if column.name not in ("what", "name"))
OF_RUNS = ("runs", "runtime_p95", "usual_runs", "usual_runtime_p95")
DAY_S = 86400.0
MOST = 200
"""Of so many tasks, and queues, habits are kept: the busiest."""
STEPS = 3
"""Looks further apart than so many intervals leave a gap."""


class Took(Struct, frozen=True):
    """How long a task's runs took: of the day that began at `since` (epoch seconds), and of the day before."""

    since: float
    today: Sketch = field(default_factory=Sketch)
    before: Sketch = field(default_factory=Sketch)


class Habits(Struct, frozen=True):
    """The memory of the table."""

    looked_at: float | None = None
    tasks: Mapping[str, Hours] = field(default_factory=dict)
    queues: Mapping[str, Hours] = field(default_factory=dict)
    took: Mapping[str, Took] = field(default_factory=dict)
    ended: Ended = field(default_factory=dict)


def asks(asking: Asking) -> Iterable[Query]:
    """Return the queries of the last runs of tasks, if somebody reads how long they take."""
    memory = asking.memories.get("tasks")
    if not isinstance(memory, TaskCounters) or asking.target.without_tasks or not asking.demand.wants("usual", *OF_RUNS):
        return []
    return runtimes_due(asking, memory.runtimes, memory.last_success)


def read(look: Look) -> Reading:
    """Return a row for each task, and each queue, that is known now."""
    why = look.target.without_tasks
    if why or not look.demand.wants("usual"):
        return Reading(idle={column.name: why or NOT_READ for column in COLUMNS})
    before = look.memory if isinstance(look.memory, Habits) else Habits()
    tasks, queues = look.before["tasks"], look.before["queues"]
    memory = tasks.memory if isinstance(tasks.memory, TaskCounters) else TaskCounters()
    step_s = _step(before, look)
    habits = Habits(
        look.now,
        _learned(before.tasks, tasks, "per_min", step_s, look.now),
        _learned(before.queues, queues, "finished_per_min", step_s, look.now),
        _took(before, memory.runtimes, tasks, look.now),
        ended_now(memory.runtimes, before.ended),
    )
    rows = [_row(TASK, row, "per_min", habits.tasks, habits, tasks, look) for row in tasks.rows if row.cells["name"] != NAMELESS]
    rows += [_row(QUEUE, row, "finished_per_min", habits.queues, habits, tasks, look) for row in queues.rows]
    idle = {"per_min": tasks.idle["per_min"]} if "per_min" in tasks.idle else {}
    forgotten: frozenset[Key] = frozenset({(TASK, *key) for key in tasks.forgotten} | {(QUEUE, *key) for key in queues.forgotten})
    missing = tasks.missing or queues.missing
    unread = {TASK: tasks.unread, QUEUE: queues.unread}
    rows = [_blind(row, reason) if (reason := unread[str(row.cells["what"])]) else row for row in rows]
    shown = tuple(_without(row, idle) for row in rows)
    return Reading(
        shown, unread=tasks.unread, partial=tasks.partial or queues.unread, missing=missing, idle=idle, memory=habits, forgotten=forgotten
    )


def _step(before: Habits, look: Look) -> float:
    since = look.now - (look.now if before.looked_at is None else before.looked_at)
    return since if 0 < since <= STEPS * look.target.interval_s else 0.0


def _learned(before: Mapping[str, Hours], reading: Reading, column: str, step_s: float, now: float) -> dict[str, Hours]:
    """Return the hours of each row; of one whose rate is unknown now, and of a table that was not read, as they were."""
    rates = {str(row.cells["name"]): rate for row in reading.rows if isinstance(rate := row.cells.get(column), float)}
    learned = {name: with_rate(before.get(name, Hours()), rate, step_s, now) for name, rate in rates.items() if name != NAMELESS}
    kept = {**before, **learned}
    if len(kept) <= MOST:
        return kept
    busiest = sorted(kept, key=lambda name: -max((max(rates, default=0.0) for rates in kept[name].rates), default=0.0))
    return {name: kept[name] for name in busiest[:MOST]}


def _took(before: Habits, runtimes: Mapping[str, TimedTask], tasks: Reading, now: float) -> dict[str, Took]:
    since = now if before.looked_at is None else 0.0
    heard = tasks.sample.timings if tasks.sample is not None and before.looked_at is not None else {}
    found = {}
    for task in [name for row in tasks.rows if (name := str(row.cells["name"])) != NAMELESS]:
        if task not in runtimes and task not in heard and task not in before.took:
            continue
        known = before.took.get(task) or Took(now)
        runs = new_runs(runtimes[task], task, before.ended, since) if task in runtimes else []
        new = merged([heard.get(task, Timing()).runtimes, sketch_of(run[1] for run, _ in runs if run[1] is not None)])
        today = merged((known.today, new)) if new.count else known.today
        found[task] = Took(now, Sketch(), today) if not 0 <= now - known.since < DAY_S else Took(known.since, today, known.before)
    return found


def _row(what: str, of: Row, column: str, learned: Mapping[str, Hours], habits: Habits, tasks: Reading, look: Look) -> Row:
    name = str(of.cells["name"])
    hour = usual_at(learned.get(name, Hours()), look.now)
    took = habits.took.get(name) if what == TASK else None
    ran, unlisted = _ran(name, tasks, look) if what == TASK else (Sketch(), "")
    usually = took.before if took is not None else Sketch()
    cells: dict[str, Cell] = {
        "what": what,
        "name": name,
        "per_min": of.cells.get(column),
        "usual_per_min": hour.per_min,
        "least_per_min": hour.least_per_min,
        "days": float(hour.days),
        "length": of.cells.get("length") if what == QUEUE else 0.0,
        "runs": float(ran.count),
        "runtime_p95": _p95(ran),
        "usual_runs": float(usually.count),
        "usual_runtime_p95": _p95(usually),
    }
    gaps = {"per_min": of.gaps.get(column, "not read in this poll"), "length": of.gaps.get("length", "not read in this poll")}
    gaps = {name: why for name, why in gaps.items() if cells[name] is None}
    if unlisted:
        cells["runs"] = cells["runtime_p95"] = None
        gaps |= {"runs": unlisted, "runtime_p95": unlisted}
    return Row(cells, gaps)


def _ran(task: str, tasks: Reading, look: Look) -> tuple[Sketch, str]:
    """Return how long its runs within the window took, that were heard or that Flower lists; or why that is not known."""
    heard = tasks.timings.get(task, Timing())
    timed = tasks.memory.runtimes.get(task) if isinstance(tasks.memory, TaskCounters) else None
    if timed is None:
        return heard.runtimes, ""
    listed = sketch_of(run[1] for run in timed.runs if run[1] is not None and look.now - run[0] <= look.window_s)
    return merged([heard.runtimes, listed]), "" if heard.count else timed.gap


def _p95(sketch: Sketch) -> float:
    return (quantile(sketch, 0.95) or 0.0) if sketch.count else 0.0


def _blind(row: Row, why: str) -> Row:
    return Row({**row.cells, **dict.fromkeys(FIGURES)}, dict.fromkeys(FIGURES, why))


def _without(row: Row, idle: Mapping[str, str]) -> Row:
    if not idle:
        return row
    cells = {name: cell for name, cell in row.cells.items() if name not in idle}
    return Row(cells, {name: why for name, why in row.gaps.items() if name not in idle})


TABLE = Table("usual", "a task or a queue, beside its own past", ("what", "name"), COLUMNS, asks, read, Habits, needs=("tasks", "queues"))
