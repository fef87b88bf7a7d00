"""`schedules`: one row per task that is expected to succeed regularly (`[[target.schedule]]`), with how late its success is.

The wait begins at the last success that was seen; before the first, when watchdog began to look, so that a fresh install raises no false
alarm; and again when Flower started anew, because nobody counted what succeeded while it was down.
"""

from collections.abc import Iterable, Mapping

from msgspec import Struct, field

from watchdog.core.model.gaps import Gap
from watchdog.core.model.queries import Query, ReadEventCounters
from watchdog.core.model.replies import EventCounters
from watchdog.core.model.rows import Asking, Cell, Column, Kind, Look, Reading, Row, Table
from watchdog.core.model.schedule import Schedule
from watchdog.core.text.durations import format_duration
from watchdog.tables.tasks.counters import TaskCounters

__all__ = ["TABLE", "Awaited", "SchedulesSeen"]

COLUMNS = (
    Column("task", Kind.TEXT, "the task's name"),
    Column("every_s", Kind.NUMBER, "between its next two runs, as configured", "s"),
    Column("grace_s", Kind.NUMBER, "how late its success may be", "s", 0.0),
    Column("last_success_s", Kind.NUMBER, "since it was last seen to succeed", "s"),
    Column("overdue_s", Kind.NUMBER, "by how much its success is late; 0 while it is not", "s", 0.0),
)


class Awaited(Struct, frozen=True):
    """One task (epoch seconds): since when a success is awaited if none was seen, and the last that was seen."""

    since: float
    succeeded_at: float | None = None

    @property
    def waits_since(self) -> float:
        """What the next run is counted from."""
        return max(self.since, self.succeeded_at or self.since)


class SchedulesSeen(Struct, frozen=True):
    """The memory of the table. `flower_started_at`: of the Flower that counted last."""

    awaited: Mapping[str, Awaited] = field(default_factory=dict)
    flower_started_at: float | None = None


def asks(asking: Asking) -> Iterable[Query]:
    """Return what shows successes, if any task is awaited."""
    return [ReadEventCounters()] if asking.target.schedules and asking.demand.wants("schedules") else []


def read(look: Look) -> Reading:
    """Return one row per schedule; if Flower did not answer, or misses events, how late each is remains unknown."""
    if not look.target.schedules:
        return Reading(idle={column.name: "no [[target.schedule]] is configured" for column in COLUMNS})
    before = look.memory if isinstance(look.memory, SchedulesSeen) else SchedulesSeen()
    tasks, counters = look.before["tasks"], look.replies.get(ReadEventCounters(), EventCounters)
    unknown = counters.reason if isinstance(counters, Gap) else tasks.partial or ""
    seen = _seen(before, tasks.memory, None if isinstance(counters, Gap) else counters.started_at, look)
    rows = tuple(_row(one, seen.awaited[one.task], look.now, unknown) for one in look.target.schedules)
    return Reading(rows, memory=seen)


def _seen(before: SchedulesSeen, tasks: object, started_at: float | None, look: Look) -> SchedulesSeen:
    successes = tasks.last_success if isinstance(tasks, TaskCounters) else {}
    restarted = None not in (before.flower_started_at, started_at) and before.flower_started_at != started_at
    awaited = {}
    for one in look.target.schedules:
        known = before.awaited.get(one.task) or Awaited(look.now)
        awaited[one.task] = Awaited(look.now if restarted else known.since, successes.get(one.task) or known.succeeded_at)
    return SchedulesSeen(awaited, before.flower_started_at if started_at is None else started_at)


def _row(schedule: Schedule, awaited: Awaited, now: float, unknown: str) -> Row:
    since = awaited.waits_since
    cells: dict[str, Cell] = {
        "task": schedule.task,
        "every_s": schedule.period_s(since),
        "grace_s": schedule.grace_at(since),
        "last_success_s": None if awaited.succeeded_at is None else max(now - awaited.succeeded_at, 0.0),
        "overdue_s": None if unknown else max(now - schedule.due_at(since), 0.0),
    }
    gaps = {"overdue_s": unknown} if unknown else {}
    if awaited.succeeded_at is None:
        watched = format_duration(round(max(now - awaited.since, 0.0)))
        gaps["last_success_s"] = f"no success was seen since watchdog began to look, {watched} ago"
    return Row(cells, gaps)


TABLE = Table("schedules", "a task expected to succeed on a schedule", ("task",), COLUMNS, asks, read, SchedulesSeen, needs=("tasks",))
