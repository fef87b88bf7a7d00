"""`broker`: one row for the target's Redis, from PING, INFO and the unacked index; or for its RabbitMQ (`by_rabbitmq`)."""

from collections.abc import Iterable
from math import inf

from watchdog.core.model.gaps import Gap
from watchdog.core.model.history import numbers_within, risen
from watchdog.core.model.queries import CountFlushes, HashSize, LowestScore, Ping, Query, ReadServer
from watchdog.core.model.replies import Pong, RedisServer
from watchdog.core.model.rows import Asking, Cell, Column, Kind, Look, Reading, Row, Sample, Table, number
from watchdog.core.model.servers.rabbitmq_queries import RabbitQueues
from watchdog.tables.broker.by_rabbitmq import OF_BOTH, OF_RABBITMQ, read_by_rabbitmq
from watchdog.tables.broker.losses import Holdings, holdings_after
from watchdog.tables.queues.keys import queue_keys, queues_of
from watchdog.tables.workers.memory import KnownWorker, known_workers_of
from watchdog.tables.workers.presence import questions_of_presence

__all__ = ["TABLE"]

N, T, B = Kind.NUMBER, Kind.TEXT, Kind.BOOLEAN
COLUMNS = (
    Column("latency_ms", N, "how long a PING took", "ms"),
    Column("used_memory", N, "memory it uses; of several nodes, the one that is nearest to its limit", "bytes"),
    Column("max_memory", N, "memory it may use; 0: no limit set", "bytes", 0.0),
    Column("memory_ratio", N, "used of allowed; 0 where no limit is set", "ratio", 0.0),
    Column("evicted", N, "keys evicted within the window", "keys", 0.0, windowed=True),
    Column("eviction_policy", T, "maxmemory-policy"),
    Column("clients", N, "connected clients", "clients"),
    Column("client_ratio", N, "connected of allowed; of RabbitMQ, descriptors or sockets", "ratio", 0.0),
    Column("blocked_clients", N, "clients in a blocking call; idle workers are", "clients"),
    Column("role", T, "master or slave", allowed=("master", "slave")),
    Column("replica_link_up", B, "a replica's link to its master; true on a master", neutral=True),
    Column("last_save_ok", B, "the last snapshot and append-only write went well"),
    Column("unacked", N, "messages fetched by workers and not acknowledged, all queues", "messages", 0.0),
    Column("unacked_oldest_s", N, "since the oldest of them was delivered", "s", 0.0),
    Column(
        "lost_messages", N, "messages that it held and does not since its restart or a flush, for 10 minutes from then on", "messages", 0.0
    ),
    Column("flushed", B, "they went by FLUSHALL or FLUSHDB", neutral=False),
    Column("unacked_ratio", N, "that age of the visibility timeout; past 1 messages are delivered again", "ratio", 0.0),
    Column("redelivered_in_s", N, "until the oldest of them is delivered again; 0: it is due", "s", 0.0),
    Column("unacked_holders", T, "workers that may hold it: busy, or gone while they were; up to 5, joined by a comma", neutral=""),
    Column("visibility_timeout_s", N, "after how long a message that is not acknowledged is delivered again", "s"),
    Column(
        "lasting_keys", N, "keys in its database that never expire: queues and bindings, and results without `result_expires`", "keys", 0.0
    ),
    Column("alarms", T, "alarms of RabbitMQ, in which it blocks publishers, as `memory on rabbit@a`; empty without any", neutral=""),
    Column("disk_free", N, "disk space of the node that is nearest to its limit", "bytes"),
    Column("disk_limit", N, "below which that node raises its alarm", "bytes"),
    Column("nodes_down", T, "nodes of its cluster that do not run, joined by a comma", neutral=""),
    Column("partitions", T, "nodes of its cluster that have lost sight of each other, joined by a comma", neutral=""),
    Column("scheduled", N, "messages that it holds back until their ETA (celery_delayed_*)", "messages", 0.0),
    Column("unsaved_s", N, "since when what changed is in its memory alone: no append-only file, and no snapshot since", "s", 0.0),
    Column("clock_ahead_s", N, "by how much its clock is ahead of watchdog's; negative: behind", "s", 0.0),
)
FROM_INDEX = ("unacked_oldest_s", "unacked_ratio", "redelivered_in_s")
FROM_CONF = "visibility_timeout_s"
ELSEWHERE = ("latency_ms", "lost_messages", "flushed", "unacked", "unacked_holders", FROM_CONF, *FROM_INDEX, *OF_RABBITMQ)
FROM_INFO = tuple(c.name for c in COLUMNS if c.name not in ELSEWHERE)
OF_ITS_CLOCK = ("unsaved_s", "clock_ahead_s")
MOST_HOLDERS = 5
NO_REDIS = "needs Redis, and this target has no `redis`"
NO_RABBITMQ = "needs RabbitMQ, and this target has no `rabbitmq`"
NO_BROKER = "needs Redis or RabbitMQ, and this target has neither"


