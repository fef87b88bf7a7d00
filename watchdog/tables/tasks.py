"""`tasks`: a row a task name, counted over the rule's window from the differences of Flower's event counters.

Counters are a lower bound: Flower loses events above some 2,500 a second (measured). A restarted Flower counts from 0,
a vanished series is forgotten, and a difference whose ends lie further apart than the window is dropped.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from watchdog.core.gaps import Gap
from watchdog.core.queries import Query, ReadEventCounters
from watchdog.core.replies import EventCounters
from watchdog.core.rows import Asking, Cell, Column, Kind, Look, Reading, Row, Sample, Table
from watchdog.core.target import Target, covers
from watchdog.tables.history import within

__all__ = ["TABLE", "TaskCounters"]

LATER = "read from a later release on"
EVENTS = ("received", "started", "succeeded", "failed", "retried", "revoked")
SPAN = ""
"""The sample key that holds how many seconds a sample's differences cover."""
N = Kind.NUMBER

COLUMNS = (
    Column("name", Kind.TEXT, "the task's name"),
    *(Column(event, N, f"tasks {event} within the window", "tasks", 0.0, windowed=True) for event in EVENTS),
    Column("finished", N, "succeeded and failed within the window", "tasks", 0.0, windowed=True),
    Column("error_rate", N, "failed of finished", "ratio", 0.0, windowed=True),
    Column("retry_rate", N, "retried of finished", "ratio", 0.0, windowed=True),
    Column("per_min", N, "finished a minute", "1/min", 0.0, windowed=True),
    *(Column(f"runtime_{what}", N, f"runtime, {what}", "s", 0.0, windowed=True, later=LATER) for what in ("avg", "p50", "p95", "p99")),
    Column("wait_p95", N, "time between received and started, 95th percentile", "s", 0.0, windowed=True, later=LATER),
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


def asks(asking: Asking) -> Iterable[Query]:
    """The counters, as often as their answer is renewed."""
    return [ReadEventCounters()] if "flower" in asking.target.sources else []


def read(look: Look) -> Reading:
    """Every task name seen, with what it did within the window."""
    if "flower" not in look.target.sources:
        return Reading(idle={c.name: "needs Flower, and this target has no `flower`" for c in COLUMNS})
    memory = look.memory if isinstance(look.memory, TaskCounters) else TaskCounters()
    idle = {c.name: c.later for c in COLUMNS if c.later}
    counters = look.replies.get(ReadEventCounters(), EventCounters)
    if isinstance(counters, Gap):
        rows = tuple(_blind_row(name, counters.reason) for name in memory.last_seen)
        return Reading(rows, unread=counters.reason, idle=idle, memory=memory)
    counters = _ours(counters, look.target)
    first_look = memory.read_at is None
    sample = _sample(memory, counters, look.now)
    now = _remember(memory, counters, sample, look)
    samples = [] if first_look else [s for s in (*within(look), sample) if _span(s) <= look.window_s]
    watched = min(sum(_span(s) for s in samples), look.window_s)
    if first_look:
        idle |= {c.name: f"{c.name} needs a second look" for c in COLUMNS if c.name != "name"}
    elif not samples:
        idle |= {c.name: f"{c.name} needs two looks within {look.window_s:g}s" for c in COLUMNS if c.windowed}
    rows = tuple(_row(name, now, samples, watched, look.now, idle) for name in sorted(now.last_seen))
    forgotten = frozenset((name,) for name in memory.last_seen if name not in now.last_seen)
    return Reading(rows, idle=idle, memory=now, sample=None if first_look else sample, forgotten=forgotten)


def _ours(counters: EventCounters, target: Target) -> EventCounters:
    """The counters of what this target's workers did with tasks whose name Flower knows (it may have missed the event that tells it)."""
    ours = {
        (worker, task, event): count
        for (worker, task, event), count in counters.counts.items()
        if task and event in EVENTS and covers(worker, target.workers)
    }
    return EventCounters(counters.started_at, ours)


def _sample(memory: TaskCounters, counters: EventCounters, now: float) -> Sample:
    """What every task did since the counters were last read."""
    restarted = memory.started_at != counters.started_at
    rose: dict[str, list[float]] = {}
    for (worker, task, event), count in counters.counts.items():
        before = 0.0 if restarted else memory.counts.get(worker, {}).get(task, {}).get(event, 0.0)
        rose.setdefault(task, [0.0] * len(EVENTS))[EVENTS.index(event)] += count - before if count >= before else count
    span = max(now - memory.read_at, 0.0) if memory.read_at is not None else 0.0
    return Sample(now, {SPAN: (span,), **{task: tuple(numbers) for task, numbers in rose.items() if any(numbers)}})


def _remember(memory: TaskCounters, counters: EventCounters, sample: Sample, look: Look) -> TaskCounters:
    counts: dict[str, dict[str, dict[str, float]]] = {}
    for (worker, task, event), count in counters.counts.items():
        counts.setdefault(worker, {}).setdefault(task, {})[event] = count
    moved = [task for task in sample.values if task != SPAN]
    names = {task for _, task, _ in counters.counts}
    seen = {**dict.fromkeys(sorted(names), look.now), **memory.last_seen, **dict.fromkeys(moved, look.now)}
    succeeded = [task for task in moved if (sample.values[task][EVENTS.index("succeeded")] or 0) > 0]
    success = {**memory.last_success, **(dict.fromkeys(succeeded, look.now) if memory.read_at is not None else {})}
    kept = {t: at for t, at in seen.items() if t in names or look.now - at <= look.target.forget_after_s}
    return TaskCounters(look.now, counters.started_at, counts, {t: at for t, at in success.items() if t in kept}, kept)


def _row(name: str, memory: TaskCounters, samples: list[Sample], watched_s: float, now: float, idle: Mapping[str, str]) -> Row:
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
    }
    return Row({column: cell for column, cell in cells.items() if column not in idle})


def _span(sample: Sample) -> float:
    return sample.values.get(SPAN, (0.0,))[0] or 0.0


def _blind_row(name: str, why: str) -> Row:
    blind = [c.name for c in COLUMNS if c.name != "name" and not c.later]
    return Row({"name": name} | dict.fromkeys(blind), dict.fromkeys(blind, why))


TABLE = Table("tasks", "a task name", ("name",), COLUMNS, asks, read, memory=TaskCounters)
