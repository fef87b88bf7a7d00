"""`errors`: one row per task and exception type, over the rule's window, from the failed tasks that Flower lists and `tasks` remembers.

A MemoryError never appears: it ends the whole worker, without a failed task (measured on Celery 5.7).
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from math import inf

from msgspec import Struct, field

from watchdog.core.model.demand import NOT_READ
from watchdog.core.model.gaps import Gap
from watchdog.core.model.queries import Query, ReadEventCounters
from watchdog.core.model.replies import TaskSeen
from watchdog.core.model.rows import Asking, Cell, Column, Kind, Look, Reading, Row, Table
from watchdog.tables.tasks.categories import CATEGORIES, category_of
from watchdog.tables.tasks.failures import LISTED, Failure, Failures
from watchdog.tables.tasks.novelty import NEW, RETURNED
from watchdog.tables.tasks.table import TaskCounters
from watchdog.tables.tasks.usual_errors import has_past, usual_count

__all__ = ["TABLE"]

N, T = Kind.NUMBER, Kind.TEXT
NOVELTIES = ("", NEW, RETURNED)
COLUMNS = (
    Column("task", T, "the task's name"),
    Column("exception", T, "the exception's type"),
    Column("category", T, "what kind of failure it is", allowed=CATEGORIES),
    Column("queue", T, "the queue most of them came from, if their senders report it"),
    Column("count", N, "failures within the window", "failures", 0.0, windowed=True),
    Column("share", N, "of the task's failures", "ratio", 0.0, windowed=True),
    Column("duration_avg_s", N, "how long the failed runs took", "s", 0.0, windowed=True),
    Column("example", T, "the text of the last one"),
    Column(
        "fresh",
        N,
        "failures within the window since its task as a whole was last suspected to fail too often",
        "failures",
        0.0,
        windowed=True,
    ),
    Column(
        "usual_count", N, "how many such a window holds as a rule, by its past and by its share of runs", "failures", 0.0, windowed=True
    ),
    Column("has_past", Kind.BOOLEAN, "more than the window is known of its task: what is usual can be known"),
    Column("run_share", N, "of the task's runs, as far as they are counted", "ratio", 0.0, windowed=True),
    Column("last_s", N, "since the last one", "s", 0.0),
    Column(
        "novelty", T, "new: first seen within 24 hours; returned: seen again within 24 hours, after a week without it", allowed=NOVELTIES
    ),
    Column("known_s", N, "since it was first seen, or seen again after a week", "s", inf),
    Column("error_rate_low", N, "how often its task fails at least, as far as it is proved: see `tasks`", "ratio", 0.0),
)
BY_TASK = ("fresh", "run_share", "error_rate_low")
NO_QUEUE = "their senders do not report it (task_send_sent_event is off)"
TOO_SHORT = "failures have not been watched for long enough before it: a day for what is new, a week for what has returned"
NO_DURATION = "the events of their starts were missed"


def asks(asking: Asking) -> Iterable[Query]:
    """Return the queries of the last failures and of Flower's start; none if nobody reads the table."""
    wanted = not asking.target.without_tasks and asking.demand.wants("errors")
    return [LISTED, ReadEventCounters()] if wanted else []


def read(look: Look) -> Reading:
    """Return a row for every kind of failure within the window."""
    why = look.target.without_tasks or NOT_READ
    if look.target.without_tasks or not look.demand.wants("errors"):
        return Reading(idle={c.name: why for c in COLUMNS})
    tasks = look.before["tasks"] if "tasks" in look.before else Reading()
    known = tasks.memory.failures if isinstance(tasks.memory, TaskCounters) else Failures()
    listed = look.replies.get(LISTED, tuple[TaskSeen, ...])
    kinds = _by_kind(known)
    if isinstance(listed, Gap):
        return Reading(tuple(_blind_row(*kind, listed.reason) for kind in kinds), unread=listed.reason)
    partial = _partial(known, look)
    within = {kind: [f for f in failures if look.now - f.at <= look.window_s] for kind, failures in kinds.items()}
    of_task = Counter(task for (task, _), failures in within.items() for _ in failures)
    of_tasks = {name: _task(name, tasks, look) for name in {task for task, _ in kinds}}
    rows = tuple(
        _row(*kind, kinds[kind], recent, of_task[kind[0]], of_tasks[kind[0]], look)
        for kind, recent in within.items()
        if recent or partial  # in a partially read table an absent row is unknown, so a kind that has ended needs a row
    )
    return Reading(rows, partial=partial)


