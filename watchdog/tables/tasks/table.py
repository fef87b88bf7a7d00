"""`tasks`: one row per task name, counted over the rule's window from the differences of Flower's event counters.

A first poll has no difference yet: the last tasks that Flower lists are counted instead (`listed`), if somebody reads the counts.

Counters are a lower bound: Flower loses events above some 2,500 a second (measured). A restarted Flower counts from 0, a vanished series is
forgotten, and a difference whose ends are further apart than the window is dropped. Where events are heard beside Flower, they count
instead, as long as they are (`core/model/servers/both_counts.py`).
"""

from collections.abc import Iterable, Mapping
from functools import partial
from math import inf

from msgspec.structs import replace

from watchdog.core.model.demand import NOT_READ, Demand
from watchdog.core.model.gaps import Gap
from watchdog.core.model.history import within
from watchdog.core.model.queries import Query, ReadEventCounters
from watchdog.core.model.replies import EventCounters, Replies, TaskSeen
from watchdog.core.model.rows import Asking, Column, Kind, Look, Reading, Row, Sample, Table
from watchdog.core.model.servers.both_counts import after_nobody, rise_of_both
from watchdog.core.model.servers.heard import FAILURES_HEARD, CountHeard
from watchdog.core.model.target import Target, covers
from watchdog.tables.tasks.counters import (
    TaskCounters,
    counted_by_events,
    failures_heard,
    of_another_flower,
    of_tasks,
    remember,
    sample_of,
    suspected_now,
    with_evidence,
)  # fmt: skip
from watchdog.tables.tasks.expired import rows_after
from watchdog.tables.tasks.failures import LISTED, failures_now
from watchdog.tables.tasks.heard_runs import heard_spans, question, timings_over, with_timings
from watchdog.tables.tasks.listed import COUNTED, EVENTS, RECENT, Earlier, earlier_now, span_of, still_of_use
from watchdog.tables.tasks.names import NAMELESS
from watchdog.tables.tasks.outcomes import REVOKED, STARTED, more_revoked, outcomes_now
from watchdog.tables.tasks.rows import COUNTS, IN_A_ROW, PROVED, failure_cells, task_row, without_counts
from watchdog.tables.tasks.runtimes import BY_QUEUE, RUNTIMES, runtime_cells, runtimes_due, runtimes_now
from watchdog.tables.workers.dark import Heard, dark

__all__ = ["TABLE", "TaskCounters"]

OF_FAILURES = ("failed", "error_rate", "finished", "exception", "example", *PROVED)
"""Columns that the list of failures corrects or fills."""
OF_CLUSTER = ("per_min", "error_rate", "finished")
RUNTIME_AVG = "runtime of its successes within the window, average: of all that were heard; from Flower alone, of its last 100"
N = Kind.NUMBER

COLUMNS = (
    Column("name", Kind.TEXT, "the task's name"),
    *(Column(event, N, f"tasks {event} within the window", "tasks", 0.0, windowed=True) for event in COUNTED),
    Column(
        "expired",
        N,
        "revoked tasks that had expired before they began; nameless ones may have been revoked by hand",
        "tasks",
        0.0,
        windowed=True,
    ),
    Column("expired_in_a_row", N, "messages that expired since one of it last ran; of nameless ones, since any task ran", "tasks", 0.0),
    Column("expired_row_s", N, "since the first of this row", "s", 0.0),
    Column("expired_row_usual", N, "the longest such row within 8 days that a run ended", "tasks", 0.0),
    Column("redelivered", N, "runs within the window of messages whose run before never ended", "runs", 0.0, windowed=True),
    Column("most_redelivered", N, "the most often that one message of it was started again without an end, within an hour", "times", 0.0),
    Column("finished", N, "succeeded and failed within the window", "tasks", 0.0, windowed=True),
    Column("error_rate", N, "failed of finished", "ratio", 0.0, windowed=True),
    Column("failure_odds", N, "how many times likelier its runs are if it fails more often than usual; 1: no evidence", neutral=1.0),
    Column("over_odds", N, "how many times likelier its runs are if it fails as usual again", neutral=1.0),
    Column("suspect_runs", N, "runs since this evidence began", "runs", 0.0),
    Column("suspect_failed", N, "failed of these", "runs", 0.0),
    Column("error_rate_low", N, "how often it fails at least: the lower bound of Wilson's 95 % interval of these runs", "ratio", 0.0),
    Column("error_rate_high", N, "how often it fails at most: the upper bound", "ratio", 1.0),
    Column("failed_in_a_row", N, "runs that failed since one succeeded", "runs", 0.0),
    Column("has_succeeded", Kind.BOOLEAN, "it was seen to succeed, with no pause of over 8 days since"),
    Column("usual_error_rate", N, "how often it failed over the last week; 0 until a day and 500 runs were watched", "ratio", 0.0),
    Column("exception", Kind.TEXT, "the most frequent type of its last failures within the hour; empty without any", neutral=""),
    Column("example", Kind.TEXT, "the text of the last failure of that type", neutral=""),
    Column("retry_rate", N, "retried of finished", "ratio", 0.0, windowed=True),
    Column("per_min", N, "finished a minute", "1/min", 0.0, windowed=True),
    Column("runtime_avg", N, RUNTIME_AVG, "s", 0.0, windowed=True),
    *(Column(f"runtime_p{nth}", N, f"the same, {nth}th percentile", "s", 0.0, windowed=True) for nth in (50, 95, 99)),
    Column(
        "wait_p95", N, "how long they were in their worker before they started (an ETA included), 95th percentile", "s", 0.0, windowed=True
    ),
    Column("last_success_s", N, "since it was last seen to succeed", "s", 0.0),
    Column("last_seen_s", N, "since anything of it was last seen", "s", 0.0),
)


