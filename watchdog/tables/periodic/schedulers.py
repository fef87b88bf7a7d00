"""`schedulers`: one row per scheduler whose tasks are taken from it (`schedule = "beat"`), with whether it still sends.

Input: what workers, Redis or a database say of its tasks; when tasks were last received. Output: the rows, and a memory that `schedules`
reads too. What it sends is counted from when watchdog began to look, anew after each time that nobody counted and after each change of its
schedule, so that neither a fresh install nor an edited schedule raises a false alarm.

Redbeat and django-celery-beat note each run, but before they send it: one that cannot be sent is noted as well. So what workers received
counts, and a note only for an entry whose task cannot be seen to be received, or never was.
"""

import datetime as dt
from collections.abc import Iterable, Mapping

from msgspec import Struct, field
from msgspec.structs import replace

from watchdog.core.model.gaps import Gap
from watchdog.core.model.queries import Query, ReadEventCounters, SucceededTasks
from watchdog.core.model.replies import TaskSeen
from watchdog.core.model.rows import Asking, Cell, Column, Kind, Look, Reading, Row, Table
from watchdog.core.model.schedules.periodic import LocalZoneError, PeriodicTask, Scheduler
from watchdog.core.model.schedules.schedule import Schedule, default_grace_s
from watchdog.core.text.times_of_day import zone_of
from watchdog.tables.periodic import redbeat
from watchdog.tables.periodic.counted import counted_since, missed_since, uncounted
from watchdog.tables.periodic.doubles import ASK_EVERY_S, candidates, sent_twice
from watchdog.tables.periodic.plans import Plan, Registered, is_empty, nothing_read, plan_now, plan_queries, registered_now
from watchdog.tables.periodic.silence import backlog, last_sign, missed_runs
from watchdog.tables.periodic.single_look import without_tasks
from watchdog.tables.tasks.counters import TaskCounters
from watchdog.tables.tasks.runtimes import LIMIT
from watchdog.tables.workers.memory import known_workers_of, passed

__all__ = ["TABLE", "KnownScheduler", "Lock", "SchedulersSeen", "schedulers_seen", "schedules_of"]

N, T, B = Kind.NUMBER, Kind.TEXT, Kind.BOOLEAN
COLUMNS = (
    Column("name", T, "the scheduler", allowed=("beat", "redbeat", "django")),
    Column("tasks", N, "the tasks that it sends", "tasks", 0.0),
    Column("entries", N, "the entries of its schedule, without those that are excluded or not understood", "entries", 0.0),
    Column("not_understood", N, "entries that watchdog does not understand: see example", "entries", 0.0),
    Column("example", T, "one of them, and why", neutral=""),
    Column("shortest_s", N, "the shortest time between two runs of one task; 0 without any", "s", 0.0),
    Column("silent_s", N, "since any of its tasks was sent or received; 0 while messages wait that may be its own", "s", 0.0),
    Column("missed", N, "runs that were due since then, at most 10", "runs", 0.0),
    Column("sent_twice", N, "tasks that came twice at each of their last times, of the three that run most often", "tasks", 0.0),
    Column("twice", T, "one of them", neutral=""),
    Column("locked", B, "of redbeat: whether some beat holds the lock; true for the others, which have none", neutral=True),
    Column("renewed_s", N, "of redbeat: since the lock was seen to be renewed", "s", 0.0),
    Column("lock_key", T, "of redbeat: the key of the lock in Redis", neutral=""),
)
NOBODY = 'no schedule = "beat", "redbeat" or "django" is configured'
SeenAt = tuple[float | None, ...]
"""When the task of each entry was last seen (epoch seconds); None: never."""
LATER_S = 2.0
"""By how much longer than expected a lock must live to have been renewed."""


class Lock(Struct, frozen=True):
    """Redbeat's lock as last seen (epoch seconds): until when it lives, and when it was seen to be renewed."""

    until: float
    renewed_at: float


