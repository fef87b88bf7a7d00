"""Whether the workers use another broker than the Redis of this target: then nothing read there is about them.

Input: the target, what its workers last reported of their broker (`stats`), whether any queue is bound in this Redis. Output: a sentence or
None. Only certain differences count: another database of a Redis, or another kind of broker. Different host names may mean the same server.
"""

from collections.abc import Iterable

from watchdog.core.model.replies import WorkerConf
from watchdog.core.model.target import Target

__all__ = ["broker_elsewhere"]

IN_REDIS = frozenset({"redis", "rediss", "sentinel", "valkey"})


def broker_elsewhere(target: Target, confs: Iterable[WorkerConf], *, bound_here: bool) -> str | None:
    """Return why the content of this Redis says nothing of the workers; None if it may."""
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