def asks(asking: Asking) -> Iterable[Query]:
    """Return the queries of the table.

    The counters, as often as their answer is renewed; for counts in a first poll the last tasks; for runtimes the last successes.
    """
    if asking.target.without_tasks:
        return []
    memory, demand = _memory(asking.memory), asking.demand
    wanted: list[Query] = [ReadEventCounters()]
    if memory.read_at is None and _counts_wanted(demand):
        wanted.append(RECENT)
    if _failures_wanted(demand):
        wanted.append(LISTED)
    if demand.wants("tasks", "redelivered", "most_redelivered"):
        wanted.append(STARTED)
    if demand.wants("tasks", "expired", *IN_A_ROW) and (memory.outcomes.revoked is None or _more_revoked(memory, asking)):
        wanted.append(REVOKED)
    wanted += question(asking.target, memory.hearing)
    if _runtimes_wanted(asking.target, demand) or demand.wants("queues", *BY_QUEUE):
        return [*wanted, *_runtimes_due(asking, memory)]
    return [*wanted, *(list(_runtimes_due(asking, memory))[:1] if demand.history and memory.read_at is not None else ())]


def _memory(memory: object) -> TaskCounters:
    return memory if isinstance(memory, TaskCounters) else TaskCounters()


def _counts_wanted(demand: Demand) -> bool:
    return demand.wants("tasks", *COUNTS, *PROVED, *IN_A_ROW) or demand.wants("cluster", *OF_CLUSTER)


def _failures_wanted(demand: Demand) -> bool:
    return demand.wants("errors") or demand.wants("tasks", *OF_FAILURES) or demand.wants("cluster", *OF_CLUSTER)


def _runtimes_wanted(target: Target, demand: Demand) -> bool:
    """Whether Flower is asked for runtimes; those that are heard are known anyway."""
    return target.hears_tasks or demand.wants("tasks", *RUNTIMES)


def _more_revoked(memory: TaskCounters, asking: Asking) -> bool:
    """Whether any task was revoked since the counters were last read, by what Flower counts or by what was heard."""
    counters = asking.replies.get(ReadEventCounters(), EventCounters)
    flowers = not isinstance(counters, Gap) and more_revoked(memory.counts, counters)
    heard = counted_by_events(asking.replies)
    return flowers or (heard is not None and more_revoked(memory.ours.counts, heard))


def _runtimes_due(asking: Asking, memory: TaskCounters) -> Iterable[Query]:
    if memory.read_at is not None:
        return runtimes_due(asking, memory.runtimes, memory.last_success)
    counters = asking.replies.get(ReadEventCounters(), EventCounters)
    return [] if isinstance(counters, Gap) else runtimes_due(asking, {}, {}, _successes(counters, asking.target))


def _successes(counters: EventCounters, target: Target) -> dict[str, float]:
    """Return task -> how often it succeeded on this target's workers since Flower's start."""
    totals: dict[str, float] = {}
    for worker, task, event, count in counters.each():
        if task not in ("", NAMELESS) and event == "succeeded" and count and covers(worker, target.workers):
            totals[task] = totals.get(task, 0.0) + count
    return totals


