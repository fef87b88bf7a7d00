"""How one look of a table is read for history.

In: one look (`Moment`). Out: the table's part of a slice; None if it could not be read. Counts are what happened since the look before; if
nobody looked for a while, they cover that time too (`Part.since`). What is not polled because no rule reads it has no history.
"""

from collections.abc import Iterable, Mapping, Sequence

from watchdog.core.history.series import Moment, Part, Series, Value
from watchdog.core.model.reading import DEFAULT_WINDOW_S
from watchdog.core.model.rows import Key, Reading, Row, Sample
from watchdog.core.model.servers.timings import Timing
from watchdog.core.model.sketch import merged, sketch_of
from watchdog.tables.history.series import WORKERS
from watchdog.tables.running.memory import running_of
from watchdog.tables.tasks.counters import NTH, TaskCounters
from watchdog.tables.tasks.failures import Failure
from watchdog.tables.tasks.listed import SPAN
from watchdog.tables.tasks.novelty import NEW, RETURNED, Sightings
from watchdog.tables.tasks.runtimes import Run, TimedTask

__all__ = ["gauges", "of_errors", "of_tasks", "of_workers"]

FIRST_RUNS_S = 300.0
"""Of a task whose runs are listed for the first time, those that ended this long ago at most count as runs since the look before."""


def _reading(moment: Moment, table: str) -> Reading | None:
    """Return a table as read in this look; None if it could not be read, or does not exist here."""
    reading = moment.seen.windows[DEFAULT_WINDOW_S].get(table)
    return None if reading is None or reading.unread is not None or not reading.rows else reading


def _numbers(row: Row, columns: Sequence[str]) -> list[float | None]:
    """Return the numbers of these columns; None for a gap, and for a column that is idle."""
    get = row.cells.get
    return [cell if isinstance(cell := get(column), float) else None for column in columns]


def gauges(moment: Moment, *, table: str, key: tuple[str, ...], series: tuple[Series, ...]) -> Part | None:
    """Return the part of a table whose cells are read as they are."""
    reading = _reading(moment, table)
    if reading is None:
        return None
    columns = [one.column for one in series]
    return Part(moment.since, moment.now, {row.key(key): tuple(_numbers(row, columns)) for row in reading.rows})


def of_workers(moment: Moment) -> Part | None:
    """Return what each worker took, and its gauges."""
    reading = _reading(moment, "workers")
    if reading is None:
        return None
    sample, earlier = moment.seen.samples.get("workers"), moment.past.samples.get("workers", ())
    columns = [one.column for one in WORKERS if one.column]
    rows: dict[Key, tuple[Value, ...]] = {}
    for row in reading.rows:
        name, state = str(row.cells["name"]), row.cells.get("state")
        online = None if state is None else float(state == "online")
        rows[(name,)] = (_rise(name, sample, earlier), online, *_numbers(row, columns))
    return Part(moment.since, moment.now, rows)


def _rise(name: str, sample: Sample | None, earlier: tuple[Sample, ...]) -> float | None:
    """Return how much a worker's total rose since it was last heard; None if it is not heard now, or never was before."""
    total = sample.values.get(name, (None,))[0] if sample is not None else None
    if total is None:
        return None
    numbers = earlier[-1].values.get(name) if earlier else None  # a thousand workers are nearly all in the last one
    numbers = numbers or next((found for one in reversed(earlier) if (found := one.values.get(name))), (None,))
    return None if numbers[0] is None else max(total - numbers[0], 0.0)


def _memories(moment: Moment) -> tuple[TaskCounters, TaskCounters] | None:
    """Return what `tasks` remembered before this look and what it remembers now; None if there is nothing to compare."""
    before, now = moment.past.memories.get("tasks", TaskCounters()), moment.seen.memories.get("tasks")
    return (before, now) if isinstance(before, TaskCounters) and isinstance(now, TaskCounters) else None


