"""Failures by exception and runtimes as totals that only grow, made of what the `tasks` table remembers at each scrape.

In: the totals so far, the memory of the table now, what was heard of runs since, the time. Out: the totals. They begin at 0 with the first
scrape, as those of an exporter that has just started. Flower counts failures without their exceptions and lists exceptions a little
later, so a counted failure waits a minute for its name. Of a busy task Flower lists only some runs: each of them stands for as many
successes as were counted. Those that were heard are all.
"""

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from itertools import pairwise
from operator import add

from msgspec import Struct, field
from msgspec.structs import replace

from watchdog.core.model.servers.timings import Timing
from watchdog.core.model.sketch import up_to
from watchdog.core.model.target import covers
from watchdog.tables.tasks.counters import TWICE, TaskCounters
from watchdog.tables.tasks.failures import Failure
from watchdog.tables.tasks.names import NAMELESS
from watchdog.tables.tasks.runtimes import Run

__all__ = ["BUCKETS", "Runtimes", "TaskTotals", "host_of", "totals_after"]

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
"""The upper bounds, in seconds, that celery-exporter has by default."""
NO_EXCEPTION = "UnknownException"
NAMED_WITHIN_S = 60.0

OfHost = tuple[str, str]
"""A task's name and a host."""


class Runtimes(Struct, frozen=True):
    """A histogram: how many runs fell into each bucket (the last one has no bound), and how long they took together."""

    counts: tuple[int, ...] = (0,) * (len(BUCKETS) + 1)
    total_s: float = 0.0


class Unnamed(Struct, frozen=True):
    """Failures that were counted and not listed; negative: listed and not counted. `since` is epoch seconds."""

    count: float
    since: float


class Ended(Struct, frozen=True):
    """What the totals were compared with last.

    `counts`: (worker, task) -> how often it had failed, and succeeded; `listed`: id -> failure.
    """

    read_at: float
    started_at: float | None
    counts: Mapping[tuple[str, str], tuple[float, float]]
    listed: Mapping[str, Failure]


class TaskTotals(Struct, frozen=True):
    """What was added up of one target."""

    failed: Mapping[tuple[str, str, str], float] = field(default_factory=dict)
    """(task, host, exception) -> failures."""
    runtimes: Mapping[str, Runtimes] = field(default_factory=dict)
    queues: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Task -> the queues that it was seen to come from."""
    unnamed: Mapping[OfHost, Unnamed] = field(default_factory=dict)
    untimed: Mapping[str, int] = field(default_factory=dict)
    """Task -> successes that were counted since its runs were last listed."""
    ended: Ended | None = None
    runs: Mapping[str, tuple[Run, ...]] = field(default_factory=dict)
    """Task -> its runs as they were last listed."""


def host_of(worker: str) -> str:
    """Return what follows the @ of a worker's name."""
    return worker.partition("@")[2] or worker


def totals_after(
    before: TaskTotals,
    memory: TaskCounters,
    queues: Mapping[str, frozenset[str]],
    heard: Mapping[str, Timing],
    now: float,
    workers: tuple[str, ...] = (),
) -> TaskTotals:
    """Return the totals with what is new.

    `queues`: task -> queues that it is seen to come from now; `heard`: task -> runs that were heard since; `workers`: the target's filter.
    """
    ended = _ended(memory, workers)
    if before.ended is not None and ended.read_at < before.ended.read_at:
        return before  # another scrape, at the same time, has read what was remembered later
    known = {task: before.queues.get(task, frozenset()) | found for task, found in queues.items()}
    runs = {name: before.runs.get(name, ()) if timed.gap else timed.runs for name, timed in memory.runtimes.items()}
    after = replace(before, ended=ended, queues={**before.queues, **known}, runs=runs)
    if before.ended is None:
        return after
    failed: dict[OfHost, float] = {}
    untimed = dict(before.untimed)
    for (worker, task), (failures, successes) in _rises(before.ended, ended):
        of_host = (task, host_of(worker))
        failed[of_host] = failed.get(of_host, 0.0) + failures
        untimed[task] = untimed.get(task, 0) + int(successes)
    new = [failure for task_id, failure in ended.listed.items() if before.ended.listed.get(task_id) != failure]
    return _heard(_timed(_named(after, failed, new, now), untimed, before.runs), heard)


