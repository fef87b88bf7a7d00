"""What redbeat keeps in Redis: the zset `<prefix>:schedule` of its entries' keys, a hash for each, and the lock of the beat that runs.

In: the scheduler as configured, the replies. Out: queries in two rounds; the tasks, and for how long the lock lives on. The zset holds
every entry that is switched on, so nothing has to be scanned.
"""

from collections.abc import Iterable
from math import inf

from watchdog.core.model.gaps import Gap
from watchdog.core.model.queries import Query
from watchdog.core.model.replies import Replies
from watchdog.core.model.schedules.periodic import PeriodicTasks, RedbeatEntry, Scheduler
from watchdog.core.model.schedules.queries import KeyLife, RedbeatEntries, ScoredMembers

__all__ = ["list_key", "lock_key", "lock_life_s", "queries", "tasks"]

MOST_ENTRIES = 5000


def _listed(scheduler: Scheduler) -> ScoredMembers:
    return ScoredMembers(list_key(scheduler), MOST_ENTRIES)


def list_key(scheduler: Scheduler) -> str:
    """Return the key of the list of its entries."""
    return f"{scheduler.key_prefix}:schedule"


def lock_key(scheduler: Scheduler) -> str:
    """Return the key of its lock."""
    return f"{scheduler.key_prefix}:lock"


def _lock(scheduler: Scheduler) -> KeyLife:
    return KeyLife(lock_key(scheduler))


def queries(scheduler: Scheduler, replies: Replies) -> Iterable[Query]:
    """Return the list of its entries and its lock; then the entries."""
    yield from (_listed(scheduler), _lock(scheduler))
    keys = replies.get(_listed(scheduler), tuple[str, ...])
    if not isinstance(keys, Gap) and keys:
        yield RedbeatEntries(tuple(sorted(keys)))


def tasks(scheduler: Scheduler, replies: Replies) -> PeriodicTasks | Gap:
    """Return its tasks, or why they are unknown. An entry that cannot be read is unknown alone."""
    keys = replies.get(_listed(scheduler), tuple[str, ...])
    if isinstance(keys, Gap):
        return keys
    held = replies.held(RedbeatEntries)
    if (gap := next((held.gaps[key] for key in keys if key in held.gaps), None)) is not None and len(held.gaps) == len(keys):
        return gap
    found = {key: held.found.get(key, RedbeatEntry()) for key in keys}
    unread = {key.removeprefix(scheduler.key_prefix): entry.unread for key, entry in found.items() if entry.unread}
    unread |= {key.removeprefix(scheduler.key_prefix): gap.reason for key, gap in held.gaps.items() if key in found}
    return PeriodicTasks(tuple(entry.task for _, entry in sorted(found.items()) if entry.task is not None), unread)


def lock_life_s(scheduler: Scheduler, replies: Replies) -> float | Gap | None:
    """Return for how long its lock lives on (seconds); None: no beat holds it. A lock that never ends says nothing of who holds it."""
    life = replies.get(_lock(scheduler), float)
    return life if isinstance(life, Gap) else None if life <= 0 else min(life, inf)