def of_tasks(moment: Moment) -> Part | None:
    """Return how each task ended, how often, and how long it took."""
    sample, memories = moment.seen.samples.get("tasks"), _memories(moment)
    if sample is None or memories is None:
        return None
    before, now = memories
    timed = {name: runs for name, seen in now.runtimes.items() if (runs := _new_runs(before.runtimes.get(name), seen, moment.now))}
    rows: dict[Key, tuple[Value, ...]] = {}
    for name in sorted({*sample.values, *timed, *sample.timings} - {SPAN}):
        numbers, runs, heard = sample.values.get(name, ()), timed.get(name, ()), sample.timings.get(name, Timing())
        succeeded, failed, retried = (numbers[NTH[event]] if numbers else 0.0 for event in ("succeeded", "failed", "retried"))
        runtimes = merged([heard.runtimes, sketch_of(runtime for _, runtime, _ in runs if runtime is not None)])
        waits = merged([heard.waits, sketch_of(wait for _, _, wait in runs if wait is not None)])
        rows[(name,)] = (succeeded, failed, retried, runtimes, waits)
    span_s = sample.values.get(SPAN, (0.0,))[0] or 0.0
    return Part(moment.now - span_s, moment.now, rows)


def _new_runs(before: TimedTask | None, seen: TimedTask, now: float) -> tuple[Run, ...]:
    """Return the runs that were not listed in an earlier look."""
    if seen is before:
        return ()
    if before is None or before.gap:
        return tuple(run for run in seen.runs if now - run[0] <= FIRST_RUNS_S)
    known = frozenset(before.runs)
    return tuple(run for run in seen.runs if run not in known)


def of_errors(moment: Moment) -> Part | None:
    """Return the failures that were not listed before, by task, exception and queue."""
    errors, memories = moment.seen.windows[DEFAULT_WINDOW_S].get("errors"), _memories(moment)
    if errors is None or errors.unread is not None or "count" in errors.idle or memories is None:
        return None
    before, now = (memory.failures for memory in memories)
    since = _listening_since(moment, memories[0]) if before.looked_at is None else before.looked_at
    if since is None:
        return None
    new = () if now.known is before.known else ((task_id, f) for task_id, f in now.known.items() if before.known.get(task_id) != f)
    return Part(since, moment.now, _counted(new, now.sightings, running_of(moment.seen.memories.get("running")).peaks))


def _listening_since(moment: Moment, before: TaskCounters) -> float | None:
    """Return since when events of tasks are heard, if this is the first look that reads them; None if they are another's, and older."""
    sample = moment.seen.samples.get("tasks")
    return None if sample is None or before.read_at is not None else moment.now - (sample.values.get(SPAN, (0.0,))[0] or 0.0)


def _counted(
    failures: Iterable[tuple[str, Failure]], sightings: Sightings, peaks: Mapping[str, tuple[float, float]]
) -> Mapping[Key, tuple[Value, ...]]:
    rows: dict[Key, tuple[Value, ...]] = {}
    for task_id, failure in failures:
        key = (failure.task, failure.exception, failure.queue or "")
        new, returned = _first_of_kind(failure, sightings)
        *sums, most = _numbers_of(rows.get(key, (0.0, 0.0, 0.0, 0.0, 0.0, None)))
        added = (1.0, float(failure.duration_s is not None), failure.duration_s or 0.0, new, returned)
        peaked = [peak for peak in (most, peaks[task_id][0] if task_id in peaks else None) if peak is not None]
        rows[key] = (
            *(None if value is None or more is None else value + more for value, more in zip(sums, added, strict=True)),
            max(peaked, default=None),
        )
    return rows


def _numbers_of(values: tuple[Value, ...]) -> Iterable[float | None]:
    return (value if isinstance(value, float) else None for value in values)


def _first_of_kind(failure: Failure, sightings: Sightings) -> tuple[float | None, float | None]:
    """Return whether it is the first of its kind, and whether it is the first for a week; None if too little was watched to know."""
    seen = sightings.of(failure.task, failure.exception)
    if seen is None or failure.at != seen.since:
        return 0.0, 0.0
    what = seen.novelty(seen.since)
    return (None, None) if what is None else (float(what == NEW), float(what == RETURNED))