class KnownScheduler(Struct, frozen=True):
    """One scheduler as remembered. `since`: from when its silence counts; `sign_at`: the last sign of it (epoch seconds)."""

    plan: Plan
    since: float
    sign_at: float | None = None
    lock: Lock | None = None
    lock_seen: bool = False
    """Whether a beat of redbeat was ever seen to hold the lock."""
    doubled: Mapping[str, bool] = field(default_factory=dict)
    """Task -> whether it came twice at each of its last times when its runs were last listed, in the order of the lists."""
    listed_at: float | None = None


class SchedulersSeen(Struct, frozen=True):
    """The memory of the table, which `schedules` reads too. `counted_since`: since when nothing was missed that tasks did."""

    known: Mapping[str, KnownScheduler] = field(default_factory=dict)
    registered: Registered = Registered()
    counted_since: float | None = None


def schedulers_seen(memory: object) -> SchedulersSeen:
    """Return the memory of the table, or an empty one."""
    return memory if isinstance(memory, SchedulersSeen) else SchedulersSeen()


def asks(asking: Asking) -> Iterable[Query]:
    """Return what shows the schedules, and what shows that their tasks are received."""
    if not (asking.demand.wants("schedulers") or asking.demand.wants("schedules")):
        return
    yield from plan_queries(asking)
    if asking.target.schedulers:
        yield ReadEventCounters()
    if asking.demand.wants("schedulers", "sent_twice", "twice"):
        yield from _lists_due(asking)


def _lists_due(asking: Asking) -> Iterable[Query]:
    """The runs of one task a scheduler, in turn."""
    memory = schedulers_seen(asking.memory)
    for scheduler in asking.target.schedulers:
        known = memory.known.get(scheduler.kind)
        if known is None or not passed(known.listed_at, asking.now, ASK_EVERY_S):
            continue
        names = [task for task, _ in candidates(schedules_of(scheduler, known.plan), known.since)]
        turn = sorted(names, key=lambda name: list(known.doubled).index(name) if name in known.doubled else -1)
        yield from (SucceededTasks(name, LIMIT) for name in turn[:1])


def read(look: Look) -> Reading:
    """Return one row per scheduler."""
    workers = known_workers_of(look.before["workers"].memory)
    before = schedulers_seen(look.memory)
    registered = registered_now(before.registered, look.replies, workers)
    if not look.target.schedulers:
        idle = {column.name: NOBODY for column in COLUMNS}
        return Reading(idle=idle, memory=SchedulersSeen(registered=registered) if look.target.schedules else None)
    since = counted_since(look)
    missed = missed_since(before.counted_since, since)
    known, rows = {}, []
    for scheduler in look.target.schedulers:
        now = _known_now(scheduler, before.known.get(scheduler.kind), look, missed=missed)
        now = replace(now, plan=plan_now(scheduler, now.plan, look, workers, beat_gone=now.lock_seen and now.lock is None))
        seen = _seen_at(now.plan.tasks.entries, look, registered)
        now = _heard(scheduler, before.known.get(scheduler.kind), now, look, seen)
        now = _counted(scheduler, now, look)
        known[scheduler.kind] = now
        rows.append(_row(scheduler, now, look, seen))
    memory = SchedulersSeen(known, registered, since)
    return Reading(tuple(rows), memory=memory, note=_note(look.target.schedulers, known))


def _known_now(scheduler: Scheduler, before: KnownScheduler | None, look: Look, *, missed: bool) -> KnownScheduler:
    known = before or KnownScheduler(Plan(), look.now)
    if missed:
        known = replace(known, since=look.now)
    lock = _lock(scheduler, known.lock, look)
    return replace(known, lock=lock, lock_seen=known.lock_seen or lock is not None)