def asks(asking: Asking) -> Iterable[Query]:
    """Return PING and INFO first, and the queries of the unacked keys once their prefix is known."""
    if "redis" not in asking.target.sources:
        of_rabbitmq = [*questions_of_presence(asking.target), RabbitQueues(asking.target.rabbitmq_vhost)]
        return of_rabbitmq if "rabbitmq" in asking.target.sources else []
    wanted: list[Query] = [Ping(), ReadServer(), CountFlushes()]
    keys = queue_keys(
        asking.target, asking.replies, known_workers_of(asking.memories.get("workers")), queues_of(asking.memories.get("queues"))
    )
    if asking.replies.asked(Ping()) or keys.prefix_told:
        wanted += (HashSize(keys.prefix + "unacked"), LowestScore(keys.prefix + "unacked_index"))
    return wanted


def read(look: Look) -> Reading:
    """Return the single row."""
    if "redis" not in look.target.sources:
        return _read_without_redis(look)
    pong = look.replies.get(Ping(), Pong)
    server = look.replies.get(ReadServer(), RedisServer)
    idle = {} if numbers_within(look, "", 0) else {"evicted": "evicted needs a second poll"}
    if "rabbitmq" not in look.target.sources or not isinstance(pong, Gap):
        idle |= dict.fromkeys(OF_RABBITMQ, NO_RABBITMQ)
    if isinstance(pong, Gap):
        names = [c.name for c in COLUMNS if c.name not in idle]
        return Reading((Row(dict.fromkeys(names), dict.fromkeys(names, pong.reason)),), idle=idle, memory=look.memory)
    cells: dict[str, Cell] = {"latency_ms": pong.latency_ms}
    gaps: dict[str, str] = {}
    sample = None
    if isinstance(server, Gap):
        cells.update(dict.fromkeys(FROM_INFO))
        gaps.update(dict.fromkeys(FROM_INFO, server.reason))
    else:
        cells.update(_from_info(server, look))
        idle |= {n: "this Redis does not tell its time: it is older than 6.0" for n in OF_ITS_CLOCK if cells[n] is None}
        gaps.update({n: "redis: INFO does not say" for n in FROM_INFO if cells[n] is None})
        sample = Sample(look.now, {"": (number(server.evicted_keys),)})
    _fill_unacked(look, cells, gaps)
    run_id = None if isinstance(server, Gap) else server.run_id
    flushes = look.replies.get(CountFlushes(), int)
    flushes_known = None if isinstance(flushes, Gap) else flushes
    held = holdings_after(_holdings(look.memory), run_id, _held(look, cells["unacked"]), look.now, flushes_known)
    cells["unacked_holders"] = _holders(look)
    lost = held.lost_lately(look.now)
    cells |= {"lost_messages": lost, "flushed": held.flushed and lost > 0}
    row = Row({n: c for n, c in cells.items() if n not in idle}, {n: r for n, r in gaps.items() if n not in idle})
    return Reading((row,), idle=idle, sample=sample, memory=held)


def _read_without_redis(look: Look) -> Reading:
    names = [c.name for c in COLUMNS]
    if "rabbitmq" in look.target.sources:
        return read_by_rabbitmq(look, names, _holders(look))
    needs = {name: NO_RABBITMQ if name in OF_RABBITMQ else NO_BROKER if name in OF_BOTH else NO_REDIS for name in names}
    return Reading(idle=needs)


def _holdings(memory: object) -> Holdings:
    return memory if isinstance(memory, Holdings) else Holdings()


