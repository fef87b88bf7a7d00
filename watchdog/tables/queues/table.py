"""`queues`: one row per queue that is configured, declared, consumed or bound; lengths over all priority lists, from Redis.

Without Redis, RabbitMQ is asked (`by_rabbitmq`), or Flower for the lengths alone (`by_flower`).
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from math import inf

from msgspec.structs import replace

from watchdog.core.model.demand import Demand
from watchdog.core.model.gaps import Gap
from watchdog.core.model.history import sampled, second_look_needed
from watchdog.core.model.queries import HashSize, InspectAll, Inspected, ListLengths, OldestMessage, Ping, Query, ReadServer, SetMembers
from watchdog.core.model.replies import Held, KeysFound, Pong, Replies
from watchdog.core.model.rows import Asking, Column, Kind, Look, Reading, Sample, Table
from watchdog.core.model.servers.heard import SentTimes
from watchdog.core.model.servers.rabbitmq_queries import RabbitOverview, RabbitQueues
from watchdog.core.model.target import Target, covers
from watchdog.tables.queues.by_flower import lengths_due, read_by_flower
from watchdog.tables.queues.by_rabbitmq import OF_RABBITMQ, read_by_rabbitmq
from watchdog.tables.queues.consumers import consumers
from watchdog.tables.queues.heads import OF_HEAD, heads_due, heads_of, undated
from watchdog.tables.queues.keys import QueueKeys, Queues, queue_keys, queues_of
from watchdog.tables.queues.names import exchanges, scan
from watchdog.tables.queues.off_steps import OFF_STEPS, off_lists, off_steps_idle, with_off_steps
from watchdog.tables.queues.rows import OF_CONSUMERS, QueueRows, blind_row
from watchdog.tables.queues.service import settling_due
from watchdog.tables.queues.work import OF_WORK, idle_work
from watchdog.tables.tasks.runtimes import BY_QUEUE
from watchdog.tables.workers.inspected.directly import is_needed
from watchdog.tables.workers.inspected.due import inspection_of_all
from watchdog.tables.workers.inspected.instead import NOT_ASKED
from watchdog.tables.workers.memory import known_workers_of, refreshing

__all__ = ["TABLE"]

COLUMNS = (
    Column("name", Kind.TEXT, "the queue's name"),
    Column("length", Kind.NUMBER, "messages that wait, over all priority lists", "messages", 0.0),
    Column("unacked", Kind.NUMBER, "messages fetched by a worker and not acknowledged", "messages", 0.0),
    Column("active", Kind.NUMBER, "tasks from it that its consumers execute now", "tasks", 0.0),
    Column(
        "priorities", Kind.TEXT, "what waits in each of its lists, the first served first, as `0:4 3:2`; empty where the first has it all"
    ),
    Column("consumers", Kind.NUMBER, "online workers that consume it", "workers", 0.0),
    Column(
        "oldest_s",
        Kind.NUMBER,
        "age of the message served next; where its publisher gives no time a lower bound, or unknown",
        "s",
        0.0,
    ),
    Column(
        "wait_avg_s",
        Kind.NUMBER,
        "from sending to start, of its last tasks that succeeded, by their senders' and workers' clocks; no ETA, no retry; 0 without any",
        "s",
        0.0,
        windowed=True,
    ),
    Column("growth_per_min", Kind.NUMBER, "by how much it grew a minute; negative where it fell", "1/min", 0.0, windowed=True),
    Column("arrived_per_min", Kind.NUMBER, "messages that were sent to it a minute", "1/min", 0.0, windowed=True),
    Column("finished_per_min", Kind.NUMBER, "tasks from it that finished a minute", "1/min", 0.0, windowed=True),
    Column("drain_s", Kind.NUMBER, "length over how fast it fell; infinite where it did not", "s", inf, windowed=True),
    Column("declared", Kind.BOOLEAN, "configured, or declared in the workers' conf"),
    Column(
        "idle_with_backlog_s",
        Kind.NUMBER,
        "how long it has had messages while its consumers did nothing that is known of",
        "s",
        0.0,
    ),
    Column(
        "unserved",
        Kind.NUMBER,
        "messages that nobody takes; within 4 minutes of a goodbye none",
        "messages",
        0.0,
    ),
    Column("last_consumer", Kind.TEXT, "the worker last known to consume it; empty where none ever was"),
    Column("host", Kind.TEXT, "the host of that worker"),
    Column("kind", Kind.TEXT, "the kind of that worker"),
    Column("last_consumer_state", Kind.TEXT, "what became of that worker", allowed=("", "online", "left", "lost")),
    Column("waits_for", Kind.TEXT, "what its consumers hold messages for by design, such as a rate limit; empty for nothing known"),
    Column("similar", Kind.TEXT, "a queue with consumers whose name is nearly this one's; empty where none is, or it had a consumer"),
    Column("head_s", Kind.NUMBER, "how long the message served next was seen to be it; not before its ETA", "s", 0.0),
    Column("stuck_s", Kind.NUMBER, "the same, while workers consume it, are not idle, and wait for nothing by design; else 0", "s", 0.0),
    Column("head_usual_s", Kind.NUMBER, "how long the last five stayed, their median", "s", 0.0),
    Column("head_task", Kind.TEXT, "its task"),
    Column("head_origin", Kind.TEXT, "the process that sent it"),
    Column("saturated", Kind.BOOLEAN, "it has consumers, and each executes as many tasks as it can at once"),
    Column(
        "pressure", Kind.NUMBER, "length and active: its work as far as it is known by queue; `cluster.pressure` has it all", "tasks", 0.0
    ),
    Column("bound", Kind.BOOLEAN, "somebody has consumed it or sent to it: Redis keeps a binding of each such queue, RabbitMQ the queue"),
    OFF_STEPS,
)
UNACKED = "needs RabbitMQ: Redis does not count it by queue (see broker.unacked)"
NO_BROKER = "needs RabbitMQ, and this target has no `rabbitmq`"
NOTHING = frozenset[type[Query]]()
MANY_KEYS = "redis: holds more keys than one poll scans; a queue that no worker consumes or declares may be missing"
NO_WORKERS = Reading(idle={"queues": "not read"})
BY_RABBITMQ_TOO = ("consumers", "unserved", "finished_per_min")
OF_FLOWER = ("consumers", *OF_WORK, "stuck_s", "idle_with_backlog_s", "unserved", "saturated", "pressure", *OF_CONSUMERS)


def asks(asking: Asking) -> Iterable[Query]:
    """Return the queries for names first (conf, bindings), then those for the lengths and heads of every list of every known queue."""
    if "redis" not in asking.target.sources:
        return _without_redis(asking)
    replies, memory = asking.replies, queues_of(asking.memory)
    keys = queue_keys(asking.target, replies, known_workers_of(asking.memories.get("workers")), memory)
    wanted: list[Query] = [Ping(), ReadServer(), scan(memory.bindings)]
    wanted += [Inspected()] if "flower" in asking.target.sources else []
    wanted += _settling(asking, memory)
    first_round = not replies.asked(Ping())
    if first_round and not keys.prefix_told:
        return wanted  # first round of the first poll: the key names are not known yet
    wanted += exchanges(memory.bindings, replies, keys.prefix)
    lists = replies.once(_lists, asking.target, memory, keys, of=NOTHING)
    wanted += _lengths_due(lists, keys, replies, asking.demand)
    wanted += map(OldestMessage, heads_due(lists, memory, replies.held(ListLengths)))
    wanted += [SentTimes(ids)] if (asking.target.hears_tasks or asking.target.hears_beside_flower) and (ids := undated(replies)) else []
    return wanted


def _lists(_: Replies, target: Target, memory: Queues, keys: QueueKeys) -> dict[str, tuple[str, ...]]:
    """Return the lists of every queue that is known before its workers are read."""
    return {name: keys.lists(name) for name in _names(target, memory, keys, keys.consumed)}


def _lengths_due(lists: Mapping[str, Sequence[str]], keys: QueueKeys, replies: Replies, demand: Demand) -> list[ListLengths]:
    """Return the query for the lengths that were not asked for; none if all were."""
    wanted = list(chain.from_iterable(lists.values()))
    if demand.wants("queues", OFF_STEPS.name):
        wanted += [key for name in lists for key in off_lists(name, keys)]
    asked = replies.held(ListLengths).asked
    unread = () if asked.issuperset(wanted) else tuple([key for key in wanted if key not in asked])
    return [ListLengths(unread)] if unread else []


def read(look: Look) -> Reading:
    """Return a row for every known queue."""
    idle = second_look_needed(look, "growth_per_min") | idle_work(look) | off_steps_idle(look.demand)
    if look.target.sources.isdisjoint(("flower", "redis", "rabbitmq")):
        return Reading(idle={c.name: "needs Redis, RabbitMQ or Flower, and this target has none" for c in COLUMNS})
    if "redis" not in look.target.sources:
        return _read_without_redis(look, idle)
    memory = queues_of(look.memory)
    idle |= _idle_without_flower(look)
    known_workers = known_workers_of(look.before["workers"].memory if "workers" in look.before else None)
    keys = queue_keys(look.target, look.replies, known_workers, memory)
    pong = look.replies.get(Ping(), Pong)
    if "rabbitmq" not in look.target.sources or not isinstance(pong, Gap):
        idle |= dict.fromkeys(OF_RABBITMQ, UNACKED)
    why = pong.reason if isinstance(pong, Gap) else keys.unsure
    if why is not None:
        blind = tuple(c.name for c in COLUMNS if c.name not in ("name", "declared") and c.name not in idle)
        blind_rows = tuple(blind_row(name, why, keys.conf.declared, blind) for name in memory.known)
        return Reading(blind_rows, unread=why, idle=idle, memory=memory if isinstance(pong, Gap) else _remember(memory, keys))
    consumed, lists = consumers(look.before.get("workers"), known_workers, look.now), look.replies.held(ListLengths)
    names = _names(look.target, memory, keys, consumed.queues)
    lengths = _lengths(names, keys, lists)
    late = [name for name in names if name not in lengths]
    heads = {name: heads_of(keys.lists(name), lists, look.replies) for name, length in lengths.items() if length != 0}
    rows = QueueRows(
        look,
        memory,
        keys.conf.declared,
        consumed,
        heads,
        look.replies.get(HashSize(keys.prefix + "unacked"), int),
        {name: told for name, length in lengths.items() if length and (told := _priorities(keys, name, lists))},
        bindings=keys.bindings,
    )
    there = consumed.queues.union(keys.conf.declared, heads)
    known = {name: rows.after(memory.queue(name, look.now, is_there=name in there), length) for name, length in lengths.items()}
    bound = keys.bindings.queues
    kept = {name: queue for name, queue in known.items() if name in bound or look.now - queue.seen_at <= look.target.forget_after_s}
    missing = _missing(memory, keys, look.replies)
    partial = _partial(keys, late)
    shown = [rows.row(queue, lengths[name], idle) for name, queue in kept.items()]
    if OFF_STEPS.name not in idle:
        shown = [with_off_steps(row, keys, lists) for row in shown]
    return Reading(
        rows=tuple(shown),
        partial=missing or partial,
        missing=missing,
        note=partial or "",
        idle=idle,
        memory=replace(_remember(memory, keys), known=kept, looked_at=look.now),
        sample=Sample(look.now, sampled(look.history, {name: lengths[name] for name in kept})),
        forgotten=frozenset((name,) for name in known if name not in kept),
    )


def _without_redis(asking: Asking) -> Iterable[Query]:
    """Return the queries of a target whose broker is not Redis."""
    if "rabbitmq" not in asking.target.sources:
        return lengths_due(asking) if "flower" in asking.target.sources else []
    of_flower = [Inspected()] if "flower" in asking.target.sources else []
    of_workers = _settling(asking, queues_of(asking.memory))
    return [RabbitOverview(), RabbitQueues(asking.target.rabbitmq_vhost), *of_flower, *of_workers]


def _read_without_redis(look: Look, idle: dict[str, str]) -> Reading:
    names = [c.name for c in COLUMNS]
    if "rabbitmq" not in look.target.sources:
        of_redis = dict.fromkeys((*OF_HEAD, "priorities", "bound", OFF_STEPS.name), "needs Redis, and this target has no `redis`")
        return read_by_flower(look, idle | of_redis | dict.fromkeys(OF_RABBITMQ, NO_BROKER), names)
    idle = {name: why for name, why in idle.items() if name != "finished_per_min"} | {OFF_STEPS.name: "RabbitMQ has no such lists"}
    lacking = {name: why for name, why in _idle_without_flower(look).items() if name not in BY_RABBITMQ_TOO}
    return read_by_rabbitmq(look, idle | lacking, names)


def _idle_without_flower(look: Look) -> dict[str, str]:
    """Return column -> why nobody fills it. Workers that are asked say what they consume, events of tasks where each came from."""
    if "flower" in look.target.sources:
        return {}
    if "queues" not in look.before.get("workers", NO_WORKERS).idle:
        return {}
    return {column: NOT_ASKED for column in OF_FLOWER if not (look.target.hears_tasks and column in BY_QUEUE)}


def _lengths(names: Iterable[str], keys: QueueKeys, lists: Held[int]) -> dict[str, int | Gap]:
    """Return queue -> the messages that wait, over all its lists. One that was found after the last round was not asked about."""
    lengths: dict[str, int | Gap] = {}
    not_empty = lists.found.keys() | lists.gaps.keys()
    for name in names:
        of_queue = keys.lists(name)
        if lists.asked.issuperset(of_queue):
            lengths[name] = 0 if not_empty.isdisjoint(of_queue) else _length(of_queue, lists)
    return lengths


def _priorities(keys: QueueKeys, name: str, lists: Held[int]) -> str:
    """Return what waits in each list of a queue, `0:4 3:2`; empty if nothing waits in another than the first."""
    first, *others = keys.lists(name)
    if lists.found.keys().isdisjoint(others):
        return ""
    steps = ("0", *(key.removeprefix(first + keys.conf.separator) for key in others))
    return " ".join(f"{step}:{count}" for step, key in zip(steps, (first, *others), strict=True) if (count := lists.found.get(key)))


def _length(of_queue: Iterable[str], lists: Held[int]) -> int | Gap:
    gap = next((lists.gaps[key] for key in of_queue if key in lists.gaps), None)
    return gap or sum(lists.found.get(key, 0) for key in of_queue)


def _settling(asking: Asking, memory: Queues) -> list[Query]:
    """Return a refresh of all workers if the state of a queue contradicts its known consumers.

    Sent if messages were taken from a queue without consumers in the last poll, and once when a queue begins to stand still with idle
    consumers: they may have been told to consume it no more (`cancel_consumer`).
    """
    known_workers = known_workers_of(asking.memories.get("workers"))
    if known_workers.broker.down or not asking.replies.once(settling_due, memory, known_workers, asking.now, of=NOTHING):
        return []
    if is_needed(asking.target, asking.replies, known_workers):
        return inspection_of_all(known_workers, asking.target.key_prefix)
    return refreshing([InspectAll()]) if "flower" in asking.target.sources else []


def _names(target: Target, memory: Queues, keys: QueueKeys, consumed: frozenset[str]) -> list[str]:
    names = set(memory.known) | keys.conf.declared | consumed | keys.bindings.queues
    return sorted([name for name in names if covers(name, target.queues)] if target.queues else names)


def _remember(memory: Queues, keys: QueueKeys) -> Queues:
    return replace(memory, said=keys.conf.said, prefix=keys.prefix_found, bindings=keys.bindings)


def _missing(memory: Queues, keys: QueueKeys, replies: Replies) -> str | None:
    """Return why queues may be missing: the scan for bindings was never complete and fails, or a new binding cannot be read."""
    found = replies.get(scan(memory.bindings), KeysFound)
    if isinstance(found, Gap) and not memory.bindings.whole:
        return found.reason
    unread = replies.held(SetMembers).gaps
    new = sorted(key for key in unread if key in keys.bindings.keys and key not in memory.bindings.members)
    return unread[new[0]].reason if new else None


def _partial(keys: QueueKeys, late: list[str]) -> str | None:
    if late:
        return f"{late[0]} was discovered at the end of this poll; the next one reads it"
    return None if keys.bindings.whole else MANY_KEYS


ROW_IS = "a queue configured, declared, consumed or bound"
TABLE = Table("queues", ROW_IS, ("name",), COLUMNS, asks, read, memory=Queues, needs=("workers", "tasks"))
