"""How long tasks run and wait: of all runs that were heard; where Flower alone tells, of the last successes that it lists.

Its histogram ends at 10 s, so the runs themselves are listed. One list per task costs it 10 to 60 ms, so only tasks that succeeded since
their last query are queried, a few per poll, in turn. Once events are heard, each is queried once more: for what ended before.
"""

from collections.abc import Iterable, Mapping
from math import ceil

from msgspec import Struct

from watchdog.core.model.gaps import Gap
from watchdog.core.model.queries import Query, SucceededTasks
from watchdog.core.model.replies import EventCounters, Replies, TaskSeen
from watchdog.core.model.rows import Asking, Cell
from watchdog.core.model.servers.heard import CountHeard
from watchdog.core.model.servers.timings import Timing
from watchdog.core.model.sketch import merged, quantile, sketch_of
from watchdog.core.model.target import Target, covers
from watchdog.tables.tasks.heard_runs import Spans
from watchdog.tables.tasks.names import NAMELESS

__all__ = ["BY_QUEUE", "LIMIT", "RUNTIMES", "TimedTask", "runtime_cells", "runtimes_due", "runtimes_now"]

RUNTIMES = ("runtime_avg", "runtime_p50", "runtime_p95", "runtime_p99", "wait_p95")
BY_QUEUE = ("wait_avg_s", "finished_per_min")
"""Columns of `queues` that are made of the same lists."""
TASKS_PER_POLL = 3
TASKS_IN_A_FIRST_LOOK = 10
AGAIN_S = 30.0
LIMIT = 100
UNHEARD = "no end of a run of it was heard within the window"
NO_RUNTIME = "no runtime is reported for them"
QUANTILES = {"runtime_p50": 0.5, "runtime_p95": 0.95, "runtime_p99": 0.99}

Run = tuple[float, float | None, float | None]
"""One success: when (by its worker's clock), its runtime, and how long it waited in its worker, in seconds."""


Cells = dict[str, tuple[Cell, str]]
"""Column -> (value, or why there is none)."""
Arrival = tuple[str | None, float | None]
"""Of a success: the queue it came from, and how long after it was sent it started; None where that is not known."""


class TimedTask(Struct, frozen=True):
    """A task's last successes as of `asked_at` (our clock), newest first, without those that were heard. `gap`: why that query failed.

    `queues`: where they came from, as far as their senders report it.
    """

    asked_at: float
    runs: tuple[Run, ...] = ()
    gap: str = ""
    queues: tuple[str, ...] = ()
    came: tuple[Arrival, ...] = ()
    """Of each of its `runs`."""


def runtimes_due(
    asking: Asking, known: Mapping[str, TimedTask], last_success: Mapping[str, float], first_look: Mapping[str, float] | None = None
) -> Iterable[Query]:
    """Return the queries due now, longest wait first; none where there is no Flower.

    In a first poll (`first_look`: task -> successes so far): those of the busiest tasks.
    """
    if asking.target.hears_tasks:
        return []
    if first_look is not None:
        busiest = sorted(first_look, key=lambda name: (-first_look[name], name))
        return [SucceededTasks(name, LIMIT) for name in busiest[:TASKS_IN_A_FIRST_LOOK]]
    heard = asking.replies.get(CountHeard(), EventCounters)
    heard_since = None if isinstance(heard, Gap) else heard.started_at
    due = [
        name
        for name, at in last_success.items()
        if name != NAMELESS and _is_due(known.get(name), at, asking.now) and not _was_listed(known.get(name), heard_since)
    ]
    due.sort(key=lambda name: (known[name].asked_at if name in known else 0.0, name))
    return [SucceededTasks(name, LIMIT) for name in due[:TASKS_PER_POLL]]


def _is_due(timed: TimedTask | None, succeeded_at: float, now: float) -> bool:
    if timed is None or now < timed.asked_at:  # never queried, or the clock was set back
        return True
    return now - timed.asked_at >= AGAIN_S and (bool(timed.gap) or succeeded_at >= timed.asked_at)


def _was_listed(timed: TimedTask | None, since: float | None) -> bool:
    """Whether it was listed since events are heard: then nothing that the list could tell is unknown."""
    return timed is not None and not timed.gap and since is not None and timed.asked_at >= since


