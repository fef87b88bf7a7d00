"""A worker from what it says of itself, by Celery's control or as Flower repeats it. In: answers of any shape. Out: a `WorkerKnown`."""

from watchdog.core.actions.request import WorkerKnown

__all__ = ["worker_known"]

_POOLS = {"prefork": "prefork", "thread": "threads", "solo": "solo", "gevent": "gevent", "eventlet": "eventlet"}
"""Module below `celery.concurrency` -> the pool as `celery worker -P` has it."""


def worker_known(
    name: str, stats: object, queues: object, tasks: object = None, conf: object = None, *, answers: bool = True
) -> WorkerKnown:
    """The worker; None for what is missing or has another shape."""
    told = stats if isinstance(stats, dict) else {}
    pool = found if isinstance(found := told.get("pool"), dict) else {}
    processes = pool.get("processes")
    size = len(processes) if isinstance(processes, list) else pool.get("max-concurrency")
    restarts = conf.get("worker_pool_restarts") if isinstance(conf, dict) else None
    return WorkerKnown(
        name,
        answers=answers,
        pool=pool_kind(pool.get("implementation")),
        size=size if isinstance(size, int) else None,
        queues=_names([one.get("name") for one in queues if isinstance(one, dict)]) if isinstance(queues, list) else None,
        tasks=_names([str(one).partition(" ")[0] for one in tasks]) if isinstance(tasks, list) else None,
        autoscales=isinstance(told.get("autoscaler"), dict) if told else None,
        restarts=restarts if isinstance(restarts, bool) else None,
    )


def pool_kind(implementation: object) -> str | None:
    """`threads` of `celery.concurrency.thread:TaskPool`; None for a pool that is not Celery's."""
    if not isinstance(implementation, str) or not implementation.startswith("celery.concurrency."):
        return None
    return _POOLS.get(implementation.partition(":")[0].rpartition(".")[2])


def _names(found: list[object]) -> frozenset[str]:
    return frozenset(name for name in found if isinstance(name, str))