class _Task(Struct, frozen=True):
    """What is known of a row's task. `why`: why its failure rate is unknown.

    `since`: when it was first seen to finish; `runs`: all watched runs; `finished`: those within the window.
    """

    error_rate_low: Cell = 0.0
    why: str = ""
    suspected_at: float = -inf
    since: float | None = None
    runs: float = 0.0
    finished: float = 0.0
    error_rate: float = 1.0
    memory: TaskCounters = field(default_factory=TaskCounters)


def _by_kind(known: Failures) -> Mapping[tuple[str, str], list[Failure]]:
    """Return (task, exception) -> its remembered failures, oldest first."""
    kinds: dict[tuple[str, str], list[Failure]] = {}
    for failure in known.known.values():
        kinds.setdefault((failure.task, failure.exception), []).append(failure)
    return kinds


def _partial(known: Failures, look: Look) -> str | None:
    """Return why there may be unknown failures within the window."""
    cut = known.whole_since is not None and known.whole_since > look.now - look.window_s
    return known.why_not if cut and known.why_not else None


def _task(name: str, tasks: Reading, look: Look) -> _Task:
    memory = tasks.memory if isinstance(tasks.memory, TaskCounters) else TaskCounters()
    row = next((row for row in tasks.rows if row.cells["name"] == name), None)
    why = "" if row is None else tasks.unread or row.gaps.get("error_rate_low") or tasks.idle.get("error_rate_low", "")
    cells: Mapping[str, Cell] = {} if row is None else row.cells
    habit, finished, error_rate = memory.habits.get(name), cells.get("finished"), cells.get("error_rate")
    return _Task(
        error_rate_low=None if why else cells.get("error_rate_low", 0.0),
        why=why,
        suspected_at=memory.suspected.get(name, -inf),
        since=habit.since if habit is not None else None,
        runs=habit.runs_at(look.now) if habit is not None else 0.0,
        finished=finished if isinstance(finished, float) else 0.0,
        error_rate=error_rate if isinstance(error_rate, float) and finished else 1.0,
        memory=memory,
    )


def _row(task: str, exception: str, known: list[Failure], recent: list[Failure], of_task: int, of: _Task, look: Look) -> Row:
    """Return one row. `recent`: the known failures within the window; `of_task`: the number of its task's failures there."""
    queues = Counter(failure.queue for failure in recent or known if failure.queue)
    durations = [failure.duration_s for failure in recent or known if failure.duration_s is not None]
    usual, sighting = of.memory.failures.usual, of.memory.failures.sightings.of(task, exception)
    count, share = float(len(recent)), len(recent) / of_task if of_task else 0.0
    cells: dict[str, Cell] = {
        "task": task,
        "exception": exception,
        "category": category_of(exception),
        "queue": queues.most_common(1)[0][0] if queues else None,
        "count": count,
        "share": share,
        "duration_avg_s": sum(durations) / len(durations) if durations else None,
        "example": known[-1].example,
        "fresh": None if of.why else float(sum(failure.at > of.suspected_at for failure in recent)),
        "usual_count": usual_count(usual.of(task, exception), count, usual.seconds, of.runs, look.window_s, of.finished),
        "has_past": has_past(usual, of.since, look.window_s, look.now),
        "run_share": None if of.why else share * of.error_rate,  # runs may be counted over less than the window
        "last_s": max(look.now - known[-1].at, 0.0),
        "novelty": None if sighting is None else sighting.novelty(look.now),
        "known_s": None if sighting is None else max(look.now - sighting.since, 0.0),
        "error_rate_low": of.error_rate_low,
    }
    gaps = {"queue": NO_QUEUE, "duration_avg_s": NO_DURATION, "novelty": TOO_SHORT, "known_s": TOO_SHORT, **dict.fromkeys(BY_TASK, of.why)}
    return Row(cells, {name: why for name, why in gaps.items() if cells[name] is None})


def _blind_row(task: str, exception: str, why: str) -> Row:
    known: dict[str, Cell] = {"task": task, "exception": exception, "category": category_of(exception)}
    blind = [c.name for c in COLUMNS if c.name not in known]
    return Row({**known, **dict.fromkeys(blind)}, dict.fromkeys(blind, why))


TABLE = Table("errors", "an exception type of a task", ("task", "exception"), COLUMNS, asks, read, needs=("tasks",))
