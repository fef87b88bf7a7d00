"""Whether a queue is served: what one poll adds to what is remembered of it.

Input: a queue as remembered, its length and heads, its consumers in this poll. Output: how long it stood still with idle consumers, how
long it had no consumer, and whether the two contradict: a queue without consumers that is emptied.

Where the broker counts deliveries, a queue that gets shorter without any is not emptied by anybody: its messages expire, or are purged.
"""

from collections.abc import Mapping

from msgspec import Struct
from msgspec.structs import replace

from watchdog.core.model.gaps import Gap
from watchdog.core.model.replies import Replies
from watchdog.tables.queues.consumers import Consumers
from watchdog.tables.queues.keys import KnownQueue, Queues
from watchdog.tables.workers.memory import KnownWorkers, passed

__all__ = ["GRACE_S", "Service", "contradiction", "settling_due", "unserved"]

GRACE_S = 240.0
"""Watched seconds a queue may be without consumers after a goodbye, or before the first one: deploys, autoscaling from zero."""
CONTRADICTED_S = 120.0
"""Seconds for which taken messages show that somebody consumes the queue. Consumers that take batches do so every half minute."""
STANDS_S = 20.0
"""How long a queue stands still with idle consumers before the workers are asked whether they still consume it."""
SETTLE_EVERY_S = 60.0
"""Shortest time between two refreshes of all workers, while a queue without consumers is emptied."""
COUNTED_APART_S = 10.0
"""RabbitMQ counts lengths and deliveries every 5 s each, in either order (measured: the length up to 5 s after the delivery)."""


class Service(Struct, frozen=True):
    """One poll. `watched_s`: since the last poll; `first`: there was none; `unacked`: of all queues, None if not queried."""

    consumers: Consumers
    now: float
    watched_s: float
    first: bool
    unacked: int | Gap | None

    def after(self, known: KnownQueue, length: int | Gap, *, head_changed: bool) -> KnownQueue:
        """Return the queue as it is to be remembered after this poll."""
        consumer, state = self.consumers.last(known.name, known.consumer)
        if isinstance(length, Gap):
            return replace(known, consumer=consumer)
        count = self.consumers.count(known.name)
        moves = self._moves(known, length, head_changed=head_changed)
        idle_s, processed = self._standing(known, length, moved=moves.taken)
        now = replace(
            self._with_signs(known, length, moves) if count == 0 and known.nobody and length else known,
            consumer=consumer,
            length=length,
            idle_s=idle_s,
            processed=processed,
            nobody=count == 0,
            delivered=moves.delivered,
        )
        unserved_s = self._unserved_s(now, length, count, state, stood_s=known.idle_s)
        return now if unserved_s == now.unserved_s else replace(now, unserved_s=unserved_s)

    def held_by(self, queue: str) -> str | Gap:
        """Return what its consumers wait for by design while messages wait; empty if nothing known explains it.

        They must hold messages for it, which `unacked` counts. If the broker is not queried for that count, it is assumed.
        """
        what = self.consumers.holds(queue)
        if what and isinstance(self.unacked, Gap):
            return self.unacked
        return what if self.unacked != 0 else ""

    def _standing(self, known: KnownQueue, length: int, *, moved: bool) -> tuple[float, Mapping[str, float]]:
        """Count watched time in which it held messages, none was taken, and every consumer was idle and took nothing.

        Also returns what each consumer had processed meanwhile.
        """
        if not length:
            return 0.0, {}
        taken, held = self.consumers.taken(known.name), self.held_by(known.name)
        if isinstance(taken, Gap) or isinstance(held, Gap):
            return known.idle_s, known.processed
        if not taken.by_consumer or not taken.all_idle:
            return 0.0, {}
        if moved or known.processed != taken.by_consumer or held:
            return 0.0, taken.by_consumer
        return known.idle_s + self.watched_s, known.processed

    def _moves(self, known: KnownQueue, length: int, *, head_changed: bool) -> "_Moves":
        """Compare it with the last poll."""
        fell = known.length is not None and length < known.length
        if self.consumers.delivered is None:
            return _Moves(fell, head_changed)
        delivered = self.consumers.delivered.get(known.name, 0)
        return _Moves(fell, known.delivered is not None and delivered > known.delivered, delivered)

    def _with_signs(self, known: KnownQueue, length: int, moves: "_Moves") -> KnownQueue:
        """Return a queue without a consumer with when messages were last seen to be taken, and what was seen.

        An emptied queue proves nothing: it may have been purged. Neither does a delivery by itself: it may be counted after its consumer
        has gone.
        """
        fell = f"fell from {known.length} to {length} messages"
        if moves.delivered is None:
            seen = fell if moves.fell else "had another message at its head one poll later"
            return replace(known, taken_at=self.now, taken=seen) if moves.taken else known
        known = replace(known, fell_at=self.now, fell=fell) if moves.fell else known
        known = replace(known, delivered_at=self.now) if moves.next else known
        if self.now not in (known.fell_at, known.delivered_at) or known.fell_at is None or known.delivered_at is None:
            return known
        together = abs(known.fell_at - known.delivered_at) <= max(COUNTED_APART_S, self.watched_s)
        return replace(known, taken_at=self.now, taken=f"{known.fell} as some were delivered") if together else known

    def _unserved_s(self, known: KnownQueue, length: int, count: int | Gap, state: str, *, stood_s: float) -> float:
        """Count the time without a consumer. `state`: that of the last one.

        `stood_s`: how long it stood still before. It had no consumer then either, though that was not known yet.
        """
        if isinstance(count, Gap):
            return known.unserved_s
        if count or not length or contradiction(known, self.consumers, self.now):
            return 0.0
        if self.first or state == "lost":  # remains so when the lost one is forgotten
            return GRACE_S
        return max(known.unserved_s, stood_s) + self.watched_s


