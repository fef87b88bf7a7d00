"""Whether the workers' broker is another than the Redis of this target: then nothing that is read there is about them.

In: the target, what its workers last said of their broker (`stats`), whether any queue is bound in this Redis. Out: a sentence or None.
Only what is certain counts: another database of a Redis, or another kind of broker. Host names may differ and mean the same server.
"""

from collections.abc import Iterable

from watchdog.core.model.replies import WorkerConf
from watchdog.core.model.target import Target

__all__ = ["broker_elsewhere"]

IN_REDIS = frozenset({"redis", "rediss", "sentinel", "valkey"})


def broker_elsewhere(target: Target, confs: Iterable[WorkerConf], *, bound_here: bool) -> str | None:
    """Why what this Redis holds says nothing of the workers; None where it may."""
    told = [conf for conf in confs if conf.transport]
    ours = [conf for conf in told if conf.transport in IN_REDIS]
    if not told or target.redis_db is None:
        return None
    if not ours:
        kinds = ", ".join(sorted({conf.transport or "" for conf in told}))
        return None if bound_here else f"redis: the workers' broker is {kinds}, and no queue is bound in this Redis: is it the right one?"
    databases = {conf.broker_db for conf in ours}
    if None in databases or target.redis_db in databases:
        return None
    named = ", ".join(sorted(str(db) for db in databases))
    return f"redis: configured is database {target.redis_db}, the workers use {named}: set the database in this target's `redis`"
