"""The cells of a queue, wherever its length comes from.

Input: a `Look`, what is remembered, lengths and heads. Output: rows, and what to remember of a queue.
"""

from collections.abc import Mapping
from difflib import get_close_matches
from functools import lru_cache
from math import inf
from types import MappingProxyType

from watchdog.core.model.gaps import Gap
from watchdog.core.model.history import oldest_of, within
from watchdog.core.model.rows import Cell, Look, Row
from watchdog.tables.queues.consumers import Consumers
from watchdog.tables.queues.heads import OF_HEAD, Heads
from watchdog.tables.queues.keys import KnownQueue, Queues
from watchdog.tables.queues.names import Bindings
from watchdog.tables.queues.service import Service, contradiction, unserved
from watchdog.tables.queues.work import QueueWork
from watchdog.tables.workers.names import host_of, kind_of

__all__ = ["OF_CONSUMERS", "OF_LENGTH", "QueueRows", "blind_row"]

OF_LENGTH = ("length", "growth_per_min", "drain_s", "idle_with_backlog_s", "unserved", "priorities", *OF_HEAD)
OF_CONSUMERS = ("last_consumer", "host", "kind", "last_consumer_state", "waits_for", "similar")
NO_HEADS = Heads({})
NO_BINDINGS = Bindings()
NOT_SCANNED = "redis: not all of its keys were scanned for bindings yet"
WITHOUT_HEADS: Mapping[str, Cell] = {
    "oldest_s": 0.0,
    "head_s": 0.0,
    "stuck_s": 0.0,
    "head_usual_s": 0.0,
    "head_task": "",
    "head_origin": "",
}
NEAR = 0.75
"""How similar two queue names must be for one to count as a misspelling of the other."""


