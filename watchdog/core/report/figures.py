"""What a target did in a time, from its history: tasks, the slowest of them, queues, and when nobody looked.

In: slices (from a bucket before the time on), read once and not kept, since a week of a large site would fill the memory; what is kept of
each table, the time. Out: a `TargetReport`. A count that covers more than the time enters with its share. Percentiles come from the
sketches: within 2 % of what was heard, or what Flower listed.
"""

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct, field
from msgspec.structs import replace

from watchdog.core.history.series import Kept, Part, Slice, Value
from watchdog.core.history.trends import number_of
from watchdog.core.model.sketch import Sketch, mean_of, merged, quantile, quantile_of
from watchdog.core.report.report import FailingTask, SlowTask, Span, TargetReport, WaitingQueue
from watchdog.core.report.spans import clipped, covered, seconds_of, uncovered

__all__ = ["LOOKED_AT", "REPORTED", "Gathered", "gather", "target_report"]

REPORTED = ("tasks", "queues", "workers", "cluster")
"""The tables of history that a report needs."""
LOOKED_AT = ("queues", "workers", "cluster")
"""Their parts say when they were read; counts of `tasks` may cover a time in which nobody looked."""
MOST = 5
"""How many tasks and queues are listed."""
MOST_GAPS = 5
MOST_SKETCHES = 64
"""More of one task are merged at once."""


class _Task(Struct):
    """What is added up of one task."""

    succeeded: float = 0.0
    failed: float = 0.0
    retried: float = 0.0
    runtimes: list[Sketch] = field(default_factory=list)


class Gathered(Struct):
    """What is added up of a target: when each table was read, tasks, and of each queue the greatest age and length."""

    window: Span
    read: dict[str, list[Span]] = field(default_factory=dict)
    tasks: dict[str, _Task] = field(default_factory=dict)
    queues: dict[str, tuple[float | None, float | None]] = field(default_factory=dict)

    def seen(self, bridged_s: float, tables: Sequence[str] = LOOKED_AT) -> list[Span]:
        """Return when any of these tables was read."""
        return clipped(covered((span for table in tables for span in self.read.get(table, ())), bridged_s), self.window)


def gather(slices: Iterable[Slice], kept: Mapping[str, Kept], window: Span) -> Gathered:
    """Add up what lies within the time."""
    found = Gathered(window)
    for one in slices:
        for table in REPORTED:
            part = one.parts.get(table)
            overlap_s = 0.0 if part is None else min(part.until, window.until) - max(part.since, window.since)
            if part is None or overlap_s <= 0:
                continue
            found.read.setdefault(table, []).append(Span(part.since, part.until))
            if table == "tasks":
                _add_tasks(found.tasks, part, kept[table], overlap_s / (part.until - part.since))
            elif table == "queues":
                _add_queues(found.queues, part, kept[table])
    return found


def target_report(name: str, gathered: Gathered, least_gap_s: float) -> TargetReport:
    """Return the figures of a target. `least_gap_s`: the longest time between two looks that is no gap."""
    seen = gathered.seen(least_gap_s)
    gaps = uncovered(seen, gathered.window, least_gap_s)
    longest = sorted(gaps, key=lambda gap: -gap.seconds)[:MOST_GAPS]
    watched_s = gathered.window.seconds - seconds_of(gaps) if seen else 0.0
    counted_s, read_s = (seconds_of(gathered.seen(least_gap_s, (table,))) for table in ("tasks", "queues"))
    report = TargetReport(
        name,
        watched_s,
        tuple(sorted(longest, key=lambda gap: gap.since)),
        len(gaps),
        _lack(watched_s, counted_s, least_gap_s),
        _lack(watched_s, read_s, least_gap_s),
    )
    counted = "tasks" in gathered.read
    return _with_queues(_with_tasks(report, gathered.tasks) if counted else report, gathered.queues)


def _lack(watched_s: float, read_s: float, least_s: float) -> float:
    """How much of the watched time is missing in a table; nothing if it is too little to tell from the time between two looks."""
    missing_s = watched_s - read_s
    return missing_s if missing_s > least_s else 0.0


def _add_tasks(tasks: dict[str, _Task], part: Part, kept: Kept, share: float) -> None:
    places = [kept.place(name) for name in ("succeeded", "failed", "retried")]
    of_sketch = kept.place("runtime")
    for (name,), row in part.rows.items():
        task = tasks.setdefault(name, _Task())
        succeeded, failed, retried = (share * (number_of(row, place) or 0.0) for place in places)
        task.succeeded, task.failed, task.retried = task.succeeded + succeeded, task.failed + failed, task.retried + retried
        if (sketch := _sketch(row, of_sketch)) is not None:
            task.runtimes.append(sketch)
            if len(task.runtimes) >= MOST_SKETCHES:
                task.runtimes = [merged(task.runtimes)]


def _sketch(row: Sequence[Value], place: int) -> Sketch | None:
    value = row[place] if place < len(row) else None
    return value if isinstance(value, Sketch) else None


def _add_queues(queues: dict[str, tuple[float | None, float | None]], part: Part, kept: Kept) -> None:
    of_length, of_age = kept.place("length_max"), kept.place("oldest_max")
    for (name,), row in part.rows.items():
        waited_s, length = queues.get(name, (None, None))
        queues[name] = _greater(waited_s, number_of(row, of_age)), _greater(length, number_of(row, of_length))


def _greater(one: float | None, other: float | None) -> float | None:
    return max((value for value in (one, other) if value is not None), default=None)


def _with_tasks(report: TargetReport, tasks: Mapping[str, _Task]) -> TargetReport:
    finished = {name: (round(max(one.succeeded, 0.0)), round(max(one.failed, 0.0))) for name, one in tasks.items()}
    runs = [(max(one.succeeded, sketch.count) / sketch.count, sketch) for one in tasks.values() if (sketch := merged(one.runtimes)).count]
    return replace(
        report,
        succeeded=sum(succeeded for succeeded, _ in finished.values()),
        failed=sum(failed for _, failed in finished.values()),
        retried=round(sum(max(one.retried, 0.0) for one in tasks.values())),
        average_s=mean_of(runs),
        p50_s=quantile_of(runs, 0.5) if runs else None,
        p95_s=quantile_of(runs, 0.95) if runs else None,
        slow=_slowest(tasks),
        failing=_most_failed(finished),
    )


def _slowest(tasks: Mapping[str, _Task]) -> tuple[SlowTask, ...]:
    found = []
    for name, task in tasks.items():
        sketch = merged(task.runtimes)
        p95_s, average_s = quantile(sketch, 0.95) if sketch.count else None, sketch.mean_s
        if p95_s is not None and average_s is not None:
            found.append(SlowTask(name, p95_s, average_s, sketch.count, round(max(task.succeeded, 0.0))))
    return tuple(sorted(found, key=lambda one: (-one.p95_s, one.name))[:MOST])


def _most_failed(finished: Mapping[str, tuple[int, int]]) -> tuple[FailingTask, ...]:
    found = [FailingTask(name, failed, succeeded + failed) for name, (succeeded, failed) in finished.items() if failed]
    return tuple(sorted(found, key=lambda one: (-one.failed, one.name))[:MOST])


def _with_queues(report: TargetReport, worst: Mapping[str, tuple[float | None, float | None]]) -> TargetReport:
    queues = [WaitingQueue(name, waited_s, length) for name, (waited_s, length) in worst.items() if waited_s or length]
    queues.sort(key=lambda one: (-(one.waited_s or 0.0), -(one.length or 0.0), one.name))
    return replace(report, queues=tuple(queues[:MOST]), queues_in_all=len(worst))
