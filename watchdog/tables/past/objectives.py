"""`objectives`: one row per `[[target.objective]]`, with how much of its error budget is left and how fast that burns.

In: what `tasks` reads. Out: rows, and a tally per objective. A wait is known of a run that was heard to succeed, or that Flower lists, and
whose sender reported when it was sent; of a busy task Flower lists some runs only, which stand for all. Nothing that happened before
watchdog began to look counts. A burn rate is how many times faster than allowed the budget is used (Google's Site Reliability
Workbook, chapter 5).
"""

from collections.abc import Iterable, Mapping
from math import inf

from msgspec import Struct, field

from watchdog.core.history.tally import Tally, added, counted
from watchdog.core.model.queries import Query
from watchdog.core.model.rows import Asking, Cell, Column, Kind, Look, Reading, Row, Table
from watchdog.core.model.servers.timings import Timing
from watchdog.core.model.sketch import up_to
from watchdog.core.model.target import Objective, matches
from watchdog.tables.past.runs import Ended, ended_now, new_runs
from watchdog.tables.tasks.counters import NTH, TaskCounters
from watchdog.tables.tasks.runtimes import runtimes_due

__all__ = ["TABLE", "Counting", "ObjectivesSeen"]

N = Kind.NUMBER
BURNS = {"burn_5m": 300.0, "burn_30m": 1800.0, "burn_1h": 3600.0, "burn_6h": 6 * 3600.0}
COLUMNS = (
    Column("name", Kind.TEXT, "its name: as configured, else that of its queue or task"),
    Column("what", Kind.TEXT, "what is promised", allowed=("start in time", "succeed")),
    Column("objective", N, "the share that is promised", "ratio"),
    Column("max_wait_s", N, "within which they must start after they were sent; 0 where success is promised", "s", 0.0),
    Column("over_s", N, "over which time", "s"),
    Column("watched_s", N, "how much of that time it has been counted for", "s", 0.0),
    Column("runs", N, "runs counted over that time", "runs", 0.0),
    Column("missed", N, "those of them that started late, or failed", "runs", 0.0),
    Column("share", N, "the share that was kept; 1 without runs", "ratio", 1.0),
    Column("budget_left", N, "how much of what may be missed is left; negative where more was missed; 1 without runs", "ratio", 1.0),
    *(Column(name, N, f"over the last {name[5:]}: how many times faster than the budget lasts; 0 without runs", "", 0.0) for name in BURNS),
    Column("missed_1h", N, "missed within the last hour", "runs", 0.0),
    Column("missed_6h", N, "missed within the last 6 hours", "runs", 0.0),
    Column("gone_in_s", N, "until the budget is gone, if the next hours are as the last one; infinite where nothing was missed", "s", inf),
)
COUNTED = tuple(column.name for column in COLUMNS[5:])
NOT_SENT = "the senders of {task} do not report when and where it is sent (task_send_sent_event is off)"


class Counting(Struct, frozen=True):
    """What was counted for one objective since `since` (epoch seconds)."""

    since: float
    tally: Tally = Tally()


class ObjectivesSeen(Struct, frozen=True):
    """The memory of the table. `counting`: `Objective.counts` -> what was counted. `listed`: task -> when its last listed runs ended."""

    counting: Mapping[str, Counting] = field(default_factory=dict)
    listed: Ended = field(default_factory=dict)


def asks(asking: Asking) -> Iterable[Query]:
    """Return the queries of the last runs of tasks, if a wait is promised; counters are read by `tasks`."""
    memory = asking.memories.get("tasks")
    waits = any(one.max_wait_s is not None for one in asking.target.objectives)
    if not waits or not isinstance(memory, TaskCounters) or not asking.demand.wants("objectives"):
        return []
    return runtimes_due(asking, memory.runtimes, memory.last_success)


def read(look: Look) -> Reading:
    """Return one row per objective; what cannot be counted now is a gap of all its figures."""
    if not look.target.objectives:
        return Reading(idle={column.name: "no [[target.objective]] is configured" for column in COLUMNS})
    before = look.memory if isinstance(look.memory, ObjectivesSeen) else ObjectivesSeen()
    tasks = look.before["tasks"]
    memory = tasks.memory if isinstance(tasks.memory, TaskCounters) else TaskCounters()
    counting, rows = {}, list[Row]()
    idle = dict.fromkeys(COUNTED, tasks.idle["finished"]) if "finished" in tasks.idle else {}
    for one in look.target.objectives:
        known = before.counting.get(one.counts) or Counting(look.now)
        well, missed, why = (_outcomes if one.max_wait_s is None else _waits)(one, known, before, memory, tasks)
        unknown = tasks.unread or tasks.missing or why
        now = Counting(known.since, added(known.tally, well, missed, look.now, one.over_s))
        counting[one.counts] = now
        rows.append(_row(one, now, look.now, unknown))
    listed = ended_now(memory.runtimes, before.listed)
    of_interest = any(one.max_wait_s is not None for one in look.target.objectives)
    return Reading(_without(rows, idle), idle=idle, memory=ObjectivesSeen(counting, listed if of_interest else {}))


