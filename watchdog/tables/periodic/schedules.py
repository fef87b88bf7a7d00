"""`schedules`: one row per task that is expected to succeed regularly, with how late its success is.

Which these are is configured (`[[target.schedule]]`), or taken from a scheduler; what is configured wins. The wait begins at the last
success that was seen; before the first, when watchdog began to look, so that a fresh install raises no false alarm; again after a time in
which nobody counted what succeeded, as when Flower started anew and no events were heard; and again when the schedule changes.
"""

import zlib
from collections.abc import Collection, Iterable, Mapping
from math import inf

from msgspec import Struct, field

from watchdog.core.model.queries import Query, ReadEventCounters
from watchdog.core.model.rows import Asking, Cell, Column, Kind, Look, Reading, Row, Table
from watchdog.core.model.schedules.schedule import Schedule
from watchdog.core.text.durations import format_duration
from watchdog.tables.periodic.counted import counted_since, missed_since, uncounted
from watchdog.tables.periodic.plans import Registered
from watchdog.tables.periodic.schedulers import SchedulersSeen, schedulers_seen, schedules_of
from watchdog.tables.periodic.single_look import without_tasks
from watchdog.tables.tasks.counters import TaskCounters

__all__ = ["TABLE", "Awaited", "SchedulesSeen"]

COLUMNS = (
    Column("task", Kind.TEXT, "the name that its runs have: the task's, or the shadow that its scheduler sends it with"),
    Column("origin", Kind.TEXT, "who says that it is expected", allowed=("configured", "beat", "redbeat", "django")),
    Column("entries", Kind.TEXT, "the entries of the scheduler that send it, joined by a comma; empty if it is configured", neutral=""),
    Column("every_s", Kind.NUMBER, "between its next two runs; infinite for what runs once", "s"),
    Column("grace_s", Kind.NUMBER, "how late its success may be", "s", 0.0),
    Column("last_success_s", Kind.NUMBER, "since it was last seen to succeed", "s"),
    Column(
        "overdue_s",
        Kind.NUMBER,
        "by how much its success is late; 0 while it is not, or while it runs without a grace of its own",
        "s",
        0.0,
    ),
    Column(
        "registered",
        Kind.BOOLEAN,
        "whether some worker online registers it, or has run it all the same, as under a shadow; as last known while none is online",
    ),
    Column("sends", Kind.TEXT, "the task that is sent, if its runs have another name (a shadow); else empty", neutral=""),
)
OF_TASKS = ("last_success_s", "overdue_s")
"""Columns that need what tasks do."""
NOT_CONFIGURED = "no [[target.schedule]] is configured"
CONFIGURED = "configured"
MOST_ENTRIES_SHOWN = 5
SHORTEST_HELD_S, LONGEST_HELD_S = 180.0, 7200.0


class Expected(Struct, frozen=True):
    """One task that is expected: by one schedule or by several entries. `patient`: not late while it runs.

    `task`: the name that its runs have. `sent`: the tasks that are sent so; that name itself, unless a scheduler gives them a shadow.
    """

    task: str
    origin: str
    parts: tuple[Schedule, ...]
    sent: tuple[str, ...]
    entries: tuple[str, ...] = ()
    patient: bool = False

    def due_at(self, since: float) -> float:
        """When the success after `since` is late (epoch seconds)."""
        return min(part.due_at(since) for part in self.parts)

    def next_part(self, since: float) -> Schedule:
        """The schedule that is due first."""
        return min(self.parts, key=lambda part: part.due_at(since))

    @property
    def definition(self) -> str:
        """What changes when the schedule does."""
        texts = (f"{one.every_s} {one.by_s} {one.at} {one.zone} {[sorted(f) for f in _fields(one)]}" for one in self.parts)
        return f"{zlib.crc32(chr(10).join(sorted(texts)).encode()):08x}"