def runtimes_now(
    known: Mapping[str, TimedTask], names: Iterable[str], replies: Replies, target: Target, now: float, heard: Spans = ()
) -> dict[str, TimedTask]:
    """Return what is remembered of these tasks, updated with this poll's lists. `heard`: when events were.

    Without Flower, lists are of the runs that were heard, too.
    """
    kept = {name: known[name] for name in names if name in known}
    if target.hears_tasks:
        return kept
    for query in replies.answers:
        if isinstance(query, SucceededTasks):
            listed = replies.get(query, tuple[TaskSeen, ...])
            kept[query.task] = TimedTask(now, gap=listed.reason) if isinstance(listed, Gap) else _timed(listed, target, now, heard)
    return kept


def _timed(listed: tuple[TaskSeen, ...], target: Target, now: float, heard: Spans) -> TimedTask:
    ours = [task for task in listed if task.succeeded is not None and covers(task.worker, target.workers)]
    ours = [task for task in ours if not any(since <= (task.succeeded or 0.0) <= until for since, until in heard)]
    runs = tuple((task.succeeded or 0.0, task.runtime, _wait(task)) for task in ours)
    queues = tuple(sorted({task.routing_key for task in ours if task.routing_key}))
    return TimedTask(now, runs, queues=queues, came=tuple((task.routing_key, _waited_s(task)) for task in ours))


def _wait(task: TaskSeen) -> float | None:
    return None if task.started is None or task.received is None else max(task.started - task.received, 0.0)


def _waited_s(task: TaskSeen) -> float | None:
    """Return how long after it was sent it started, in whole milliseconds; None where it had to wait: for its ETA, or to be retried."""
    if task.sent is None or task.started is None or task.has_eta or task.retries:
        return None
    return round(max(task.started - task.sent, 0.0), 3)


def runtime_cells(
    timed: TimedTask | None, heard: Timing | None, succeeded_at: float | None, now: float, window_s: float, *, listed: bool
) -> Cells:
    """Return the cells over the window; 0 if nothing succeeded within it.

    `heard`: the runs of the window that were; `succeeded_at`: when it was last seen to succeed; None: not in the watched time; `listed`:
    whether there is a Flower that lists runs.
    """
    if heard is not None and heard.count:
        return _of_all(heard, [run for run in timed.runs if now - run[0] <= window_s] if timed is not None else [])
    recently = succeeded_at is not None and now - succeeded_at <= window_s
    if timed is None or timed.gap:
        unlisted = f"not queried yet, {TASKS_PER_POLL} tasks per poll" if listed else UNHEARD
        why = timed.gap if timed is not None else unlisted if recently else ""
        return dict.fromkeys(RUNTIMES, (None, why) if why else (0.0, ""))
    runs = [run for run in timed.runs if now - run[0] <= window_s]
    if not runs and recently and succeeded_at is not None and succeeded_at > timed.asked_at:
        return dict.fromkeys(RUNTIMES, (None, f"last queried {now - timed.asked_at:.0f}s ago, {TASKS_PER_POLL} tasks per poll"))
    if not runs:
        return dict.fromkeys(RUNTIMES, (0.0, ""))
    took = sorted(runtime for _, runtime, _ in runs if runtime is not None)
    waited = sorted(wait for _, _, wait in runs if wait is not None)
    average = sum(took) / len(took) if took else None
    return _cells(average, [_quantile(took, share) for share in QUANTILES.values()], _quantile(waited, 0.95))


def _of_all(heard: Timing, listed: Iterable[Run]) -> Cells:
    """Return the cells of what was heard, and of what Flower lists from before."""
    runs = list(listed)
    took = merged([heard.runtimes, sketch_of(runtime for _, runtime, _ in runs if runtime is not None)])
    waited = merged([heard.waits, sketch_of(wait for _, _, wait in runs if wait is not None)])
    return _cells(took.mean_s, [quantile(took, share) for share in QUANTILES.values()], quantile(waited, 0.95))


def _cells(average: float | None, quantiles: Iterable[float | None], wait: float | None) -> Cells:
    cells: Cells = {"runtime_avg": (average, NO_RUNTIME)}
    cells |= {column: (value, NO_RUNTIME) for column, value in zip(QUANTILES, quantiles, strict=True)}
    return cells | {"wait_p95": (wait, "the events of their arrival or their start were missed")}


def _quantile(numbers: list[float], share: float) -> float | None:
    """Return the smallest number that at least this share of the numbers does not exceed; None without any."""
    return numbers[max(ceil(share * len(numbers)) - 1, 0)] if numbers else None
