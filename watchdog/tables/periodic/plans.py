"""What each scheduler of a target sends, as far as this look or an earlier one shows it.

In: the target, the replies, the known workers, what is remembered. Out: a `Plan` per scheduler: its tasks without the excluded ones, or why
they could not be read; what was read last is then kept. Also which tasks the workers register.
"""

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase

from msgspec import Struct
from msgspec.structs import replace

from watchdog.core.model.gaps import Gap
from watchdog.core.model.queries import Query
from watchdog.core.model.replies import Replies
from watchdog.core.model.rows import Asking, Look
from watchdog.core.model.schedules.periodic import PeriodicTask, PeriodicTasks, Scheduler, WorkerPlan
from watchdog.core.model.schedules.queries import DjangoTasks, WorkerPlans
from watchdog.core.model.servers.worker_queries import PlansOfWorkers
from watchdog.core.model.target import covers
from watchdog.tables.periodic import redbeat
from watchdog.tables.periodic.counted import uncounted
from watchdog.tables.workers.inspected.pongs import key_prefix_of, ponged
from watchdog.tables.workers.memory import KnownWorker, KnownWorkers, known_workers_of

__all__ = ["Plan", "Registered", "is_empty", "nothing_read", "plan_now", "plan_queries", "registered_now"]

KEEPS_RUNS = frozenset({"redbeat", "django"})
"""Schedulers that note each run where watchdog reads it."""
NOBODY_SAID = "no worker has said yet what is in its beat_schedule"
OWN = "celery."
"""Workers do not list tasks whose names begin so: they are Celery's own, and every worker has them."""


class Plan(Struct, frozen=True):
    """What one scheduler sends. `zone`: of its crons, if an entry says none. `gap`: why it could not be read in this look.

    `differ`: how many other schedules workers report.
    """

    tasks: PeriodicTasks = PeriodicTasks()
    zone: str | None = None
    gap: str = ""
    differ: int = 0
    known: bool = False
    """Whether it was ever read."""
    read_at: float | None = None
    """When it was read last (epoch seconds)."""


class Registered(Struct, frozen=True):
    """The tasks that the workers online register. `silent`: one of them that has not said which it does; empty: all have."""

    tasks: frozenset[str] = frozenset()
    silent: str = ""
    known: bool = False
    """Whether any worker ever said it."""

    def has(self, task: str) -> bool:
        """Whether some worker registers it."""
        return task in self.tasks or task.startswith(OWN)


def plan_queries(asking: Asking) -> Iterable[Query]:
    """Return what shows the schedules, and which tasks workers register."""
    if not (asking.target.schedulers or asking.target.schedules):
        return
    sources, replies = asking.target.sources, asking.replies
    if "flower" in sources:
        yield WorkerPlans()
    is_away = replies.asked(WorkerPlans()) and isinstance(replies.get(WorkerPlans(), object), Gap)
    if "celery" in sources and ("flower" not in sources or is_away):
        yield from _of_workers(asking)
    if "django" in asking.target.sources:
        yield DjangoTasks()
    for scheduler in asking.target.schedulers:
        if scheduler.kind == "redbeat":
            yield from redbeat.queries(scheduler, asking.replies)


def _of_workers(asking: Asking) -> list[PlansOfWorkers]:
    """The workers that are there, asked themselves where there is no Flower that says it."""
    known = known_workers_of(asking.memories.get("workers"))
    there = {worker.name for worker in known.known.values() if worker.state == "online" and not (worker.unknown or worker.busy)}
    names = sorted(name for name in there | ponged(asking.replies) if covers(name, asking.target.workers))
    return [PlansOfWorkers(tuple(names), key_prefix_of(known))] if names else []


def _told(replies: Replies) -> Mapping[str, WorkerPlan] | Gap:
    """What workers say of periodic tasks, through Flower or themselves; nothing where none is there to be asked."""
    by_flower = replies.get(WorkerPlans(), dict[str, WorkerPlan])
    answers = [replies.get(query, dict[str, WorkerPlan]) for query in replies.answers if isinstance(query, PlansOfWorkers)]
    if not isinstance(by_flower, Gap) or (replies.asked(WorkerPlans()) and not answers):
        return by_flower
    gap = next((answer for answer in answers if isinstance(answer, Gap)), None)
    told = {name: plan for answer in answers if not isinstance(answer, Gap) for name, plan in answer.items()}
    return gap if gap is not None and not told else told


