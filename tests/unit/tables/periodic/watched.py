"""Looks at a cluster whose periodic tasks come from a scheduler: what the tests of `schedulers` and `schedules` start from."""

from dataclasses import dataclass, field

from msgspec.structs import replace

from watchdog.core.model.gaps import Gap
from watchdog.core.model.queries import ReadEventCounters
from watchdog.core.model.replies import EventCounters, Held, Replies, WorkerInspection
from watchdog.core.model.rows import Cell, Look, Reading, Row
from watchdog.core.model.schedules.periodic import PeriodicTask, PeriodicTasks, RedbeatEntry, Scheduler, WorkerPlan
from watchdog.core.model.schedules.queries import DjangoTasks, KeyLife, RedbeatEntries, ScoredMembers, WorkerPlans
from watchdog.core.model.servers.both_counts import Ours
from watchdog.core.model.target import Target
from watchdog.tables.periodic import schedulers, schedules
from watchdog.tables.tasks.counters import TaskCounters
from watchdog.tables.workers.memory import KnownWorker, KnownWorkers

BEGAN = 1_795_867_200.0  # 2026-11-28 12:00 UTC
EVERY_MINUTE = PeriodicTask("tick", "shop.tick", 60.0)


def inspection(name: str, uptime_s: float) -> WorkerInspection:
    return WorkerInspection(
        name, BEGAN, None, pool=None, pool_size=None, pid=None, uptime_s=uptime_s, prefetch=None, reserved=None, processed=None, conf=None
    )


@dataclass
class Watched:
    """One target, looked at again and again. Times are seconds since `BEGAN`."""

    scheduler: Scheduler = field(default_factory=lambda: Scheduler("beat", key_prefix="redbeat:"))
    entries: tuple[PeriodicTask, ...] = (EVERY_MINUTE,)
    registered: frozenset[str] | None = frozenset({"shop.tick"})
    online: tuple[str, ...] = ("w@x",)
    seen: dict[str, float] = field(default_factory=dict)
    succeeded: dict[str, float] = field(default_factory=dict)
    queues: Reading = field(default_factory=lambda: Reading((Row({"name": "celery", "length": 0.0}),)))
    running: Reading = field(default_factory=Reading)
    lock_life_s: float = 0.0
    counted_since: float = 1.0
    by_events: bool = False
    """Whether what tasks do is counted by events."""
    gap: str = ""
    zone: str | None = "UTC"
    unread: dict[str, str] = field(default_factory=dict)
    more: dict[str, WorkerPlan] = field(default_factory=dict)
    target: Target = field(default_factory=lambda: Target("prod", frozenset({"flower", "redis"})))
    memories: tuple[object, object] = (None, None)

    def _replies(self) -> Replies:
        beat = PeriodicTasks(self.entries, self.unread) if self.scheduler.kind == "beat" else PeriodicTasks()
        plans = {name: WorkerPlan(self.registered, beat, self.zone) for name in self.online} | self.more
        keys = tuple(f"redbeat:{one.entry}" for one in self.entries)
        held = Held(frozenset(keys), {key: RedbeatEntry(one) for key, one in zip(keys, self.entries, strict=True)})
        return Replies(
            {
                ReadEventCounters(): Gap(self.gap) if self.gap else EventCounters(1.0, {}),
                WorkerPlans(): Gap(self.gap) if self.gap else plans,
                ScoredMembers("redbeat::schedule", 5000): keys,
                KeyLife("redbeat::lock"): self.lock_life_s,
                RedbeatEntries(keys): held,
                DjangoTasks(): PeriodicTasks(self.entries, self.unread),
            }
        )

    def look(self, at: float) -> tuple[dict[str, Cell], dict[str, dict[str, Cell]]]:
        """The scheduler's row, and the tasks' rows by name; a gap is the text that says why."""
        now = BEGAN + at
        workers = {
            name: KnownWorker(name, BEGAN, "online", inspection=inspection(name, 100.0 - nth)) for nth, name in enumerate(self.online)
        }
        workers |= {name: KnownWorker(name, BEGAN, "online", inspection=inspection(name, 10.0)) for name in self.more}
        memory = TaskCounters(
            last_seen={task: BEGAN + seen for task, seen in self.seen.items()},
            last_success={task: BEGAN + done for task, done in self.succeeded.items()},
            counted_since=self.counted_since,
            ours=Ours(since=1.0, told=self.by_events),
        )
        before = {
            "workers": Reading(memory=KnownWorkers(workers)),
            "tasks": Reading(memory=memory),
            "queues": self.queues,
            "running": self.running,
        }
        target = replace(self.target, schedulers=(self.scheduler,))
        first = schedulers.TABLE.read(Look(target, self.memories[0], self._replies(), now, 300.0, before=before))
        before = {**before, "schedulers": first}
        second = schedules.TABLE.read(Look(target, self.memories[1], self._replies(), now, 300.0, before=before))
        self.memories = (first.memory, second.memory)
        self.note = first.note
        (row,) = first.rows
        return shown(row), {str(one.cells["task"]): shown(one) for one in second.rows}

    def scheduler_at(self, at: float) -> dict[str, Cell]:
        return self.look(at)[0]

    def task_at(self, at: float, task: str = "shop.tick") -> dict[str, Cell]:
        return self.look(at)[1][task]


def shown(row: Row) -> dict[str, Cell]:
    return {**row.cells, **row.gaps}
