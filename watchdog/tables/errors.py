"""`errors`: a row a task and exception type, over the rule's window, from the failed tasks that Flower lists.

A MemoryError is never among them: it ends the whole worker, without a failed task (measured on Celery 5.7).
"""

from collections import Counter
from collections.abc import Iterable, Mapping

from watchdog.core.demand import NOT_READ
from watchdog.core.gaps import Gap
from watchdog.core.queries import Query, ReadEventCounters
from watchdog.core.replies import EventCounters, TaskSeen
from watchdog.core.rows import Asking, Cell, Column, Kind, Look, Reading, Row, Table
from watchdog.tables.failure_kinds import CATEGORIES, category_of
from watchdog.tables.failures_known import LISTED, Failure, Failures, failures_now, failures_of

__all__ = ["TABLE"]

N, T = Kind.NUMBER, Kind.TEXT
COLUMNS = (
    Column("task", T, "the task's name"),
    Column("exception", T, "the exception's type"),
    Column("category", T, "what kind of failure it is", allowed=CATEGORIES),
    Column("queue", T, "the queue most of them came from, where their senders tell"),
    Column("count", N, "failures within the window", "failures", 0.0, windowed=True),
    Column("share", N, "of the task's failures", "ratio", 0.0, windowed=True),
    Column("duration_avg_s", N, "how long the failed runs took", "s", 0.0, windowed=True),
    Column("example", T, "what the last one said"),
)
NO_QUEUE = "flower: their senders do not tell (task_send_sent_event is off)"
NO_DURATION = "flower: missed when they started"


def asks(asking: Asking) -> Iterable[Query]:
    """The last failures, and since when Flower counts; nothing where nobody reads it."""
    wanted = "flower" in asking.target.sources and asking.demand.wants("errors")
    return [LISTED, ReadEventCounters()] if wanted else []


def read(look: Look) -> Reading:
    """Every kind of failure within the window."""
    why = "needs Flower, and this target has no `flower`" if "flower" not in look.target.sources else NOT_READ
    if "flower" not in look.target.sources or not look.demand.wants("errors"):
        return Reading(idle={c.name: why for c in COLUMNS})
    memory = failures_of(look.memory)
    listed = look.replies.get(LISTED, tuple[TaskSeen, ...])
    if isinstance(listed, Gap):
        kinds = _by_kind(memory, look)
        return Reading(tuple(_blind_row(*kind, listed.reason) for kind in kinds), unread=listed.reason, memory=memory)
    counters = look.replies.get(ReadEventCounters(), EventCounters)
    started_at = None if isinstance(counters, Gap) else counters.started_at
    now = failures_now(memory, listed, look.target, started_at, look.now)
    kinds = _by_kind(now, look)
    of_task = Counter(task for (task, _), failures in kinds.items() for _ in failures)
    rows = tuple(_row(*kind, failures, of_task[kind[0]]) for kind, failures in kinds.items())
    return Reading(rows, partial=_partial(now, look), memory=now)


def _by_kind(known: Failures, look: Look) -> Mapping[tuple[str, str], list[Failure]]:
    """(task, exception) -> its failures within the window, oldest first; those of a clock ahead of ours count as of now."""
    kinds: dict[tuple[str, str], list[Failure]] = {}
    for failure in known.known.values():
        if look.now - failure.at <= look.window_s:
            kinds.setdefault((failure.task, failure.exception), []).append(failure)
    return kinds


def _partial(known: Failures, look: Look) -> str | None:
    """Why there may be failures within the window that nobody knows of."""
    cut = known.whole_since is not None and known.whole_since > look.now - look.window_s
    return known.why_not if cut and known.why_not else None


def _row(task: str, exception: str, failures: list[Failure], of_task: int) -> Row:
    queues = Counter(failure.queue for failure in failures if failure.queue)
    durations = [failure.duration_s for failure in failures if failure.duration_s is not None]
    cells: dict[str, Cell] = {
        "task": task,
        "exception": exception,
        "category": category_of(exception),
        "queue": queues.most_common(1)[0][0] if queues else None,
        "count": float(len(failures)),
        "share": len(failures) / of_task,
        "duration_avg_s": sum(durations) / len(durations) if durations else None,
        "example": failures[-1].example,
    }
    gaps = {"queue": NO_QUEUE, "duration_avg_s": NO_DURATION}
    return Row(cells, {name: why for name, why in gaps.items() if cells[name] is None})


def _blind_row(task: str, exception: str, why: str) -> Row:
    known: dict[str, Cell] = {"task": task, "exception": exception, "category": category_of(exception)}
    blind = [c.name for c in COLUMNS if c.name not in known]
    return Row({**known, **dict.fromkeys(blind)}, dict.fromkeys(blind, why))


TABLE = Table("errors", "an exception type of a task", ("task", "exception"), COLUMNS, asks, read, memory=Failures)
