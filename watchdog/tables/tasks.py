"""`tasks`: a row a task name, counted over the rule's window from the differences of Flower's event counters.

A first look has no difference yet: there the last tasks that Flower lists are counted (`tasks_listed`), where somebody reads the counts.

Counters are a lower bound: Flower loses events above some 2,500 a second (measured). A restarted Flower counts from 0,
a vanished series is forgotten, and a difference whose ends lie further apart than the window is dropped.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from watchdog.core.demand import NOT_READ, Demand
from watchdog.core.gaps import Gap
from watchdog.core.queries import Query, ReadEventCounters
from watchdog.core.replies import EventCounters, TaskSeen
from watchdog.core.rows import Asking, Cell, Column, Kind, Look, Reading, Row, Sample, Table
from watchdog.core.target import Target, covers
from watchdog.tables.history import within
from watchdog.tables.task_runtimes import RUNTIMES, TimedTask, runtime_cells, runtimes_due, runtimes_now
from watchdog.tables.tasks_listed import EVENTS, RECENT, SPAN, Earlier, earlier_of, still_of_use

__all__ = ["TABLE", "TaskCounters"]

COUNTS = (*EVENTS, "finished", "error_rate", "retry_rate", "per_min")
OF_CLUSTER = ("per_min", "error_rate", "finished")
CLOCKS_APART_S = 60.0
"""How far Flower's clock may be behind ours before a restart of it is taken for another Flower."""
N = Kind.NUMBER

COLUMNS = (
    Column("name", Kind.TEXT, "the task's name"),
    *(Column(event, N, f"tasks {event} within the window", "tasks", 0.0, windowed=True) for event in EVENTS),
    Column("finished", N, "succeeded and failed within the window", "tasks", 0.0, windowed=True),
    Column("error_rate", N, "failed of finished", "ratio", 0.0, windowed=True),
    Column("retry_rate", N, "retried of finished", "ratio", 0.0, windowed=True),
    Column("per_min", N, "finished a minute", "1/min", 0.0, windowed=True),
    Column("runtime_avg", N, "runtime of its last 100 successes within the window, average", "s", 0.0, windowed=True),
    *(Column(f"runtime_p{nth}", N, f"the same, {nth}th percentile", "s", 0.0, windowed=True) for nth in (50, 95, 99)),
    Column(
        "wait_p95", N, "how long they were in their worker before they started (an ETA included), 95th percentile", "s", 0.0, windowed=True
    ),
    Column("last_success_s", N, "since it was last seen to succeed", "s", 0.0),
    Column("last_seen_s", N, "since anything of it was last seen", "s", 0.0),
)


@dataclass(frozen=True, slots=True)
class TaskCounters:
    """What the `tasks` table remembers: the counters as last read, and when each task last did something (epoch seconds).

    `counts`: worker -> task -> event -> count.
    """

    read_at: float | None = None
    started_at: float | None = None
    counts: Mapping[str, Mapping[str, Mapping[str, float]]] = field(default_factory=dict)
    last_success: Mapping[str, float] = field(default_factory=dict)
    last_seen: Mapping[str, float] = field(default_factory=dict)
    runtimes: Mapping[str, TimedTask] = field(default_factory=dict)
    earlier: tuple[Sample, ...] = ()
    """What happened in the hour before the first look, as far as Flower listed it."""


def asks(asking: Asking) -> Iterable[Query]:
    """The counters, as often as their answer is renewed; for counts, in a first look, the last tasks; for runtimes the last successes."""
    if "flower" not in asking.target.sources:
        return []
    memory = asking.memory if isinstance(asking.memory, TaskCounters) else TaskCounters()
    recent = [RECENT] if memory.read_at is None and _counts_wanted(asking.demand) else []
    return [*recent, ReadEventCounters(), *(_runtimes_due(asking, memory) if asking.demand.wants("tasks", *RUNTIMES) else ())]


def _counts_wanted(demand: Demand) -> bool:
    return demand.wants("tasks", *COUNTS) or demand.wants("cluster", *OF_CLUSTER)