def _held(look: Look, unacked: Cell) -> float | None:
    """Return the total number of messages it holds; None if some of them could not be counted."""
    queues = look.before["queues"] if "queues" in look.before else Reading(unread="not queried")
    lengths = [row.cells.get("length") for row in queues.rows]
    if queues.unread is not None or not isinstance(unacked, float) or not all(isinstance(length, float) for length in lengths):
        return None
    return unacked + sum(length for length in lengths if isinstance(length, float))


def _from_info(server: RedisServer, look: Look) -> dict[str, Cell]:
    used, limit, clients, most = (number(n) for n in (server.used_memory, server.max_memory, server.clients, server.max_clients))
    evicted = number(server.evicted_keys)
    points = numbers_within(look, "", 0)
    return {
        "used_memory": used,
        "max_memory": limit,
        "memory_ratio": 0.0 if limit == 0 else None if used is None or limit is None else used / limit,
        "evicted": None if evicted is None else risen([*[number for _, number in points], evicted]),
        "eviction_policy": server.eviction_policy,
        "clients": clients,
        "client_ratio": 0.0 if most == 0 else None if clients is None or most is None else clients / most,
        "blocked_clients": number(server.blocked_clients),
        "role": server.role,
        "replica_link_up": True if server.role == "master" else server.replica_link_up,
        "last_save_ok": server.last_save_ok,
        "lasting_keys": _lasting_keys(server, look.target.redis_db or 0),
        "unsaved_s": server.unsaved_s,
        "clock_ahead_s": None if server.clock_at is None else server.clock_at - look.now,
    }


def _lasting_keys(server: RedisServer, database: int) -> float | None:
    """Return the keys without an expiry; 0 for an empty database, which INFO does not list."""
    if server.keyspace is None:
        return None
    keys, expiring = server.keyspace.get(database, (0, 0))
    return float(max(keys - expiring, 0))


def _fill_unacked(look: Look, cells: dict[str, Cell], gaps: dict[str, str]) -> None:
    known_workers = known_workers_of(look.before["workers"].memory if "workers" in look.before else None)
    keys = queue_keys(
        look.target, look.replies, known_workers, queues_of(look.before["queues"].memory if "queues" in look.before else None)
    )
    count = look.replies.get(HashSize(keys.prefix + "unacked"), int)
    oldest = look.replies.get(LowestScore(keys.prefix + "unacked_index"), float)
    cells[FROM_CONF] = keys.conf.visibility_timeout_s
    if keys.unsure is not None:
        count, oldest = Gap(keys.unsure), Gap(keys.unsure)
    cells["unacked"] = None if isinstance(count, Gap) else float(count)
    if isinstance(count, Gap):
        gaps["unacked"] = count.reason
    if isinstance(oldest, Gap):
        cells.update(dict.fromkeys(FROM_INDEX))
        gaps.update(dict.fromkeys(FROM_INDEX, oldest.reason))
        return
    age = max(look.now - oldest, 0.0) if oldest != inf else 0.0
    timeout_s = keys.conf.visibility_timeout_s
    cells |= {"unacked_oldest_s": age, "unacked_ratio": age / timeout_s, "redelivered_in_s": max(timeout_s - age, 0.0)}


def _holders(look: Look) -> str:
    """Return workers that may hold unacknowledged messages. For workers that are gone, their last heartbeat counts."""
    workers = known_workers_of(look.before["workers"].memory).known if "workers" in look.before else {}
    holding = [worker for worker in workers.values() if _holds(worker)]
    ordered = sorted(holding, key=lambda worker: (worker.state == "online", worker.name))  # dead workers acknowledge nothing any more
    more = [f"{len(ordered) - MOST_HOLDERS} more"] if len(ordered) > MOST_HOLDERS else []
    return ",".join([*[worker.name for worker in ordered[:MOST_HOLDERS]], *more])


def _holds(worker: KnownWorker) -> bool:
    reserved = worker.inspection.reserved if worker.inspection is not None else None
    active = worker.beat.active if worker.beat is not None else None
    return worker.busy or bool(active or reserved)


TABLE = Table("broker", "the target's broker: its Redis or RabbitMQ", (), COLUMNS, asks, read, memory=Holdings, needs=("workers", "queues"))