class Awaited(Struct, frozen=True):
    """One task (epoch seconds): since when a success is awaited if none was seen, and the last that was seen."""

    since: float
    succeeded_at: float | None = None
    definition: str = ""
    """Of its schedule; empty if an earlier release remembered it."""
    unregistered_since: float | None = None
    """Since when it is known that no worker online registers it; infinite once one did. None: nobody has said it yet."""

    @property
    def waits_since(self) -> float:
        """What the next run is counted from."""
        return max(self.since, self.succeeded_at or self.since)

    @property
    def runs_unregistered(self) -> bool:
        """Whether it succeeded though no worker ever registered it: its name is the shadow of a task that one does.

        What was registered once is no shadow: a run of it may end long after its worker is gone.
        """
        since, at = self.unregistered_since, self.succeeded_at
        return since is not None and at is not None and at > since


class SchedulesSeen(Struct, frozen=True):
    """The memory of the table. `counted_since`: since when nothing was missed that tasks did."""

    awaited: Mapping[str, Awaited] = field(default_factory=dict)
    counted_since: float | None = None


def asks(asking: Asking) -> Iterable[Query]:
    """Return what shows successes, if any task is awaited."""
    awaited = asking.target.schedules or asking.target.schedulers
    return [ReadEventCounters()] if awaited and asking.demand.wants("schedules") else []


def read(look: Look) -> Reading:
    """Return one row per task; if nobody counts what tasks do, or not all, how late each is remains unknown."""
    if not (look.target.schedules or look.target.schedulers):
        return Reading(idle={column.name: NOT_CONFIGURED for column in COLUMNS})
    before = look.memory if isinstance(look.memory, SchedulesSeen) else SchedulesSeen()
    schedulers = schedulers_seen(look.before["schedulers"].memory)
    expected = _expected(look, schedulers)
    unknown = uncounted(look)
    seen = _seen(before, expected, look, schedulers.registered)
    running = frozenset(row.cells.get("name") for row in look.before["running"].rows)
    rows = [
        _row(one, seen.awaited[one.task], look.now, unknown, _due_at(one, seen.awaited[one.task], schedulers, running)) for one in expected
    ]
    shown = tuple(
        _with_registered(row, one, seen.awaited[one.task], schedulers.registered) for one, row in zip(expected, rows, strict=True)
    )
    return Reading(shown, memory=seen)


def _expected(look: Look, schedulers: SchedulersSeen) -> list[Expected]:
    """Return the tasks, each as the first says that names it: the configuration, then the schedulers in its order."""
    sent = _sent_as(schedulers)
    found = {one.task: Expected(one.task, CONFIGURED, (one,), sent.get(one.task, (one.task,))) for one in look.target.schedules}
    for scheduler in look.target.schedulers:
        known = schedulers.known.get(scheduler.kind)
        if known is None:
            continue
        theirs: dict[str, list[tuple[str, Schedule]]] = {}
        for one, when in schedules_of(scheduler, known.plan):
            if isinstance(when, Schedule) and one.heard_as not in found:
                theirs.setdefault(one.heard_as, []).append((one.entry, when))
        for task, parts in theirs.items():
            entries = tuple(entry for entry, _ in parts)
            whens = tuple(when for _, when in parts)
            found[task] = Expected(task, scheduler.kind, whens, sent[task], entries, scheduler.grace_s is None)
    return list(found.values())


def _sent_as(schedulers: SchedulersSeen) -> Mapping[str, tuple[str, ...]]:
    """The name that runs have -> the tasks that the schedulers send so: one, unless several share a shadow."""
    found: dict[str, dict[str, None]] = {}
    for known in schedulers.known.values():
        for one in known.plan.tasks.entries:
            found.setdefault(one.heard_as, {})[one.task] = None
    return {name: tuple(tasks) for name, tasks in found.items()}


def _fields(one: Schedule) -> tuple[frozenset[int], ...]:
    cron = one.cron
    return () if cron is None else (cron.minutes, cron.hours, cron.days, cron.months, cron.weekdays)