def _runtimes_due(asking: Asking, memory: TaskCounters) -> Iterable[Query]:
    if memory.read_at is not None:
        return runtimes_due(memory.runtimes, memory.last_success, None, asking.now)
    counters = asking.replies.get(ReadEventCounters(), EventCounters)
    return [] if isinstance(counters, Gap) else runtimes_due({}, {}, _successes(counters, asking.target), asking.now)


def _successes(counters: EventCounters, target: Target) -> dict[str, float]:
    """Task -> how often it succeeded since Flower's start on this target's workers."""
    totals: dict[str, float] = {}
    for (worker, task, event), count in counters.counts.items():
        if task and event == "succeeded" and count and covers(worker, target.workers):
            totals[task] = totals.get(task, 0.0) + count
    return totals


def read(look: Look) -> Reading:
    """Every task name seen, with what it did within the window."""
    if "flower" not in look.target.sources:
        return Reading(idle={c.name: "needs Flower, and this target has no `flower`" for c in COLUMNS})
    memory = look.memory if isinstance(look.memory, TaskCounters) else TaskCounters()
    idle = {} if look.demand.wants("tasks", *RUNTIMES) else dict.fromkeys(RUNTIMES, NOT_READ)
    counters = look.replies.get(ReadEventCounters(), EventCounters)
    if isinstance(counters, Gap):
        rows = tuple(_blind_row(name, counters.reason, idle) for name in memory.last_seen)
        return Reading(rows, unread=counters.reason, idle=idle, memory=memory)
    counters = _of_known_tasks(counters)
    if _of_another_flower(memory, counters, look.now):
        memory = replace(memory, read_at=None)
    first_look = memory.read_at is None
    sample = _sample(memory, counters, look.now, look.target)
    earlier, unlisted = _earlier(look, counters) if first_look else (Earlier(memory.earlier), "")
    now = replace(_remember(memory, counters, sample, look), earlier=still_of_use(earlier.slices, look.now))
    recent = (s for s in now.earlier if look.now - s.at < look.window_s)
    samples = [s for s in (*recent, *(() if first_look else (*within(look), sample))) if _span(s) <= look.window_s]
    watched = min(sum(_span(s) for s in samples), look.window_s)
    if first_look:
        counts = COUNTS if not samples and not unlisted else ()
        idle |= {column: f"{column} needs a second look" for column in (*counts, "last_success_s", "last_seen_s")}
    elif not samples:
        idle |= {c.name: f"{c.name} needs two looks within {look.window_s:g}s" for c in COLUMNS if c.windowed and c.name not in RUNTIMES}
    succeeded = {**now.last_success, **(dict.fromkeys(_successes(counters, look.target), look.now) if first_look else {})}
    timed = {name: runtime_cells(now.runtimes.get(name), succeeded.get(name), look.now, look.window_s) for name in now.last_seen}
    rows = tuple(_row(name, now, samples, watched, look.now, idle, timed[name]) for name in sorted(now.last_seen))
    rows = tuple(_without_counts(row, unlisted) for row in rows) if unlisted else rows
    forgotten = frozenset((name,) for name in memory.last_seen if name not in now.last_seen)
    return Reading(rows, idle=idle, memory=now, sample=None if first_look else sample, note=earlier.note, forgotten=forgotten)


def _earlier(look: Look, counters: EventCounters) -> tuple[Earlier, str]:
    """What happened before a first look; or why that is not known, though it was asked."""
    listed = look.replies.get(RECENT, tuple[TaskSeen, ...])
    if isinstance(listed, Gap):
        return Earlier(), listed.reason if look.replies.asked(RECENT) else ""
    return earlier_of(listed, counters, look.target, look.now), ""


def _of_known_tasks(counters: EventCounters) -> EventCounters:
    """The counters of tasks whose name Flower knows (it may have missed the event that tells it), of every app's workers."""
    return EventCounters(counters.started_at, {s: count for s, count in counters.counts.items() if s[1] and s[2] in EVENTS})