def _lock(scheduler: Scheduler, before: Lock | None, look: Look) -> Lock | None:
    """A lock that lives on for longer than it would have by itself was renewed since it was last seen."""
    life = redbeat.lock_life_s(scheduler, look.replies) if scheduler.kind == "redbeat" else None
    if isinstance(life, Gap) or life is None:
        return before if isinstance(life, Gap) else None
    until = look.now + life
    renewed = before is None or until > before.until + LATER_S
    return Lock(until, look.now if renewed or before is None else before.renewed_at)


def _heard(scheduler: Scheduler, before: KnownScheduler | None, now: KnownScheduler, look: Look, seen: SeenAt) -> KnownScheduler:
    """Return it with its last sign. A changed schedule is waited for anew."""
    if before is None or _entries(before.plan) != _entries(now.plan):
        now = replace(now, since=look.now)
    sign = last_sign(seen, look.now)
    if scheduler.kind != "redbeat" and backlog(now.plan.tasks.entries, look) is True:
        sign = look.now
    times = [at for at in (sign, now.sign_at) if at is not None]
    return replace(now, sign_at=max(times, default=None))


def _seen_at(entries: Iterable[PeriodicTask], look: Look, registered: Registered) -> SeenAt:
    """When the task of each was last received by a worker, or sent as its scheduler notes if that counts; None: never."""
    tasks = look.before["tasks"].memory
    received = tasks.last_seen if isinstance(tasks, TaskCounters) else {}
    blind = bool(look.target.workers or _unseen(entries, look)) or backlog(entries, look) is True
    found: list[float | None] = []
    for one in entries:
        names = {one.heard_as} if registered.has(one.task) else {one.heard_as, one.task}  # what no worker knows fails as itself
        seen, noted = max((received[name] for name in names & received.keys()), default=None), one.last_run_at
        if seen is not None and not blind and _is_queue_seen(one, look):
            noted = None
        found.append(max((at for at in (seen, noted) if at is not None), default=None))
    return tuple(found)


def _is_queue_seen(one: PeriodicTask, look: Look) -> bool:
    """Whether its message would be seen if it waited. One that names no queue may be in any."""
    if one.queue is None:
        return not look.target.queues
    return any(row.cells["name"] == one.queue for row in look.before["queues"].rows)


def _counted(scheduler: Scheduler, known: KnownScheduler, look: Look) -> KnownScheduler:
    """Return it with what the lists of this look say of tasks that came twice."""
    looked_at = dict(candidates(schedules_of(scheduler, known.plan), known.since))
    doubled = {task: twice for task, twice in known.doubled.items() if task in looked_at}
    listed_at = known.listed_at
    for task, schedule in looked_at.items():
        listed = look.replies.get(SucceededTasks(task, LIMIT), tuple[TaskSeen, ...])
        if look.replies.asked(SucceededTasks(task, LIMIT)):
            twice = doubled.pop(task, False) if isinstance(listed, Gap) else sent_twice(schedule, listed, look.now)
            doubled[task], listed_at = twice, look.now
    return replace(known, doubled=doubled, listed_at=listed_at)


def _entries(plan: Plan) -> tuple[PeriodicTask, ...]:
    """Its entries without when they last ran."""
    return tuple(replace(one, last_run_at=None) for one in plan.tasks.entries)


def schedules_of(scheduler: Scheduler, plan: Plan) -> list[tuple[PeriodicTask, Schedule | str]]:
    """Return each of its entries with its schedule, or why that is not known."""
    zones = _zones({plan.zone, *(one.zone for one in plan.tasks.entries)})
    found: list[tuple[PeriodicTask, Schedule | str]] = []
    for one in plan.tasks.entries:
        try:
            found.append((one, one.schedule(zones, plan.zone, _grace_s(scheduler, one))))
        except LocalZoneError as error:
            found.append((one, str(error)))
    return found