def _seen(before: SchedulesSeen, expected: list[Expected], look: Look, registered: Registered) -> SchedulesSeen:
    tasks, counted, now = look.before["tasks"].memory, counted_since(look), look.now
    successes = tasks.last_success if isinstance(tasks, TaskCounters) else {}
    missed = missed_since(before.counted_since, counted)
    awaited = {}
    for one in expected:
        last, definition = before.awaited.get(one.task), one.definition
        known = last or Awaited(now)
        changed = known.definition not in ("", definition)
        since = now if missed or changed else known.since
        succeeded_at = successes.get(one.task) or known.succeeded_at
        awaited[one.task] = Awaited(
            since, succeeded_at, definition, _unregistered_since(known, now, is_registered=_is_registered(one, registered))
        )
    return SchedulesSeen(awaited, counted)


def _is_registered(expected: Expected, registered: Registered) -> bool | None:
    """Whether workers register what is sent; None: not all have said it."""
    if all(map(registered.has, expected.sent)):
        return True
    return False if registered.known and not registered.silent else None


def _unregistered_since(known: Awaited, now: float, *, is_registered: bool | None) -> float | None:
    if is_registered:
        return inf
    return now if is_registered is False and known.unregistered_since is None else known.unregistered_since


def _due_at(expected: Expected, awaited: Awaited, schedulers: SchedulersSeen, running: Collection[object]) -> float:
    """When it is late. While nothing of its scheduler was seen since it was due, that is silent, which is told first."""
    since = awaited.waits_since
    due_at = expected.due_at(since)
    known = schedulers.known.get(expected.origin)
    if known is None or not expected.patient:
        return due_at
    if expected.task in running:
        return inf
    part = expected.next_part(since)
    silent = known.sign_at is None or known.sign_at < part.next_run_at(since)
    return due_at + max(min(2 * part.period_s(since), LONGEST_HELD_S), SHORTEST_HELD_S) if silent else due_at


def _row(expected: Expected, awaited: Awaited, now: float, unknown: str, due_at: float) -> Row:
    since = awaited.waits_since
    part = expected.next_part(since)
    more = len(expected.entries) - MOST_ENTRIES_SHOWN
    cells: dict[str, Cell] = {
        "task": expected.task,
        "origin": expected.origin,
        "entries": ", ".join(expected.entries[:MOST_ENTRIES_SHOWN]) + (f" and {more} more" if more > 0 else ""),
        "every_s": inf if part.at is not None else part.period_s(since),
        "grace_s": part.grace_at(since),
        "last_success_s": None if awaited.succeeded_at is None else max(now - awaited.succeeded_at, 0.0),
        "overdue_s": None if unknown else max(now - due_at, 0.0),
    }
    gaps = {"overdue_s": unknown} if unknown else {}
    if awaited.succeeded_at is None:
        watched = format_duration(round(max(now - awaited.since, 0.0)))
        gaps["last_success_s"] = f"no success was seen since watchdog began to look, {watched} ago"
    return Row(cells, gaps)


def _sends(expected: Expected, registered: Registered) -> str:
    """The task that is sent under another name; of several, one that no worker registers."""
    task = next((one for one in expected.sent if not registered.has(one)), expected.sent[0])
    return "" if task == expected.task else task


def _with_registered(row: Row, expected: Expected, awaited: Awaited, registered: Registered) -> Row:
    row = Row({**row.cells, "sends": _sends(expected, registered)}, row.gaps)
    is_registered = _is_registered(expected, registered)
    if is_registered is False and expected.origin == CONFIGURED and awaited.runs_unregistered:
        is_registered = True
    if is_registered is not None:
        return Row({**row.cells, "registered": is_registered}, row.gaps)
    who = f"{registered.silent} has not" if registered.silent else "no worker has"
    return Row({**row.cells, "registered": None}, {**row.gaps, "registered": f"{who} said which tasks it registers"})


TABLE = Table(
    "schedules",
    "a task expected to succeed on a schedule",
    ("task",),
    COLUMNS,
    asks,
    lambda look: without_tasks(read(look), look, OF_TASKS),
    SchedulesSeen,
    needs=("schedulers", "tasks", "running"),
)