def _of_another_flower(memory: TaskCounters, counters: EventCounters, now: float) -> bool:
    """Whether these counters began before the last reading, and yet are not those read then: another Flower answers now.

    Its whole life would pass for what happened since; so the counting begins anew, as on a first look.
    """
    if memory.read_at is None or counters.started_at is None or counters.started_at == memory.started_at:
        return False
    return now - counters.started_at > now - memory.read_at + CLOCKS_APART_S


def _sample(memory: TaskCounters, counters: EventCounters, now: float, target: Target) -> Sample:
    """What every task did since the counters were last read, by this target's workers."""
    restarted = memory.started_at != counters.started_at
    rose: dict[str, list[float]] = {}
    for (worker, task, event), count in counters.counts.items():
        if not covers(worker, target.workers):
            continue
        before = 0.0 if restarted else memory.counts.get(worker, {}).get(task, {}).get(event, 0.0)
        rose.setdefault(task, [0.0] * len(EVENTS))[EVENTS.index(event)] += count - before if count >= before else count
    span = max(now - memory.read_at, 0.0) if memory.read_at is not None else 0.0
    return Sample(now, {SPAN: (span,), **{task: tuple(numbers) for task, numbers in rose.items() if any(numbers)}})


def _remember(memory: TaskCounters, counters: EventCounters, sample: Sample, look: Look) -> TaskCounters:
    counts: dict[str, dict[str, dict[str, float]]] = {}
    for (worker, task, event), count in counters.counts.items():
        counts.setdefault(worker, {}).setdefault(task, {})[event] = count
    moved = [task for task in sample.values if task != SPAN]
    names = {task for worker, task, _ in counters.counts if covers(worker, look.target.workers)}
    seen = {**dict.fromkeys(sorted(names), look.now), **memory.last_seen, **dict.fromkeys(moved, look.now)}
    succeeded = [task for task in moved if (sample.values[task][EVENTS.index("succeeded")] or 0) > 0]
    success = {**memory.last_success, **(dict.fromkeys(succeeded, look.now) if memory.read_at is not None else {})}
    kept = {t: at for t, at in seen.items() if t in names or look.now - at <= look.target.forget_after_s}
    timed = runtimes_now(memory.runtimes, kept, look.replies, look.target, look.now)
    return TaskCounters(look.now, counters.started_at, counts, {t: at for t, at in success.items() if t in kept}, kept, timed)


def _row(
    name: str,
    memory: TaskCounters,
    samples: list[Sample],
    watched_s: float,
    now: float,
    idle: Mapping[str, str],
    timed: Mapping[str, tuple[Cell, str]],
) -> Row:
    totals = dict.fromkeys(EVENTS, 0.0)
    for sample in samples:
        for event, number in zip(EVENTS, sample.values.get(name, ()), strict=False):
            totals[event] += number or 0.0
    finished = totals["succeeded"] + totals["failed"]
    cells: dict[str, Cell] = {
        "name": name,
        **totals,
        "finished": finished,
        "error_rate": totals["failed"] / finished if finished else 0.0,
        "retry_rate": totals["retried"] / finished if finished else 0.0,
        "per_min": finished / watched_s * 60 if watched_s else 0.0,
        "last_success_s": max(now - memory.last_success[name], 0.0) if name in memory.last_success else 0.0,
        "last_seen_s": max(now - memory.last_seen[name], 0.0),
        **{column: cell for column, (cell, _) in timed.items()},
    }
    known = {column: cell for column, cell in cells.items() if column not in idle}
    return Row(known, {column: timed[column][1] for column, cell in known.items() if cell is None})


def _without_counts(row: Row, why: str) -> Row:
    blind = dict.fromkeys(COUNTS)
    return Row({**row.cells, **blind}, {**row.gaps, **dict.fromkeys(COUNTS, why)})


def _span(sample: Sample) -> float:
    return sample.values.get(SPAN, (0.0,))[0] or 0.0


def _blind_row(name: str, why: str, idle: Mapping[str, str]) -> Row:
    blind = [c.name for c in COLUMNS if c.name != "name" and c.name not in idle]
    return Row({"name": name} | dict.fromkeys(blind), dict.fromkeys(blind, why))


TABLE = Table("tasks", "a task name", ("name",), COLUMNS, asks, read, memory=TaskCounters)