def plan_now(scheduler: Scheduler, before: Plan, look: Look, workers: KnownWorkers, *, beat_gone: bool = False) -> Plan:
    """Return what the scheduler sends now.

    `beat_gone`: a beat of redbeat held its lock, and none does now. A list that is empty then was lost with it, as by a FLUSHALL: its tasks
    are still expected. A beat that runs, with an empty list, has nothing to send.
    """
    read = _kept(scheduler, before, look, workers) if scheduler.kind in KEEPS_RUNS else _beat(look.replies, workers)
    if isinstance(read, Gap):
        return replace(before, gap="" if scheduler.kind == "beat" and _still_holds(before, look, workers) else read.reason)
    if read is None or (beat_gone and read.tasks == PeriodicTasks()):
        return replace(before, gap="" if before.known else NOBODY_SAID)
    excluded = [one for one in read.tasks.entries if _excluded(one, scheduler.exclude)]
    unread = {entry: why for entry, why in read.tasks.unread.items() if not any(fnmatchcase(entry, glob) for glob in scheduler.exclude)}
    entries = tuple(one for one in read.tasks.entries if one not in excluded)
    zone = scheduler.zone or read.zone
    return replace(read, tasks=PeriodicTasks(entries, unread), zone=zone, known=True, read_at=look.now)


def _still_holds(plan: Plan, look: Look, workers: KnownWorkers) -> bool:
    """Whether what workers said earlier is true still: while Flower is away, events show what runs, and that no worker started since."""
    born = [worker.born_at for worker in workers.known.values() if worker.state == "online"]
    since = plan.read_at
    return since is not None and not uncounted(look) and all(at is not None and at <= since for at in born)


def is_empty(scheduler: Scheduler, plan: Plan) -> bool:
    """Whether it was read and has nothing to expect, although nobody excluded anything."""
    return plan.known and not plan.gap and plan.tasks == PeriodicTasks() and not scheduler.exclude


def nothing_read(scheduler: Scheduler) -> str:
    """Return where its entries were looked for, and where else they may be."""
    return {
        "beat": "no worker's beat_schedule has an entry: do the workers have the settings of beat?",
        "redbeat": f"redbeat has no entry at {redbeat.list_key(scheduler)}: is its key prefix, Redis or database another one?",
        "django": "django-celery-beat has no entry that is enabled: is it this database?",
    }[scheduler.kind]


def _excluded(one: PeriodicTask, globs: Iterable[str]) -> bool:
    return any(fnmatchcase(name, glob) for glob in globs for name in (one.entry, one.task, one.heard_as))


def _beat(replies: Replies, workers: KnownWorkers) -> Plan | Gap | None:
    """The schedule of the worker that started last; None if no worker online shows one: what was known stays."""
    answer = _told(replies)
    if isinstance(answer, Gap):
        return answer
    told = [(worker, plan) for worker, plan in _speaking(answer, workers) if plan.beat is not None]
    if not told:
        return None
    told.sort(key=lambda pair: (pair[1].beat != PeriodicTasks(), pair[0].born_at or 0.0, pair[0].name))
    latest = told[-1][1]
    others: list[PeriodicTasks] = []
    for _, plan in told:
        if plan.beat is not None and plan.beat not in (*others, latest.beat, PeriodicTasks()):
            others.append(plan.beat)
    return Plan(latest.beat or PeriodicTasks(), latest.zone, differ=len(others))


def _kept(scheduler: Scheduler, before: Plan, look: Look, workers: KnownWorkers) -> Plan | Gap | None:
    """What redbeat or Django keeps; crons that name no time zone have the app's, as workers say it, or said it while none does."""
    of_redbeat = scheduler.kind == "redbeat"
    tasks = redbeat.tasks(scheduler, look.replies) if of_redbeat else look.replies.get(DjangoTasks(), PeriodicTasks)
    if isinstance(tasks, Gap):
        return tasks
    answer = _told(look.replies)
    zones = [] if isinstance(answer, Gap) else [plan.zone for _, plan in _speaking(answer, workers) if plan.beat is not None]
    return Plan(tasks, zones[0] if zones else before.zone)


def _speaking(plans: Mapping[str, WorkerPlan], workers: KnownWorkers) -> list[tuple[KnownWorker, WorkerPlan]]:
    """The workers online whose inspection is that of their present process."""
    online = [worker for worker in workers.known.values() if worker.state == "online" and not worker.another_process]
    return [(worker, plans[worker.name]) for worker in online if worker.name in plans]


def registered_now(before: Registered, replies: Replies, workers: KnownWorkers) -> Registered:
    """Return which tasks are registered; if no worker is online or none can be asked, what was known before."""
    answer = _told(replies)
    online = [worker.name for worker in workers.known.values() if worker.state == "online"]
    if isinstance(answer, Gap) or not online:
        return before
    told = {worker.name: plan.registered for worker, plan in _speaking(answer, workers) if plan.registered is not None}
    silent = next((name for name in online if name not in told), "")
    tasks = frozenset[str]().union(*told.values(), before.tasks if silent else ())
    return Registered(tasks, silent, known=bool(told) or before.known)
