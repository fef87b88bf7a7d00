"""`rhythms`: one row per task that comes at regular intervals although no schedule names it, with how long it has been silent.

Input: when each task was received, by the counters that `tasks` reads. Output: the rows; a memory of the last intervals of each task. A
task has a rhythm once six intervals in a row were alike. Read only if a rule or a query asks for it.
"""

from collections.abc import Iterable, Mapping
from math import inf

from msgspec import Struct, field

from watchdog.core.model.demand import NOT_READ
from watchdog.core.model.queries import Query, ReadEventCounters
from watchdog.core.model.rows import Asking, Cell, Column, Kind, Look, Reading, Row, Table
from watchdog.tables.periodic.counted import counted_since, missed_since, uncounted
from watchdog.tables.periodic.schedulers import schedulers_seen
from watchdog.tables.periodic.schedules import SchedulesSeen
from watchdog.tables.tasks.counters import NTH
from watchdog.tables.tasks.listed import SPAN
from watchdog.tables.tasks.names import NAMELESS

__all__ = ["TABLE", "Rhythm", "RhythmsSeen"]

COLUMNS = (
    Column("task", Kind.TEXT, "the task's name"),
    Column("usual_s", Kind.NUMBER, "the usual time between two of its runs", "s"),
    Column("silent_s", Kind.NUMBER, "since it was last received", "s", 0.0),
    Column("missed", Kind.NUMBER, "how often its usual time has passed since then", "runs", 0.0),
    Column("registered", Kind.BOOLEAN, "whether some worker is known to register it; true where nobody says", neutral=True),
)
INTERVALS = 6
SHORTEST_S = 120.0
"""Counters are read every 15 s: what comes more often has no rhythm that they show."""
SEEN_WITHIN_S = 20.0
ALIKE = 0.1
MOST_TASKS = 1000
FORGET_AFTER = 20
"""Usual times without a run, after which a rhythm is over: somebody stopped it on purpose."""


class Rhythm(Struct, frozen=True, gc=False):
    """When a task was last received (epoch seconds), and the last times between its runs."""

    at: float
    gaps: tuple[float, ...] = ()

    @property
    def usual_s(self) -> float | None:
        """The time between its runs; None: they are not alike, or too few."""
        if len(self.gaps) < INTERVALS or min(self.gaps) < SHORTEST_S:
            return None
        mean = sum(self.gaps) / len(self.gaps)
        return mean if all(abs(gap - mean) <= SEEN_WITHIN_S + ALIKE * mean for gap in self.gaps) else None

    def again(self, now: float, count: float) -> "Rhythm":
        """Return it after it was received again; several at once are no rhythm."""
        return Rhythm(now, (*self.gaps, now - self.at)[-INTERVALS:] if count == 1 else ())


class RhythmsSeen(Struct, frozen=True):
    """The memory of the table. `counted_since`: since when nothing was missed that tasks did."""

    known: Mapping[str, Rhythm] = field(default_factory=dict)
    counted_since: float | None = None


def asks(asking: Asking) -> Iterable[Query]:
    """Return what shows when tasks are received, if somebody reads the rows."""
    return [ReadEventCounters()] if not asking.target.without_tasks and asking.demand.wants("rhythms") else []


def read(look: Look) -> Reading:
    """Return one row per task with a rhythm; while nobody counts what tasks do, how long each has been silent is unknown."""
    if look.target.without_tasks:
        return Reading(idle={column.name: look.target.without_tasks for column in COLUMNS})
    if not look.demand.wants("rhythms"):
        return Reading(idle={column.name: NOT_READ for column in COLUMNS})
    before = look.memory if isinstance(look.memory, RhythmsSeen) else RhythmsSeen()
    why, since = uncounted(look), counted_since(look)
    if look.before["tasks"].unread is not None:
        rows = tuple(_row(task, one, look, why) for task, one in before.known.items() if one.usual_s is not None)
        return Reading(rows, memory=before)
    known = _known_now({} if missed_since(before.counted_since, since) else before.known, look)
    seen, scheduled = RhythmsSeen(known, since), _scheduled(look)
    rows = tuple(_row(task, one, look, why) for task, one in known.items() if one.usual_s is not None and task not in scheduled)
    return Reading(rows, memory=seen)


def _known_now(before: Mapping[str, Rhythm], look: Look) -> dict[str, Rhythm]:
    sample = look.before["tasks"].sample
    known = {task: one for task, one in before.items() if look.now - one.at <= FORGET_AFTER * (one.usual_s or inf)}
    for task, numbers in sample.values.items() if sample is not None and sample.at == look.now else ():
        count = numbers[NTH["received"]] or 0.0
        if task not in (SPAN, NAMELESS) and count > 0:
            known[task] = known[task].again(look.now, count) if task in known else Rhythm(look.now)
    latest = sorted(known.items(), key=lambda item: -item[1].at)[:MOST_TASKS]
    return dict(sorted(latest))


def _scheduled(look: Look) -> frozenset[str]:
    memory = look.before["schedules"].memory
    return frozenset(memory.awaited) if isinstance(memory, SchedulesSeen) else frozenset()


def _row(task: str, rhythm: Rhythm, look: Look, unknown: str) -> Row:
    usual_s, silent_s = rhythm.usual_s or 0.0, max(look.now - rhythm.at, 0.0)
    registered = schedulers_seen(look.before["schedulers"].memory).registered
    cells: dict[str, Cell] = {
        "task": task,
        "usual_s": usual_s,
        "silent_s": None if unknown else silent_s,
        "missed": None if unknown else float(silent_s // usual_s),
        "registered": registered.has(task) or not registered.known or bool(registered.silent),
    }
    return Row(cells, dict.fromkeys(("silent_s", "missed"), unknown) if unknown else {})


TABLE = Table(
    "rhythms",
    "a task that comes at regular intervals, and that no schedule names",
    ("task",),
    COLUMNS,
    asks,
    read,
    RhythmsSeen,
    needs=("schedules", "schedulers", "tasks"),
)