Counts = tuple[float, float, str]
"""What went well and what was missed since the look before, and why they are unknown; empty if they are known."""


def _outcomes(one: Objective, _: Counting, __: ObjectivesSeen, ___: TaskCounters, tasks: Reading) -> Counts:
    """Count the runs that ended since the look before."""
    values = {} if tasks.sample is None else tasks.sample.values
    of_task = [numbers for task, numbers in values.items() if len(numbers) > NTH["failed"] and matches(task, (one.task or "",))]
    succeeded, failed = (sum(numbers[NTH[event]] or 0.0 for numbers in of_task) for event in ("succeeded", "failed"))
    return max(succeeded, 0.0), max(failed, 0.0), ""


def _waits(one: Objective, known: Counting, before: ObjectivesSeen, memory: TaskCounters, tasks: Reading) -> Counts:
    """Count the runs that were heard or listed since the look before and began to be watched."""
    well, missed = _heard_waits(one, tasks) if one.counts in before.counting else (0.0, 0.0)
    seen = [{*timed.queues} for timed in memory.runtimes.values()] + [_queues(timing) - {None} for timing in tasks.timings.values()]
    told = one.task is None and any(one.queue in queues for queues in seen)
    unsent = [task for task, timing in tasks.timings.items() if _queues(timing) == {None} and matches(task, (one.task or "*",))]
    why = NOT_SENT.format(task=unsent[0]) if unsent and not told else ""
    for task, timed in memory.runtimes.items():
        if one.task is not None and not matches(task, (one.task,)):
            continue
        why = why or timed.gap
        new = [came for _, came in new_runs(timed, task, before.listed, known.since)]
        waited = [wait for queue, wait in new if wait is not None and (one.queue is None or queue == one.queue)]
        missed += sum(wait > (one.max_wait_s or 0.0) for wait in waited)
        well += sum(wait <= (one.max_wait_s or 0.0) for wait in waited)
        watched = [came for run, came in zip(timed.runs, timed.came, strict=False) if run[0] >= known.since]
        if watched and not told and all(queue is None for queue, _wait in watched):
            why = why or NOT_SENT.format(task=task)
    return well, missed, why


def _heard_waits(one: Objective, tasks: Reading) -> tuple[float, float]:
    """Return how many of the runs that this look has heard of started in time, and how many did not."""
    well = total = 0
    for task, timing in tasks.sample.timings.items() if tasks.sample is not None else ():
        for came in timing.came if one.task is None or matches(task, (one.task,)) else ():
            if one.queue is None or came.queue == one.queue:
                well += up_to(came.waits, one.max_wait_s or 0.0)
                total += came.waits.count
    return float(well), float(total - well)


def _queues(timing: Timing) -> set[str | None]:
    return {came.queue for came in timing.came}


def _row(one: Objective, counting: Counting, now: float, unknown: str) -> Row:
    well, missed = counted(counting.tally, now, one.over_s)
    runs, allowed = well + missed, 1.0 - one.share
    burns = {name: _burn(counting.tally, now, window_s, allowed) for name, window_s in BURNS.items()}
    left = 1.0 - missed / runs / allowed if runs else 1.0
    cells: dict[str, Cell] = {
        "name": one.name,
        "what": "succeed" if one.max_wait_s is None else "start in time",
        "objective": one.share,
        "max_wait_s": one.max_wait_s or 0.0,
        "over_s": one.over_s,
        "watched_s": min(max(now - counting.since, 0.0), one.over_s),
        "runs": runs,
        "missed": missed,
        "share": well / runs if runs else 1.0,
        "budget_left": left,
        **burns,
        "missed_1h": counted(counting.tally, now, 3600.0)[1],
        "missed_6h": counted(counting.tally, now, 6 * 3600.0)[1],
        "gone_in_s": max(left, 0.0) * one.over_s / burns["burn_1h"] if burns["burn_1h"] else inf,
    }
    if not unknown:
        return Row(cells)
    return Row({**cells, **dict.fromkeys(COUNTED)}, dict.fromkeys(COUNTED, unknown))


def _without(rows: Iterable[Row], idle: Mapping[str, str]) -> tuple[Row, ...]:
    """Return the rows without what is idle."""
    if not idle:
        return tuple(rows)
    return tuple(Row({name: cell for name, cell in row.cells.items() if name not in idle}) for row in rows)


def _burn(tally: Tally, now: float, window_s: float, allowed: float) -> float:
    well, missed = counted(tally, now, window_s)
    return missed / (well + missed) / allowed if missed else 0.0


TABLE = Table(
    "objectives", "a promise of how many tasks start in time or succeed", ("name",), COLUMNS, asks, read, ObjectivesSeen, needs=("tasks",)
)
