"""Tasks that neither succeed nor fail, which Flower's counters do not show: expired, or started again without an end.

Input: Flower's lists of revoked and of running tasks, what is remembered. Output: task -> how many messages of it expired, or were started
again, since the previous poll. Both are lower bounds, because the lists are limited. A retried task has ended once and is not counted.
"""

from collections import Counter
from collections.abc import Iterable, Mapping

from msgspec import Struct, field
from msgspec.structs import replace

from watchdog.core.model.gaps import Gap
from watchdog.core.model.queries import RevokedTasks, RunningTasks
from watchdog.core.model.replies import EventCounters, EventCounts, Replies, TaskSeen
from watchdog.core.model.servers.heard import same_moment
from watchdog.core.model.target import Target, covers
from watchdog.tables.tasks.names import NAMELESS, filed_name

__all__ = ["Begun", "Outcomes", "more_revoked", "outcomes_now"]

REVOKED, STARTED = RevokedTasks(), RunningTasks()
KEPT_S = 3600.0
MOST_KEPT = 500
MOST_REVOKED = 600
"""The ids of revoked tasks that are kept: more than are ever listed."""
CLOCK_STEP_S = 0.5
"""A start less than this after the previous one is the same start, reported twice."""


class Begun(Struct, frozen=True):
    """A started message.

    `started`: its last start (by its worker's clock); `again`: how often it was started again without an end; `seen_at`: when it was last
    seen (by ours).
    """

    name: str
    started: float
    retries: int
    again: int
    seen_at: float


class Outcomes(Struct, frozen=True):
    """What is remembered. `revoked`: the ids that were listed as revoked, the last listed first; None: never queried."""

    revoked: tuple[str, ...] | None = None
    begun: Mapping[str, Begun] = field(default_factory=dict)

    def most_again(self, name: str) -> int:
        """Return the highest number of times that one message of a task was started again without an end."""
        return max((begun.again for begun in self.begun.values() if begun.name == name), default=0)


def more_revoked(before: EventCounts, counters: EventCounters) -> bool:
    """Whether any task was revoked between two readings of counters."""
    revoked = ((worker, task, count) for worker, task, event, count in counters.each() if event == "revoked")
    return any(before.get(w, {}).get(task or NAMELESS, {}).get("revoked", 0.0) != count for w, task, count in revoked)


def outcomes_now(known: Outcomes, replies: Replies, target: Target, now: float) -> tuple[Outcomes, Counter[str], Counter[str]]:
    """Return what to remember, and task -> how many expired, and how many were started again, since then."""
    revoked, expired = _expired(known, _ours(replies, REVOKED, target))
    begun, again = _begun(known.begun, _ours(replies, STARTED, target) or (), now)
    return Outcomes(revoked, begun), expired, again


def _ours(replies: Replies, query: RevokedTasks | RunningTasks, target: Target) -> tuple[TaskSeen, ...] | None:
    listed = replies.get(query, tuple[TaskSeen, ...])
    return None if isinstance(listed, Gap) else tuple(task for task in listed if covers(task.worker, target.workers))


def _expired(known: Outcomes, listed: tuple[TaskSeen, ...] | None) -> tuple[tuple[str, ...] | None, Counter[str]]:
    if listed is None:
        return known.revoked, Counter()
    ids = tuple(task.id for task in listed)
    if known.revoked is None:  # tasks that expired before the first list are counted from the list of recent tasks
        return ids, Counter()
    before, now = frozenset(known.revoked), frozenset(ids)
    earlier = [task_id for task_id in known.revoked if task_id not in now]  # where events list alone, Flower may come back with its own
    return (*ids, *earlier)[:MOST_REVOKED], Counter(filed_name(task) for task in listed if task.id not in before and task.expired)


def _begun(known: Mapping[str, Begun], listed: Iterable[TaskSeen], now: float) -> tuple[dict[str, Begun], Counter[str]]:
    found, again = dict(known), Counter[str]()
    for task in listed:
        if task.started is None:
            continue
        before, name, retries = known.get(task.id), filed_name(task), task.retries or 0
        same = before is not None and (before.name, before.retries) == (name, retries)
        if before is None or not same:
            found[task.id] = Begun(name, task.started, retries, 0, now)
        elif task.started > before.started + CLOCK_STEP_S and not same_moment(task.started, before.started):
            again[name] += 1
            found[task.id] = replace(before, started=task.started, again=before.again + 1, seen_at=now)
        else:
            found[task.id] = replace(before, seen_at=now)
    recent = sorted(((i, b) for i, b in found.items() if 0 <= now - b.seen_at <= KEPT_S), key=lambda entry: entry[1].seen_at)
    return dict(recent[-MOST_KEPT:]), again
