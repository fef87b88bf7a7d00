"""Whom to ask where workers speak in Flower's place, and when: nobody who was just heard, and who does not answer less and less often.

Input: what is remembered, the replies so far, the mailboxes. Output: the names to ping, and those to inspect.
"""

from collections.abc import Collection, Iterable

from watchdog.core.model.queries import Query
from watchdog.core.model.replies import WorkerBeat
from watchdog.core.model.rows import Asking
from watchdog.core.model.servers.worker_queries import InspectWorkers
from watchdog.core.model.target import covers
from watchdog.tables.workers.evidence import heard_lately, own_events
from watchdog.tables.workers.inspected.pongs import key_prefix_of, ponged
from watchdog.tables.workers.memory import KnownWorker, KnownWorkers, of_two_processes, passed
from watchdog.tables.workers.silence import may_be_deaf

__all__ = ["Due", "inspection_of_all"]

HEARD_EVERY_S = 300.0
"""How often a worker is inspected whose heartbeats say what it executes, as often as through Flower."""
ANSWERED_EVERY_S = 30.0
"""How often one is inspected of which nothing is heard."""
SHORTEST_S, LONGEST_S = 5.0, 60.0
"""Between two pings that a silent worker does not answer: each pause twice as long as the one before."""
LONGEST_INSPECTION_S = 300.0
"""Between two inspections that a worker does not answer, which may have its remote control switched off."""
NEW_S = 60.0
"""A mailbox is pinged in each poll for so long, then every `STRANGER_S`: whoever is behind it may be gone, or busy."""
STRANGER_S = 300.0
NOBODY_S = 10.0
"""Between two pings to whoever may be there: one that nobody answers takes all the time that answers may take, in each poll."""


class Due:
    """The workers to ask in this poll."""

    def __init__(self, asking: Asking, known_workers: KnownWorkers, mailboxes: Collection[str]) -> None:
        self._replies, self._target, self._now, self._memory = asking.replies, asking.target, asking.now, known_workers
        self._mailboxes = [name for name in mailboxes if covers(name, asking.target.workers)]
        self._heard = heard_lately(asking.replies, asking.target)
        events = own_events(asking.replies, asking.target)
        said = events.workers if events is not None else {}
        self._beats = {name: one.beat for name, one in said.items()}
        there = {worker.name for worker in known_workers.known.values() if worker.state != "left"}
        gone = {name for name, one in said.items() if one.gone}
        self._silent = there.union(self._mailboxes) - self._heard - gone

    def to_ping(self) -> tuple[str, ...] | None:
        """Return those to ping; none in particular if it is not known who is there; None if nobody is to be pinged."""
        names = tuple(sorted(name for name in self._silent if self._may_ping(name)))
        if self._mailboxes or self._heard:
            return names or None
        before = self._memory.looked_at
        return () if self._silent or before is None or self._now // NOBODY_S > before // NOBODY_S else None

    def to_inspect(self) -> tuple[str, ...]:
        """Return the workers that are there, and whose last inspection is missing, old, or of an earlier process."""
        asked = {name for query in self._replies.answers if isinstance(query, InspectWorkers) for name in query.workers}
        there = [name for name in self._heard | ponged(self._replies) if covers(name, self._target.workers) and name not in asked]
        if not any(self._is_old(name, 1.0) for name in there):
            return ()
        return tuple(sorted(name for name in there if self._is_old(name, 0.5)))  # together with those that are due soon

    def deaf(self) -> list[str]:
        """Return the silent workers that may be silent because they execute a task."""
        silent = [self._memory.known[name] for name in self._silent if name in self._memory.known]
        return [w.name for w in silent if w.state != "lost" and may_be_deaf(w.pool)]

    def _may_ping(self, name: str) -> bool:
        known = self._memory.known.get(name)
        if known is not None:
            return known.asked == 0 or passed(known.asked_at, self._now, _pause_s(known, LONGEST_S))
        since, before = self._memory.unanswered.get(name, self._now), self._memory.looked_at or self._now
        return self._now - since < NEW_S or (self._now - since) // STRANGER_S > (before - since) // STRANGER_S

    def _is_old(self, name: str, share: float) -> bool:
        """Whether it is to be inspected. `share`: of the usual time between two inspections."""
        known = self._memory.known.get(name)
        if known is None:
            return True
        if known.asked and not passed(known.asked_at, self._now, _pause_s(known, LONGEST_INSPECTION_S)):
            return False
        seen, age_s = known.inspection, known.inspected_s(self._now)
        if seen is None or age_s is None or seen.queues is None or of_two_processes(self._beat(known), seen):
            return True
        return age_s >= share * (HEARD_EVERY_S if name in self._heard else ANSWERED_EVERY_S)

    def _beat(self, known: KnownWorker) -> WorkerBeat | None:
        return self._beats.get(known.name, known.beat)


def inspection_of_all(known_workers: KnownWorkers, prefix: str | None) -> list[Query]:
    """Return the query to all workers that are known to be online, at once."""
    names = tuple(sorted(_online(known_workers.known.values())))
    return [InspectWorkers(names, key_prefix_of(known_workers) if prefix is None else prefix)] if names else []


def _online(workers: Iterable[KnownWorker]) -> list[str]:
    return [worker.name for worker in workers if worker.state == "online" and not worker.unknown and not worker.busy]


def _pause_s(known: KnownWorker, longest_s: float) -> float:
    return min(SHORTEST_S * 2.0 ** min(known.asked - 1, 10), longest_s)
