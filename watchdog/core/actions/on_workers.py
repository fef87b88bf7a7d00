"""What each action on workers will touch, and what their pools make of it.

In: the request, the chosen workers, the cluster. Out: what is touched, and the notes, as sentences. What a pool does was measured with
Celery 5.7; `docs/actions.md` has the table.
"""

from collections.abc import Callable, Collection, Iterable

from watchdog.core.actions.request import Cluster, Request, WorkerKnown
from watchdog.core.text.suggestions import did_you_mean
from watchdog.core.text.wording import counted

__all__ = ["ON_WORKERS", "named"]

MOST_NAMED = 10
GREEN = ("gevent", "eventlet")

Said = tuple[list[str], list[str]]
"""What is touched, and the notes."""


def _revoke(request: Request, chosen: list[WorkerKnown], cluster: Cluster) -> Said:
    holders = {name: state for name, state in cluster.holders.items() if name in {worker.name for worker in chosen}}
    touches = [f"task {request.task_id}: {'revoked and, where it runs, terminated' if request.terminate else 'revoked'}"]
    touches += [f"  {_state_of(state)} {name}" for name, state in sorted(holders.items())]
    notes = []
    if not holders:
        notes.append(
            "no worker that answered holds this task: it waits in a queue, has ended, or has never been; workers drop it when it comes"
        )
    running = [worker for worker in chosen if holders.get(worker.name) == "active"]
    if running and not request.terminate:
        notes.append("it runs already, and a revoke alone does not stop it: add --terminate")
    if request.terminate:
        notes += _ignored(running or chosen, ("threads", "solo"), "cannot terminate a task: it goes on to its end", "revoke --terminate")
        notes += _ignored(running, GREEN, "stops it, but then reports it as succeeded", "revoke --terminate")
    notes.append("workers remember a revoked task only while they run, and one that starts later learns it from others only with mingle")
    return touches, notes


def _restart_pool(_: Request, chosen: list[WorkerKnown], __: Cluster) -> Said:
    notes = _ignored(chosen, ("threads", "solo", *GREEN), 'has no restart: the worker answers "reload started" and goes on as before', "")
    off = [worker.name for worker in chosen if worker.restarts is False]
    if off:
        notes.append(f"refused by {named(off)}: pool restarts are off; set worker_pool_restarts = True in the app's configuration")
    unsaid = [worker.name for worker in chosen if worker.restarts is None and worker.name not in off]
    if unsaid:
        notes.append(f"whether worker_pool_restarts is on is not known of {named(unsaid)}; without it this is refused")
    notes.append("what runs there runs on: each process is replaced after the next task that it takes, only one of them at once")
    return [f"{worker.name}: its pool{_sized(worker)} is restarted" for worker in chosen], notes


def _shutdown(_: Request, chosen: list[WorkerKnown], cluster: Cluster) -> Said:
    notes = ["no worker answers a shutdown: afterwards it is pinged. Starting one again is up to systemd or the like"]
    names = {worker.name for worker in chosen}
    for queue in sorted({queue for worker in chosen for queue in worker.queues or ()}):
        if not cluster.consumed(queue, besides=names):
            notes.append(f"nobody else consumes {queue}{cluster.waiting(queue)}")
    return [f"{worker.name}: shut down after its running tasks{_queues_of(worker)}" for worker in chosen], notes


def _add_consumer(request: Request, chosen: list[WorkerKnown], cluster: Cluster) -> Said:
    queue = request.queue or ""
    notes = [f"{worker.name} consumes {queue} already" for worker in chosen if worker.queues is not None and queue in worker.queues]
    known = {name for worker in cluster.workers.values() for name in worker.queues or ()} | {
        name for name, found in cluster.queues.items() if found.length
    }
    if queue not in known:
        near = did_you_mean(queue, known)
        notes.append(f"no worker consumes {queue}, and nothing is known to wait there{near or ': is it spelt right?'}")
    notes.append("it lasts until the worker restarts; for good: its -Q option, or task_queues")
    return [f"{worker.name}: consumes {queue}, too" for worker in chosen], notes


def _cancel_consumer(request: Request, chosen: list[WorkerKnown], cluster: Cluster) -> Said:
    queue = request.queue or ""
    notes = [f"{worker.name} does not consume {queue}" for worker in chosen if worker.queues is not None and queue not in worker.queues]
    names = {worker.name for worker in chosen}
    if not cluster.consumed(queue, besides=names):
        notes.append(f"nobody else consumes {queue}{cluster.waiting(queue)}")
    notes.append("what they have fetched from it already still runs")
    return [f"{worker.name}: stops consuming {queue}" for worker in chosen], notes


def _restart_consumer(request: Request, chosen: list[WorkerKnown], _: Cluster) -> Said:
    queue = request.queue or ""
    notes = [
        f"{worker.name} does not consume {queue} now, and will"
        for worker in chosen
        if worker.queues is not None and queue not in worker.queues
    ]
    notes.append("it helps a worker whose consumer is stuck; what it has fetched already still runs")
    return [f"{worker.name}: stops consuming {queue}, and begins again" for worker in chosen], notes