class QueueRows:
    """One poll's evidence about the queues. `heads`: queue -> the heads of its lists, where it holds messages, or may.

    `unacked`: messages that workers hold, of all queues; None if it is not queried. `priorities`: queue -> what waits in each of its lists,
    where it uses more than one.
    """

    def __init__(  # noqa: PLR0913 - everything that a row depends on
        self,
        look: Look,
        memory: Queues,
        declared: frozenset[str],
        consumers: Consumers,
        heads: Mapping[str, Heads] = MappingProxyType({}),
        unacked: int | Gap | None = None,
        priorities: Mapping[str, str] = MappingProxyType({}),
        *,
        bindings: Bindings = NO_BINDINGS,
    ) -> None:
        self._consumers = consumers
        self._look, self._memory, self._declared = look, memory, declared
        self._heads, self._samples, self._priorities = heads, within(look), priorities
        self._work = QueueWork(look, consumers)
        self._consumed_queues, self._bound, self._all_bindings = consumers.queues, bindings.queues, bindings.whole
        since = look.now - (look.now if memory.looked_at is None else memory.looked_at)
        self._gapless = 0 <= since <= 2 * look.target.interval_s
        watched = min(max(since, 0.0), 2 * look.target.interval_s)
        self._service = Service(self._consumers, look.now, watched, memory.looked_at is None, unacked)

    def after(self, known: KnownQueue, length: int | Gap) -> KnownQueue:
        """Return the queue as it is to be remembered after this poll."""
        heads = self._heads.get(known.name, NO_HEADS)
        now = self._service.after(known, length, head_changed=heads.taken(known))
        return heads.after(now, self._look.now, self._memory.looked_at, empty_before=known.length == 0 and self._gapless)

    def row(self, known: KnownQueue, length: int | Gap, idle: Mapping[str, str]) -> Row:
        """Return its row."""
        cells: dict[str, Cell] = {"name": known.name, "declared": known.name in self._declared}
        gaps: dict[str, str] = {}
        if isinstance(length, Gap):
            gaps |= dict.fromkeys(OF_LENGTH, length.reason)
        else:
            cells |= WITHOUT_HEADS
            cells["length"], cells["idle_with_backlog_s"] = float(length), known.idle_s
            cells["priorities"] = self._priorities.get(known.name, "")
            cells["growth_per_min"], cells["drain_s"] = self._trend(known.name, float(length))
            if length and "head_s" not in idle:
                of_head, gaps = self._heads.get(known.name, NO_HEADS).cells(known, self._look.now)
                cells |= of_head
        self._consumed(known, length, cells, gaps)
        if length and not isinstance(length, Gap) and "stuck_s" not in idle:
            self._stuck(known, cells, gaps)
        self._work.fill(known.name, cells, gaps)
        self._pressed(known.name, cells, gaps)
        for column in gaps:
            cells.setdefault(column, None)
        for column in idle:
            cells.pop(column, None)
        return Row(cells, {column: why for column, why in gaps.items() if column not in idle} if gaps else gaps)

    def _consumed(self, known: KnownQueue, length: int | Gap, cells: dict[str, Cell], gaps: dict[str, str]) -> None:
        """Fill the cells about its consumers."""
        count = self._consumers.count(known.name)
        why = count.reason if isinstance(count, Gap) else contradiction(known, self._consumers, self._look.now)
        if why or isinstance(count, Gap):
            cells["consumers"], gaps["consumers"] = None, str(why)
        else:
            cells["consumers"] = float(count)
        last, state = self._consumers.last(known.name, known.consumer)
        held = self._service.held_by(known.name)
        if isinstance(count, Gap):
            gaps |= dict.fromkeys(OF_CONSUMERS, count.reason)
        else:
            cells["last_consumer"], cells["last_consumer_state"] = last, state
            cells["host"], cells["kind"] = host_of(last), kind_of(last, self._look.target.kinds)
            cells["similar"] = "" if last else _nearest(known.name, self._consumed_queues)
            if isinstance(held, Gap):
                cells["waits_for"], gaps["waits_for"] = None, held.reason
            else:
                cells["waits_for"] = held
        if isinstance(length, Gap):
            return
        cells["unserved"] = unserved(known, length, state) if length and count == 0 else 0.0
        if length and why:
            cells["unserved"], gaps["unserved"] = None, why
        if length and (isinstance(taken := self._consumers.taken(known.name), Gap) or isinstance(held, Gap)):
            reason = taken.reason if isinstance(taken, Gap) else gaps["waits_for"]
            cells["idle_with_backlog_s"], gaps["idle_with_backlog_s"] = None, reason

    def _pressed(self, queue: str, cells: dict[str, Cell], gaps: dict[str, str]) -> None:
        """Fill how much work there is of it, whether its consumers can take more, and whether anybody ever used it."""
        length, active, saturated = cells.get("length"), cells.get("active"), self._consumers.all_saturated(queue)
        why = gaps.get("length") or gaps.get("active") or self._consumers.unknown
        if isinstance(length, float) and isinstance(active, float):
            cells["pressure"] = length + active
        elif why:
            gaps["pressure"] = why
        cells["saturated"] = saturated
        if (unsure := gaps.get("consumers") or self._consumers.unsure_of(queue)) and not (saturated and "consumers" not in gaps):
            cells["saturated"], gaps["saturated"] = None, unsure
        cells["bound"] = queue in self._bound
        if not cells["bound"] and not self._all_bindings:
            cells["bound"], gaps["bound"] = None, NOT_SCANNED

    def _stuck(self, known: KnownQueue, cells: dict[str, Cell], gaps: dict[str, str]) -> None:
        """Fill `stuck_s`: how long workers that are not idle have taken none of its messages."""
        head = cells.get("head_s")
        by_design = None if self._consumers.all_saturated(known.name) else "waits_for"
        why = gaps.get("head_s") or (head and (gaps.get("consumers") or (by_design and gaps.get(by_design))))
        if why:
            cells["stuck_s"], gaps["stuck_s"] = None, str(why)
        else:
            excused = not cells["consumers"] or (by_design and cells[by_design]) or known.idle_s
            cells["stuck_s"] = 0.0 if not head or excused else head

    def _trend(self, name: str, length: float) -> tuple[float, float]:
        """Return by how much it grew a minute within the window, and in how many seconds it would be empty."""
        at, before = oldest_of(self._samples, name, 0) or (self._look.now, length)
        span = self._look.now - at
        grown = (length - before) / span if span > 0 else 0.0
        drain = 0.0 if not length else length / -grown if grown < 0 else inf
        return grown * 60, drain


@lru_cache(maxsize=10_000)
def _nearest(name: str, consumed: frozenset[str]) -> str:
    """Return the consumed queue whose name this one may be a misspelling of; empty if none is near.

    Cached: names rarely change, and among 1,000 names it takes some 5 ms to find out, for each queue that nobody ever consumed.
    """
    return next(iter(get_close_matches(name, sorted(consumed), n=1, cutoff=NEAR)), "")


def blind_row(name: str, why: str, declared: frozenset[str], blind: tuple[str, ...]) -> Row:
    """Return the row of a queue of which only the name is known now. `blind`: the columns that are gaps."""
    cells: dict[str, Cell] = {"name": name, "declared": name in declared, **dict.fromkeys(blind)}
    return Row(cells, dict.fromkeys(blind, why))