def read(look: Look) -> Reading:
    """Return a row for every known task name, with what it did within the window."""
    if look.target.without_tasks:
        return Reading(idle={c.name: look.target.without_tasks for c in COLUMNS})
    memory, heard = _memory(look.memory), counted_by_events(look.replies)
    idle = {} if _runtimes_wanted(look.target, look.demand) else dict.fromkeys(RUNTIMES, NOT_READ)
    counters = look.replies.get(ReadEventCounters(), EventCounters)
    by_events = look.replies.asked(FAILURES_HEARD) and memory.read_at is not None and memory.ours.counts_on(heard)
    if isinstance(counters, Gap):
        if not by_events:
            rows = tuple(_blind_row(name, counters.reason, idle) for name in memory.last_seen)
            return Reading(rows, unread=counters.reason, idle=idle, memory=replace(memory, ours=after_nobody(memory.ours, heard)))
        counters = EventCounters(memory.started_at, memory.counts)
    counters = of_tasks(counters)
    memory = _counted_since(memory, counters, look.now, heard=by_events)
    if not by_events and of_another_flower(memory, counters, look.now):
        memory = replace(memory, read_at=None)
    why_dark, seen = _dark(memory, heard if by_events and heard is not None else counters, look)
    memory = _since_listening(memory, counters, look.target)
    first_look = memory.read_at is None
    sample, now = _counted(replace(memory, heard=seen), counters, heard, look, by_events=by_events)
    idle = {} if sample.heard_since is not None else idle
    earlier, unlisted = earlier_now(look, counters) if first_look else (Earlier(memory.earlier), "")
    now = replace(now, earlier=still_of_use(earlier.slices, look.now))
    if first_look:
        evidence = with_evidence(now, list(earlier.slices))
        now = replace(now, evidence=evidence, suspected=suspected_now(now.suspected, evidence, look.now))
        now = replace(now, expired_rows=rows_after(now.expired_rows, earlier.slices))
    recent = (s for s in now.earlier if look.now - s.at < look.window_s)
    samples = [s for s in (*recent, *(() if first_look else (*within(look), sample))) if span_of(s) <= look.window_s]
    watched = min(sum(span_of(s) for s in samples), look.window_s)
    if first_look:
        counts = (*COUNTS, *PROVED, *IN_A_ROW) if not samples and not unlisted else ()
        idle |= {column: f"{column} needs a second poll" for column in (*counts, "last_success_s", "last_seen_s", "usual_error_rate")}
    elif not samples:
        idle |= {c.name: f"{c.name} needs two polls within {look.window_s:g}s" for c in COLUMNS if c.windowed and c.name not in RUNTIMES}
    succeeded = {**now.last_success, **(dict.fromkeys(_successes(counters, look.target), look.now) if first_look else {})}
    heard_runs = timings_over((*within(look), *(() if first_look else (sample,))), look.window_s)
    timing = partial(runtime_cells, now=look.now, window_s=look.window_s, listed=not look.target.hears_tasks)
    timed = {name: timing(now.runtimes.get(name), heard_runs.get(name), succeeded.get(name)) for name in now.last_seen}
    listed = look.replies.get(LISTED, tuple[TaskSeen, ...])
    why = listed.reason if isinstance(listed, Gap) and look.replies.asked(LISTED) else ""
    told = {name: {**timed[name], **failure_cells(name, now.failures, why)} for name in now.last_seen}
    rows = tuple(task_row(name, now, samples, watched, look.now, idle, told[name]) for name in sorted(now.last_seen))
    rows = tuple(without_counts(row, unlisted) for row in rows) if unlisted else rows
    forgotten = frozenset((name,) for name in memory.last_seen if name not in now.last_seen)
    return Reading(
        rows,
        partial=why_dark,
        missing=why_dark,
        idle=idle,
        memory=now,
        sample=None if first_look else sample,
        note=earlier.note or _note(look.replies),
        forgotten=forgotten,
        timings=heard_runs,
    )