def _grow(request: Request, chosen: list[WorkerKnown], _: Cluster) -> Said:
    by = request.number or 0
    growing = request.kind == "grow"
    notes = _ignored(chosen, ("threads", "solo"), "cannot change its size, and says so", "")
    scaled = [worker.name for worker in chosen if worker.autoscales]
    if scaled:
        notes.append(f"refused by {named(scaled)}: with --autoscale only `watchdog act autoscale` changes the size")
    touches = []
    for worker in chosen:
        now = "" if worker.size is None else f", from {worker.size} to {max(worker.size + (by if growing else -by), 0)}"
        touches.append(f"{worker.name}: {'' if growing else 'minus '}{counted(by, 'process')}{now}".replace("processs", "processes"))
        if not growing and worker.size is not None and by >= worker.size and worker.pool == "prefork":
            notes.append(f"{worker.name} has only {worker.size}: it answers with an error rather than stopping at none")
    return touches, notes


def _autoscale(request: Request, chosen: list[WorkerKnown], _: Cluster) -> Said:
    off = [worker.name for worker in chosen if worker.autoscales is False]
    notes = [f"refused by {named(off)}: started without --autoscale"] if off else []
    return [f"{worker.name}: between {request.lowest} and {request.highest} processes" for worker in chosen], notes


def _rate_limit(request: Request, chosen: list[WorkerKnown], _: Cluster) -> Said:
    task = request.task or ""
    notes = _unregistered(task, chosen)
    notes.append("a limit counts for each worker by itself, and lasts until the worker restarts; for good: rate_limit of the task")
    notes.append(
        "what a worker holds back already keeps to the old limit, and what fills its prefetch lets it fetch nothing else: "
        "a restart gives that back (seen with Celery 5.7)"
    )
    what = "no limit" if request.rate in ("0", "0/s") else f"at most {request.rate}"
    return [f"{worker.name}: {task}: {what}" for worker in chosen], notes


def _time_limit(request: Request, chosen: list[WorkerKnown], _: Cluster) -> Said:
    task = request.task or ""
    notes = _unregistered(task, chosen)
    notes += _ignored(chosen, ("threads", "solo"), 'has no time limits: the worker answers "ok", and tasks run as long as they like', "")
    if request.soft_s is not None:
        notes += _ignored(chosen, GREEN, "has no soft limit: only --hard counts there", "")
    limited = [worker.name for worker in chosen if worker.pool not in ("threads", "solo")]
    if limited:
        notes.append(
            f"{named(limited)}: answers ok, but tasks keep the old limits until `watchdog act restart-pool` (seen with Celery 5.7)"
        )
    notes.append("it lasts until the worker restarts, and replaces both limits; for good: time_limit and soft_time_limit of the task")
    limits = f"soft {_seconds(request.soft_s)}, hard {_seconds(request.hard_s)}"
    return [f"{worker.name}: {task}: {limits}" for worker in chosen], notes


ON_WORKERS: dict[str, Callable[[Request, list[WorkerKnown], Cluster], Said]] = {
    "revoke": _revoke,
    "restart-pool": _restart_pool,
    "shutdown": _shutdown,
    "add-consumer": _add_consumer,
    "cancel-consumer": _cancel_consumer,
    "restart-consumer": _restart_consumer,
    "grow": _grow,
    "shrink": _grow,
    "autoscale": _autoscale,
    "rate-limit": _rate_limit,
    "time-limit": _time_limit,
}


def _ignored(workers: Iterable[WorkerKnown], pools: Collection[str], what: str, of: str) -> list[str]:
    """One note for each kind of pool among these that does not do what is asked; and one for pools that are not known."""
    by_pool: dict[str, list[str]] = {}
    unknown = []
    for worker in workers:
        if worker.pool in pools:
            by_pool.setdefault(worker.pool or "", []).append(worker.name)
        elif worker.pool is None:
            unknown.append(worker.name)
    notes = [f"{named(names)}: a pool of the kind {pool} {what}" for pool, names in sorted(by_pool.items())]
    if unknown and of:
        notes.append(f"the pool of {named(unknown)} is not known; {' and '.join(pools)} ignore {of}")
    return notes


def _unregistered(task: str, chosen: list[WorkerKnown]) -> list[str]:
    """Who does not know this task, with what was probably meant."""
    without = [worker.name for worker in chosen if worker.tasks is not None and task not in worker.tasks]
    every = {name for worker in chosen for name in worker.tasks or ()}
    return [f'{named(without)}: no task "{task}" is registered there{did_you_mean(task, every)}'] if without else []


def named(names: Collection[str]) -> str:
    """The first of these names, and how many more there are."""
    listed = list(names)
    more = f" and {len(listed) - MOST_NAMED} more" if len(listed) > MOST_NAMED else ""
    return ", ".join(listed[:MOST_NAMED]) + more


def _queues_of(worker: WorkerKnown) -> str:
    return f"; it consumes {named(sorted(worker.queues))}" if worker.queues else ""


def _sized(worker: WorkerKnown) -> str:
    return "" if worker.size is None else f" of {worker.size}"


def _state_of(state: str) -> str:
    return {"active": "runs on", "reserved": "is fetched by", "ready": "is fetched by", "scheduled": "waits for its ETA on"}.get(
        state, "is on"
    )


def _seconds(limit: float | None) -> str:
    return "none" if limit is None else f"{limit:g}s"