def _ended(memory: TaskCounters, workers: tuple[str, ...]) -> Ended:
    counts = {
        (worker, task): (events.get("failed", 0.0), events.get("succeeded", 0.0))
        for worker, tasks in memory.counts.items()
        if covers(worker, workers)
        for task, events in tasks.items()
    }
    return Ended(memory.read_at or 0.0, memory.started_at, counts, memory.failures.known)


def _rises(before: Ended, after: Ended) -> Iterator[tuple[tuple[str, str], tuple[float, float]]]:
    """Yield (worker, task) -> by how much its failures and successes rose."""
    restarted = before.started_at != after.started_at
    if restarted and after.started_at is not None and after.started_at < before.read_at:
        return  # another Flower answers: what it counted before is not new
    known = {} if restarted else before.counts
    for key, (failed, succeeded) in after.counts.items():
        had_failed, had_succeeded = known.get(key, (0.0, 0.0))
        if (failed, succeeded) != (had_failed, had_succeeded):
            yield key, (_rise(had_failed, failed), _rise(had_succeeded, succeeded))


def _rise(before: float, after: float) -> float:
    return after - before if after >= before else after


def _named(totals: TaskTotals, counted: Mapping[OfHost, float], listed: list[Failure], now: float) -> TaskTotals:
    """Add failures by exception; what stays without one for a minute is counted as such."""
    unnamed = {key: one.count for key, one in totals.unnamed.items()}
    for key, count in counted.items():
        unnamed[key] = unnamed.get(key, 0.0) + count
    failed = dict(totals.failed)
    for one in listed:
        host = host_of(one.worker)
        kind = (one.task, host, one.exception.rpartition(".")[2] or NO_EXCEPTION)
        failed[kind] = failed.get(kind, 0.0) + 1.0
        key = (one.task if one.named else NAMELESS, host)
        unnamed[key] = unnamed.get(key, 0.0) - (2.0 if one.exception == TWICE else 1.0)
    left: dict[OfHost, Unnamed] = {}
    for key, count in unnamed.items():
        since = totals.unnamed[key].since if key in totals.unnamed else now
        if count and now - since < NAMED_WITHIN_S:
            left[key] = Unnamed(count, since)
        elif count > 0:
            failed[*key, NO_EXCEPTION] = failed.get((*key, NO_EXCEPTION), 0.0) + count
    return replace(totals, failed=failed, unnamed=left)


def _timed(totals: TaskTotals, untimed: dict[str, int], known: Mapping[str, tuple[Run, ...]]) -> TaskTotals:
    """Add the runtimes of runs that were not listed before."""
    runtimes = dict(totals.runtimes)
    for task, runs in totals.runs.items():
        earlier = known.get(task, ())
        if runs is earlier or runs == earlier:
            continue
        seen = frozenset(earlier)
        new = [runtime for run in runs if run not in seen and (runtime := run[1]) is not None]
        if new:
            runtimes[task] = _with(runtimes.get(task, Runtimes()), new, max(untimed.pop(task, 0), len(new)))
    return replace(totals, runtimes=runtimes, untimed=untimed)


def _heard(totals: TaskTotals, heard: Mapping[str, Timing]) -> TaskTotals:
    """Add the runtimes of runs that were heard: nothing is to be made up for, so that lists stand for what is counted later."""
    runtimes = dict(totals.runtimes)
    for task, timing in heard.items():
        known, sketch = runtimes.get(task, Runtimes()), timing.runtimes
        below = [up_to(sketch, bound) for bound in BUCKETS]
        counts = [upper - lower for lower, upper in pairwise((0, *below, sketch.count))]
        runtimes[task] = Runtimes(tuple(map(add, known.counts, counts)), known.total_s + sketch.total_s)
    return replace(totals, runtimes=runtimes, untimed={task: count for task, count in totals.untimed.items() if task not in heard})


def _with(known: Runtimes, new: list[float], successes: int) -> Runtimes:
    each, more = divmod(successes, len(new))
    counts, total_s = list(known.counts), known.total_s
    for nth, runtime in enumerate(new):
        weight = each + (nth < more)
        counts[bisect_left(BUCKETS, runtime)] += weight
        total_s += weight * runtime
    return Runtimes(tuple(counts), total_s)