class _Moves(Struct, frozen=True, gc=False):
    """What became of a queue since the last poll: whether it got shorter, and whether it serves another message next.

    `delivered`: how many of its messages were delivered so far; then `next` is whether some were since. None: nobody counts them.
    """

    fell: bool
    next: bool
    delivered: int | None = None

    @property
    def taken(self) -> bool:
        """Whether somebody took messages from it, as far as this shows."""
        return self.next or (self.fell and self.delivered is None)


def contradiction(known: KnownQueue, consumers: Consumers, now: float) -> str | None:
    """Return why it must have a consumer although no worker reports it; None if nothing shows one."""
    if not known.nobody or known.taken_at is None or not 0 <= now - known.taken_at <= CONTRADICTED_S:
        return None
    by_whom = "somebody takes its messages"
    if consumers.counted is not None:
        by_whom = "they expire, or somebody gets them one by one" if consumers.delivered is None else "somebody gets them one by one"
    return f"{consumers.nobody}, and yet it {known.taken}: {by_whom}"


def settling_due(_: Replies, memory: Queues, known_workers: KnownWorkers, now: float) -> bool:
    """Whether all workers are to be asked: what is remembered of a queue contradicts its consumers, and they were not asked since."""
    if passed(known_workers.refreshed_at, now, SETTLE_EVERY_S) and any(
        queue.taken_at is not None and queue.taken_at == memory.looked_at for queue in memory.known.values()
    ):
        return True
    standing = (queue.idle_s for queue in memory.known.values() if queue.idle_s >= STANDS_S)
    return any(passed(known_workers.refreshed_at, now, idle_s) for idle_s in standing)


def unserved(known: KnownQueue, length: int, state: str) -> float:
    """Return the messages that nobody takes; 0 within `GRACE_S`. `state`: that of the last consumer."""
    return float(length) if state == "lost" or known.unserved_s >= GRACE_S else 0.0