def _grace_s(scheduler: Scheduler, one: PeriodicTask) -> float | None:
    """A beat that starts without its file counts intervals anew, so that a run may come a whole interval later."""
    if scheduler.grace_s is None and scheduler.kind == "beat" and one.every_s is not None:
        return one.every_s + default_grace_s(one.every_s)
    return scheduler.grace_s


def _zones(names: Iterable[str | None]) -> dict[str, dt.tzinfo]:
    found: dict[str, dt.tzinfo] = {}
    for name in names:
        try:
            found |= {name: zone_of(name)} if name is not None else {}
        except ValueError:
            continue
    return found


def _row(scheduler: Scheduler, known: KnownScheduler, look: Look, seen: SeenAt) -> Row:
    planned = schedules_of(scheduler, known.plan)
    due = [(when, at) for (_, when), at in zip(planned, seen, strict=True) if isinstance(when, Schedule)]
    schedules = [when for when, _ in due]
    unread = {**known.plan.tasks.unread, **{one.entry: why for one, why in planned if isinstance(why, str)}}
    sign_at = max(known.since, known.sign_at or known.since)
    why = _unknown(scheduler, known, look)
    cells: dict[str, Cell] = {
        "name": scheduler.kind,
        "tasks": float(len({one.task for one in known.plan.tasks.entries})),
        "entries": float(len(schedules)),
        "not_understood": float(len(unread)),
        "example": next((f"{entry}: {why}" for entry, why in sorted(unread.items())), ""),
        "shortest_s": min((when.period_s(sign_at) for when in schedules if when.at is None), default=0.0),
        "silent_s": max(look.now - sign_at, 0.0) if schedules else 0.0,
        "missed": float(missed_runs(due, sign_at, look.now)),
        "sent_twice": float(sum(known.doubled.values())),
        "twice": next((task for task, twice in sorted(known.doubled.items()) if twice), ""),
        "locked": scheduler.kind != "redbeat" or known.lock is not None,
        "renewed_s": max(look.now - known.lock.renewed_at, 0.0) if known.lock is not None else 0.0,
        "lock_key": redbeat.lock_key(scheduler) if scheduler.kind == "redbeat" else "",
    }
    gaps = {}
    if why:
        gaps = {"silent_s": why, "missed": why}
    if known.plan.gap:
        gaps |= dict.fromkeys((column.name for column in COLUMNS if column.name != "name"), known.plan.gap)
    return Row({**cells, **dict.fromkeys(gaps)}, gaps)


def _unknown(scheduler: Scheduler, known: KnownScheduler, look: Look) -> str:
    """Why nobody knows whether it sends; empty if that is known. Redbeat notes each run, if nothing else is known."""
    return "" if scheduler.kind == "redbeat" else _unseen(known.plan.tasks.entries, look)


def _unseen(entries: Iterable[PeriodicTask], look: Look) -> str:
    """Why nobody knows what of its tasks workers receive; empty if that is known."""
    waiting = backlog(entries, look)
    return uncounted(look) or (waiting if isinstance(waiting, str) else "")


def _note(schedulers: Iterable[Scheduler], known: Mapping[str, KnownScheduler]) -> str:
    differ = sum(one.plan.differ for one in known.values())
    told = [f"workers report {differ + 1} schedules of beat; that of the worker that started last is used"] if differ else []
    return "; ".join([*told, *(nothing_read(one) for one in schedulers if is_empty(one, known[one.kind].plan))])


def _of_tasks(look: Look) -> tuple[str, ...]:
    """Columns that need what tasks do. Redbeat notes each run itself."""
    noted = any(scheduler.kind == "redbeat" for scheduler in look.target.schedulers)
    return ("sent_twice", "twice") if noted else ("silent_s", "missed", "sent_twice", "twice")


TABLE = Table(
    "schedulers",
    "a scheduler whose tasks are expected",
    ("name",),
    COLUMNS,
    asks,
    lambda look: without_tasks(read(look), look, _of_tasks(look)),
    SchedulersSeen,
    needs=("workers", "tasks", "queues"),
)
