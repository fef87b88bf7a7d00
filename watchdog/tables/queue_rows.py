"""The cells of a queue, whoever tells its length.

In: a look, what is remembered, lengths and ages. Out: rows, and how long a queue stood still.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from math import inf

from watchdog.core.gaps import Gap
from watchdog.core.rows import Cell, Look, Row
from watchdog.tables.fleet import fleet_of
from watchdog.tables.history import oldest_of, within
from watchdog.tables.queue_consumers import consumers
from watchdog.tables.queue_keys import KnownQueue, Queues

__all__ = ["OF_LENGTH", "QueueRows", "blind_row"]

OF_LENGTH = ("length", "oldest_s", "growth_per_min", "drain_s", "idle_with_backlog_s")


class QueueRows:
    """One look's evidence about the queues. `length`: queue -> messages that wait; `oldest_s`: (queue, length) -> age of the next one."""

    def __init__(
        self,
        look: Look,
        memory: Queues,
        declared: frozenset[str],
        length: Callable[[str], int | Gap],
        oldest_s: Callable[[KnownQueue, int], float | Gap],
    ) -> None:
        workers = look.before.get("workers")
        self.consumers = consumers(workers, fleet_of(workers.memory if workers else None))
        self._look, self._memory, self._declared = look, memory, declared
        self._length, self._oldest_s, self._samples = length, oldest_s, within(look)

    def idling(self, known: KnownQueue) -> KnownQueue:
        """Count watched time in which it held messages while every consumer was idle and had taken nothing since the last look."""
        length = self._length(known.name)
        if not length and not known.idle_s and not known.processed:
            return known
        taken = self.consumers.taken(known.name)
        if isinstance(length, Gap) or (length and isinstance(taken, Gap)):
            return known
        if not length or isinstance(taken, Gap) or not taken.by_consumer or not taken.all_idle:
            return replace(known, idle_s=0.0, processed={})
        if known.processed != taken.by_consumer:
            return replace(known, idle_s=0.0, processed=taken.by_consumer)
        watched = self._look.now - (self._memory.looked_at or self._look.now)
        return replace(known, idle_s=known.idle_s + min(max(watched, 0.0), 2 * self._look.target.interval_s))

    def row(self, known: KnownQueue, idle: Mapping[str, str]) -> Row:
        """Its cells."""
        cells: dict[str, Cell] = {"name": known.name, "declared": known.name in self._declared}
        gaps: dict[str, str] = {}
        length, count = self._length(known.name), self.consumers.count(known.name)
        if isinstance(length, Gap):
            gaps |= dict.fromkeys(OF_LENGTH, length.reason)
        else:
            cells |= {"length": float(length), "idle_with_backlog_s": known.idle_s, **self._trend(known.name, float(length))}
            oldest = self._oldest_s(known, length)
            cells["oldest_s"] = oldest if not isinstance(oldest, Gap) else None
            gaps |= {"oldest_s": oldest.reason} if isinstance(oldest, Gap) else {}
        cells["consumers"] = None if isinstance(count, Gap) else float(count)
        gaps |= {"consumers": count.reason} if isinstance(count, Gap) else {}
        if length != 0 and isinstance(taken := self.consumers.taken(known.name), Gap):
            gaps["idle_with_backlog_s"] = taken.reason
        cells |= dict.fromkeys(gaps)
        return Row({n: c for n, c in cells.items() if n not in idle}, {n: r for n, r in gaps.items() if n not in idle})

    def _trend(self, name: str, length: float) -> dict[str, Cell]:
        at, before = oldest_of(self._samples, name, 0) or (self._look.now, length)
        span = self._look.now - at
        grown = (length - before) / span if span > 0 else 0.0
        drain = 0.0 if not length else length / -grown if grown < 0 else inf
        return {"growth_per_min": grown * 60, "drain_s": drain}


def blind_row(name: str, why: str, declared: frozenset[str], blind: tuple[str, ...]) -> Row:
    """A queue of which nothing but its name is known now; `blind`: the columns that are gaps."""
    cells: dict[str, Cell] = {"name": name, "declared": name in declared, **dict.fromkeys(blind)}
    return Row(cells, dict.fromkeys(blind, why))