def _dark(memory: TaskCounters, counters: EventCounters, look: Look) -> tuple[str | None, Heard]:
    """Return why counts are incomplete, according to the workers themselves, and what to remember of it.

    Heartbeats are newer than counters that are reused: what a worker took since is no contradiction. What was said of them holds until
    they are read again.
    """
    if ReadEventCounters() in look.replies.reused:
        return memory.heard.said or None, memory.heard
    workers = look.before["workers"].rows if "workers" in look.before else ()
    flower_s = -inf if counters.started_at is None else look.now - counters.started_at
    processed: dict[str, float] = {}
    began_after: dict[str, bool] = {}
    for cells in [row.cells for row in workers if row.cells.get("state") == "online"]:
        name, took, uptime_s = str(cells["name"]), cells.get("processed"), cells.get("uptime_s")
        if isinstance(took, float):
            processed[name], began_after[name] = took, isinstance(uptime_s, float) and uptime_s < flower_s
    events = {worker: sum([sum(of_task.values()) for of_task in tasks.values()]) for worker, tasks in counters.counts.items()}
    after = memory.heard.after(events, processed)
    why = dark(after if memory.read_at is not None else Heard(), events, processed, began_after)
    return why, replace(after, said=why or "")


def _counted(
    memory: TaskCounters, counters: EventCounters, heard: EventCounters | None, look: Look, *, by_events: bool
) -> tuple[Sample, TaskCounters]:
    """Return this poll's sample, and what to remember."""
    rise = rise_of_both(EventCounters(memory.started_at, memory.counts), memory.ours, counters, heard, by_events=by_events)
    listed = look.replies.get(LISTED, tuple[TaskSeen, ...])
    failures = memory.failures
    if not isinstance(listed, Gap):
        if rise.ours.told and counters.started_at is not None:  # a Flower that has restarted has lost nothing that was heard
            failures = replace(failures, flower_started_at=counters.started_at)
        failures = failures_now(failures, listed, look.target, counters.started_at, look.now)
    known = None if isinstance(listed, Gap) else failures_heard(look.replies)
    sample, mended = sample_of(memory, failures, rise, look.target, look.now, heard=known)
    if memory.read_at is None:  # what was listed then was counted before the first poll
        mended = replace(mended, owed={}, unnamed=0.0)
    outcomes, expired, redelivered = outcomes_now(memory.outcomes, look.replies, look.target, look.now)
    values = dict(sample.values)
    for nth, counted in ((EVENTS.index("expired"), expired), (EVENTS.index("redelivered"), redelivered)):
        for name, count in counted.items():
            numbers = list(values.get(name, (0.0,) * len(EVENTS)))
            numbers[nth] = float(count)
            values[name] = tuple(numbers)
    sample = Sample(sample.at, values)
    now = remember(replace(mended, failures=failures, outcomes=outcomes), counters, sample, look)
    if memory.read_at is not None:
        sample, hearing = with_timings(sample, memory.hearing, look.replies, look.target)
        now = replace(now, hearing=hearing)
    named = (name for name in now.last_seen if name != NAMELESS)
    heard_in = heard_spans(memory.hearing, now.hearing)
    return sample, replace(now, runtimes=runtimes_now(memory.runtimes, named, look.replies, look.target, look.now, heard_in))


def _note(replies: Replies) -> str:
    """Return why tasks are known from Flower alone, though their events should be heard as well."""
    counted = replies.get(CountHeard(), EventCounters)
    return f"as Flower tells it; {counted.reason}" if isinstance(counted, Gap) and replies.asked(CountHeard()) else ""


def _counted_since(memory: TaskCounters, counters: EventCounters, now: float, *, heard: bool) -> TaskCounters:
    """Return the memory with since when nothing was missed: what a Flower that started anew had not told is lost, unless it was heard."""
    began = None not in (memory.started_at, counters.started_at) and memory.started_at != counters.started_at
    missed = memory.counted_since is None or (began and not (heard and not memory.ours.gap))
    return replace(memory, counted_since=now) if missed else memory


def _since_listening(memory: TaskCounters, counters: EventCounters, target: Target) -> TaskCounters:
    """Return the memory before a first reading: what watchdog hears itself has happened since it began to listen, all of it."""
    if memory.read_at is not None or not target.hears_tasks or counters.started_at is None:
        return memory
    return replace(memory, read_at=counters.started_at, started_at=counters.started_at)


def _blind_row(name: str, why: str, idle: Mapping[str, str]) -> Row:
    blind = [c.name for c in COLUMNS if c.name != "name" and c.name not in idle]
    return Row({"name": name} | dict.fromkeys(blind), dict.fromkeys(blind, why))


TABLE = Table("tasks", "a task name", ("name",), COLUMNS, asks, read, memory=TaskCounters)
