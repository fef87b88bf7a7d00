"""The queues of a target without Redis, with the lengths that Flower reports: it can for RabbitMQ, it cannot for SQS and others.

Flower lists only queues consumed by workers it has inspected: a queue that is not listed is unknown, and the table is partial. Lengths are
polled every 30 s. A Redis behind such a Flower may hang, and then one such query blocks all of Flower 2.0 and 1.2 (measured). So the query
is sent only while there is evidence that the broker answers, or if the workers report that it is not Redis.
"""

from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from watchdog.core.model.gaps import NONE_LISTED, UNCOUNTABLE, Gap
from watchdog.core.model.history import sampled
from watchdog.core.model.queries import InspectAll, Inspected, InspectOne, Query, QueueLengths, WorkerStatus
from watchdog.core.model.replies import Replies, WorkerInspection
from watchdog.core.model.rows import Asking, Look, Reading, Sample
from watchdog.core.model.target import covers
from watchdog.tables.queues.celery_conf import celery_conf, current
from watchdog.tables.queues.consumers import consumers
from watchdog.tables.queues.keys import Queues, queues_of
from watchdog.tables.queues.rows import OF_LENGTH, QueueRows, blind_row
from watchdog.tables.workers.memory import inspections, known_workers_of

__all__ = ["lengths_due", "read_by_flower"]

PARTIAL = "flower: lists only queues that workers it has inspected consume; another may hold messages"
UNLISTED = "flower: does not list it: no worker that it has inspected since its start consumes it, or the broker has not counted it yet"
NOT_ASKED = "flower: not queried for queue lengths: no worker sends heartbeats, and a broker that hangs would block Flower"
NO_MORE = "flower: it listed queues before and lists none now: RabbitMQ, or its management API, does not answer Flower"
RABBITMQ = frozenset({"amqp", "amqps"})
ANSWERED_S = 330.0
"""How long an answered refresh shows that the broker answers, while no worker sends heartbeats. All workers are asked again every 300 s."""


def lengths_due(asking: Asking) -> Iterable[Query]:
    """Return the query of the inspect cache, for names, and the query of lengths once it is known to be safe."""
    seen = inspections(asking.replies, known_workers_of(asking.memories.get("workers")), asking.target)
    at = _answered_at(asking.replies, queues_of(asking.memory).broker_answered_at, asking.now)
    shown = _heard(asking.replies) or (at is not None and 0 <= asking.now - at <= ANSWERED_S)
    told = _transports(seen)
    due = bool(RABBITMQ & told) if not _may_be_redis(told) else shown
    return [WorkerStatus(), Inspected(), *([QueueLengths()] if due else ())]


def read_by_flower(look: Look, idle: Mapping[str, str], columns: Iterable[str]) -> Reading:
    """Return a row for every queue that Flower lists, and for those that it should list."""
    memory = queues_of(look.memory)
    known_workers = known_workers_of(look.before["workers"].memory if "workers" in look.before else None)
    seen = inspections(look.replies, known_workers, look.target)
    conf = celery_conf(look.target, current(seen.values()), memory.said)
    memory = replace(memory, said=conf.said, broker_answered_at=_answered_at(look.replies, memory.broker_answered_at, look.now))
    idle = {**_uncounted(_transports(seen), look.replies), **idle}
    listed: dict[str, int] | Gap = {} if "length" in idle else look.replies.get(QueueLengths(), dict[str, int])
    if isinstance(listed, Gap):
        why = _why_none(listed, memory) if look.replies.asked(QueueLengths()) else _why_not_asked(look.replies)
        blind = tuple(c for c in columns if c not in ("name", "declared") and c not in idle)
        return Reading(tuple(blind_row(name, why, conf.declared, blind) for name in memory.known), unread=why, idle=idle, memory=memory)
    consumed = consumers(look.before.get("workers"), known_workers, look.now)
    rows = QueueRows(look, memory, conf.declared, consumed)
    ours = {queue for inspection in seen.values() for queue in inspection.queues or ()} | set(memory.known)
    told = {name for name in listed if not look.target.workers or name in ours | conf.declared}  # the others belong to another app
    names = sorted(name for name in ours | told if covers(name, look.target.queues))
    lengths = {name: listed.get(name, Gap(UNLISTED)) for name in names}
    there = consumed.queues.union(listed)
    known = {name: rows.after(memory.queue(name, look.now, is_there=name in there), length) for name, length in lengths.items()}
    kept = {name: queue for name, queue in known.items() if look.now - queue.seen_at <= look.target.forget_after_s}
    return Reading(
        rows=tuple(rows.row(queue, lengths[name], idle) for name, queue in kept.items()),
        partial=PARTIAL,
        note=PARTIAL,
        idle=idle,
        memory=replace(memory, known=kept, looked_at=look.now),
        sample=Sample(look.now, sampled(look.history, {name: listed[name] for name in kept if name in listed})),
        forgotten=frozenset((name,) for name in known if name not in kept),
    )


def _uncounted(transports: frozenset[str], replies: Replies) -> dict[str, str]:
    """Return column -> why it is idle, if Flower cannot count messages in this transport, by its workers' word or by its own."""
    if transports and not _may_be_redis(transports) and not RABBITMQ & transports:
        return dict.fromkeys(OF_LENGTH, f"Flower does not know the length of a queue in {', '.join(sorted(transports))}")
    listed = replies.get(QueueLengths(), dict) if replies.asked(QueueLengths()) else None
    if isinstance(listed, Gap) and listed.reason == UNCOUNTABLE:
        return dict.fromkeys(OF_LENGTH, UNCOUNTABLE)
    return {}


def _heard(replies: Replies) -> bool:
    """Whether Flower hears some worker, which means that the broker carried its last heartbeat."""
    status = replies.get(WorkerStatus(), dict[str, bool])
    return not isinstance(status, Gap) and any(status.values())


def _answered_at(replies: Replies, before: float | None, now: float) -> float | None:
    """Return when a refresh was last answered since no worker sends heartbeats. Flower waits for a hanging broker and does not answer."""
    if _heard(replies):
        return None
    asked = [query for query in replies.answers if isinstance(query, InspectAll | InspectOne)]
    return now if any(not isinstance(replies.get(query, dict), Gap) for query in asked) else before


def _transports(seen: Mapping[str, WorkerInspection]) -> frozenset[str]:
    """Return the transports that the workers report."""
    return frozenset(i.conf.transport for i in seen.values() if i.conf is not None and i.conf.transport)


def _may_be_redis(transports: frozenset[str]) -> bool:
    return not transports or any("redis" in transport or transport in ("sentinel", "valkey") for transport in transports)


def _why_none(gap: Gap, memory: Queues) -> str:
    """Return why no queue is listed. Flower hides errors of RabbitMQ's management API and lists no queue (2.2, `utils/broker.py`)."""
    worked = memory.looked_at is not None and bool(memory.known)
    return NO_MORE if worked and gap.reason == NONE_LISTED else gap.reason


def _why_not_asked(replies: Replies) -> str:
    status = replies.get(WorkerStatus(), dict[str, bool])
    return status.reason if isinstance(status, Gap) else NOT_ASKED
