"""The memory of the `queues` table, and how the target's keys are named in this cycle.

Every table that queries Redis, and its reading afterwards, must use the same key names. Input: the target, the replies so far, the memories
of `workers` and `queues`. Output: conf, prefix and bindings in force.
"""

from collections.abc import Mapping
from functools import lru_cache

from msgspec import Struct, field
from msgspec.structs import replace

from watchdog.core.model.gaps import Gap
from watchdog.core.model.replies import Replies
from watchdog.core.model.target import Target
from watchdog.tables.queues.celery_conf import CeleryConf, Said, celery_conf, confs_of, current
from watchdog.tables.queues.names import BINDING, Bindings, after, binding_keys, prefix_in_force
from watchdog.tables.queues.other_broker import broker_elsewhere
from watchdog.tables.workers.memory import INSPECTING, KnownWorkers, inspections

__all__ = ["KnownQueue", "QueueKeys", "Queues", "queue_keys", "queues_of"]


class KnownQueue(Struct, frozen=True, gc=False, omit_defaults=True):
    """One queue as remembered, without what has its default. `heads`: list key -> (task id at its head, since when, epoch seconds)."""

    name: str
    seen_at: float
    heads: Mapping[str, tuple[str, float]] = field(default_factory=dict)
    idle_s: float = 0.0
    processed: Mapping[str, float] = field(default_factory=dict)
    """Consumer -> what it had processed at the last poll, while the queue had a backlog."""
    arrived: tuple[str, ...] = ()
    """Keys of the lists whose head was seen to arrive: they were empty one poll before."""
    stays: tuple[float, ...] = ()
    """Seconds for which the last messages stayed at a head."""
    length: int | None = None
    """The length at the last poll that could read it."""
    nobody: bool = False
    """Whether no worker was known to consume it at the last poll, and none may have."""
    unserved_s: float = 0.0
    """Watched seconds in which messages waited without a consumer. Starts at `GRACE_S` if there is no grace period."""
    taken_at: float | None = None
    """When messages were last seen to be taken although no consumer was known; `taken`: what was seen."""
    taken: str = ""
    delivered: int | None = None
    """How many of its messages the broker had delivered at the last poll, if it counts them."""
    delivered_at: float | None = None
    """When that was last seen to rise although it had no consumer; `fell_at`, `fell`: when it last got shorter then, and by how much."""
    fell_at: float | None = None
    fell: str = ""
    consumer: str = ""
    """A worker last known to consume it; empty if there never was one."""


class Queues(Struct, frozen=True):
    """The memory of the `queues` table. `prefix` is the one found in bindings, if no worker reported it."""

    known: Mapping[str, KnownQueue] = field(default_factory=dict)
    said: Said = field(default_factory=Said)
    prefix: str | None = None
    bindings: Bindings = field(default_factory=Bindings)
    looked_at: float | None = None
    broker_answered_at: float | None = None
    """Without Redis: when Flower last answered a refresh since no worker sends heartbeats, which shows that the broker does not hang."""

    def queue(self, name: str, now: float, *, is_there: bool) -> KnownQueue:
        """Return what is remembered of a queue. `is_there`: it was not only remembered, but seen in this poll."""
        known = self.known.get(name) or KnownQueue(name, now)
        return replace(known, seen_at=now) if is_there else known


def queues_of(memory: object) -> Queues:
    """Return the memory of the `queues` table, or an empty one."""
    return memory if isinstance(memory, Queues) else Queues()


class QueueKeys(Struct, frozen=True):
    """The key names in force."""

    conf: CeleryConf
    prefix: str
    prefix_found: str | None
    """To be remembered."""
    bindings: Bindings
    consumed: frozenset[str]
    """Queues that some worker, online or not, was last seen to consume."""
    unsure: str | None = None
    """Why what these keys hold says nothing of this target's queues."""

    @property
    def prefix_told(self) -> bool:
        """Whether the prefix is known, so that keys can be queried."""
        return self.conf.prefix is not None or self.prefix_found is not None

    def lists(self, queue: str) -> tuple[str, ...]:
        """Return the keys of the lists that hold a queue's messages, in the order in which workers empty them."""
        return _lists(self.prefix + queue, self.conf.separator, self.conf.steps)


@lru_cache(maxsize=20_000)
def _lists(key: str, separator: str, steps: tuple[int, ...]) -> tuple[str, ...]:
    """Return one key per priority step, the first without a suffix.

    Cached, because thousands of names are needed several times in each cycle.
    """
    return (key, *(f"{key}{separator}{step}" for step in steps if step))


def queue_keys(target: Target, replies: Replies, known_workers: KnownWorkers, memory: Queues) -> QueueKeys:
    """Return the key names in force after these replies."""
    return replies.once(_queue_keys, target, known_workers, memory, of=INSPECTING | BINDING)


def _queue_keys(replies: Replies, target: Target, known_workers: KnownWorkers, memory: Queues) -> QueueKeys:
    seen = inspections(replies, known_workers, target)
    latest = current(seen.values())
    conf = celery_conf(target, latest, memory.said)
    found = prefix_in_force(conf.prefix, memory.prefix, binding_keys(memory.bindings, replies))
    prefix = "" if isinstance(found, Gap) else found
    bindings = replies.once(after, memory.bindings, prefix, conf.separator, of=BINDING)
    from_bindings = conf.prefix is None and not isinstance(found, Gap) and bool(bindings.keys)
    return QueueKeys(
        conf=conf,
        prefix=prefix,
        prefix_found=prefix if from_bindings else memory.prefix,
        bindings=bindings,
        consumed=frozenset([q for i in seen.values() for q in i.queues or ()]),
        unsure=found.reason if isinstance(found, Gap) else broker_elsewhere(target, confs_of(latest), bound_here=bool(bindings.queues)),
    )
