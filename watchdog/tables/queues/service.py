"""Whether a queue is served: what one poll adds to what is remembered of it.

Input: a queue as remembered, its length and heads, its consumers in this poll. Output: how long it stood still with idle consumers, how
long it had no consumer, and whether the two contradict: a queue without consumers that is emptied.
"""

from msgspec import Struct
from msgspec.structs import replace

from watchdog.core.model.gaps import Gap
from watchdog.tables.queues.consumers import Consumers
from watchdog.tables.queues.keys import KnownQueue

__all__ = ["GRACE_S", "Service", "contradiction", "unserved"]

GRACE_S = 240.0
"""Watched seconds a queue may be without consumers after a goodbye, or before the first one: deploys, autoscaling from zero."""
CONTRADICTED_S = 120.0
"""Seconds for which taken messages show that somebody consumes the queue. Consumers that take batches do so every half minute."""


class Service(Struct, frozen=True):
    """One poll. `watched_s`: since the last poll; `first`: there was none; `unacked`: of all queues, None if not queried."""

    consumers: Consumers
    now: float
    watched_s: float
    first: bool
    unacked: int | Gap | None

    def after(self, known: KnownQueue, length: int | Gap, *, head_changed: bool) -> KnownQueue:
        """Return the queue as it is to be remembered after this poll."""
        consumer, _ = self.consumers.last(known.name, known.consumer)
        known = replace(known, consumer=consumer)
        if isinstance(length, Gap):
            return known
        stood_s = known.idle_s
        fell = known.length is not None and length < known.length
        known = self._standing(known, length, moved=fell or head_changed)
        known = self._seen_taken(known, length, fell=fell, head_changed=head_changed)
        return replace(self._unserved(known, length, stood_s), length=length)

    def held_by(self, queue: str) -> str | Gap:
        """Return what its consumers wait for by design while messages wait; empty if nothing known explains it.

        They must hold messages for it, which `unacked` counts. If the broker is not queried for that count, it is assumed.
        """
        what = self.consumers.holds(queue)
        if what and isinstance(self.unacked, Gap):
            return self.unacked
        return what if self.unacked != 0 else ""

    def _standing(self, known: KnownQueue, length: int, *, moved: bool) -> KnownQueue:
        """Count watched time in which it held messages, none was taken, and every consumer was idle and took nothing."""
        if not length and not known.idle_s and not known.processed:
            return known
        taken = self.consumers.taken(known.name)
        held = self.held_by(known.name)
        if length and (isinstance(taken, Gap) or isinstance(held, Gap)):
            return known
        if not length or isinstance(taken, Gap) or not taken.by_consumer or not taken.all_idle:
            return replace(known, idle_s=0.0, processed={})
        if moved or known.processed != taken.by_consumer or held:
            return replace(known, idle_s=0.0, processed=taken.by_consumer)
        return replace(known, idle_s=known.idle_s + self.watched_s)

    def _seen_taken(self, known: KnownQueue, length: int, *, fell: bool, head_changed: bool) -> KnownQueue:
        """Note that messages were taken although there is no consumer. An emptied queue proves nothing: it may have been purged."""
        nobody = self.consumers.count(known.name) == 0
        if nobody and known.nobody and length and (fell or head_changed):
            what = f"fell from {known.length} to {length} messages" if fell else "had another message served next a look later"
            return replace(known, nobody=nobody, taken_at=self.now, taken=what)
        return replace(known, nobody=nobody)

    def _unserved(self, known: KnownQueue, length: int, stood_s: float) -> KnownQueue:
        """Count the time without a consumer.

        `stood_s`: how long it stood still before. It had no consumer then either, though that was not known yet.
        """
        count = self.consumers.count(known.name)
        if isinstance(count, Gap):
            return known
        if count or not length or contradiction(known, self.now):
            return replace(known, unserved_s=0.0)
        if self.first or self.consumers.last(known.name, known.consumer)[1] == "lost":  # remains so when the lost one is forgotten
            return replace(known, unserved_s=GRACE_S)
        return replace(known, unserved_s=max(known.unserved_s, stood_s) + self.watched_s)


def contradiction(known: KnownQueue, now: float) -> str | None:
    """Return why it must have a consumer although no worker reports it; None if nothing shows one."""
    if not known.nobody or known.taken_at is None or not 0 <= now - known.taken_at <= CONTRADICTED_S:
        return None
    return f"no worker that Flower knows consumes it, and yet it {known.taken}: somebody takes its messages"


def unserved(known: KnownQueue, length: int, state: str) -> float:
    """Return the messages that nobody takes; 0 within `GRACE_S`. `state`: that of the last consumer."""
    return float(length) if state == "lost" or known.unserved_s >= GRACE_S else 0.0
