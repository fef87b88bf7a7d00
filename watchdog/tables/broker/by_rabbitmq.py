"""The row of a target whose broker is RabbitMQ: alarms, memory, disk and connections of its nodes, and what waits in delayed queues.

Of several nodes, each figure is that of the node that is worst off: an alarm on one blocks the publishers of all.
"""

from collections.abc import Iterable

from watchdog.core.model.gaps import Gap
from watchdog.core.model.rows import Cell, Look, Reading, Row, number
from watchdog.core.model.servers.rabbitmq_queries import RabbitNodes, RabbitOverview, RabbitQueues
from watchdog.core.model.servers.rabbitmq_replies import NodeSeen, OverviewSeen, QueueSeen
from watchdog.tables.queues.by_rabbitmq import DELAYED
from watchdog.tables.workers.presence import alarms_of

__all__ = ["OF_BOTH", "OF_RABBITMQ", "read_by_rabbitmq"]

OF_RABBITMQ = ("alarms", "disk_free", "disk_limit", "nodes_down", "partitions", "scheduled")
"""Columns that Redis does not have."""
OF_NODES = ("used_memory", "max_memory", "memory_ratio", "client_ratio", "alarms", "disk_free", "disk_limit", "nodes_down", "partitions")
OF_BOTH = ("used_memory", "max_memory", "memory_ratio", "clients", "client_ratio", "unacked", "unacked_holders")
"""Columns that both brokers have."""
OF_ALL = (*OF_BOTH, *OF_RABBITMQ)
NO_NODE = "rabbitmq: /api/nodes does not say: are statistics switched off (management_agent.disable_metrics_collector)?"
MOST_NAMED = 5


def read_by_rabbitmq(look: Look, columns: Iterable[str], holders: str) -> Reading:
    """Return the single row. `holders`: workers that may hold unacknowledged messages."""
    idle = {name: "RabbitMQ has no such figure" for name in columns if name not in OF_ALL}
    overview = look.replies.get(RabbitOverview(), OverviewSeen)
    if isinstance(overview, Gap):
        return Reading((Row(dict.fromkeys(OF_ALL), dict.fromkeys(OF_ALL, overview.reason)),), idle=idle)
    cells: dict[str, Cell] = {
        "clients": number(overview.connections),
        "unacked_holders": holders,
    }
    gaps = {} if overview.connections is not None else {"clients": "rabbitmq: /api/overview does not say"}
    nodes = look.replies.get(RabbitNodes(), tuple[NodeSeen, ...])
    of_nodes = dict.fromkeys(OF_NODES) if isinstance(nodes, Gap) else _of_nodes(nodes)
    cells |= of_nodes
    gaps |= dict.fromkeys((n for n in OF_NODES if of_nodes[n] is None), nodes.reason if isinstance(nodes, Gap) else NO_NODE)
    for column, found in (("unacked", _unacked(look)), ("scheduled", _scheduled(look))):
        cells[column] = None if isinstance(found, Gap) else found
        gaps |= {column: found.reason} if isinstance(found, Gap) else {}
    return Reading((Row(cells, gaps),), idle=idle)


def _of_nodes(nodes: tuple[NodeSeen, ...]) -> dict[str, Cell]:
    up = [node for node in nodes if node.running]
    fullest = max((node for node in up if node.memory is not None), key=_memory_ratio, default=None)
    narrowest = min((node for node in up if node.disk_free is not None), key=_disk_left, default=None)
    return {
        "used_memory": number(fullest.memory) if fullest else None,
        "max_memory": number(fullest.memory_limit) if fullest else None,
        "memory_ratio": _memory_ratio(fullest) if fullest else None,
        "client_ratio": max(map(_client_ratio, up), default=None),
        "alarms": alarms_of(nodes) or (None if any(None in (node.memory_alarm, node.disk_alarm) for node in up) else ""),
        "disk_free": number(narrowest.disk_free) if narrowest else None,
        "disk_limit": number(narrowest.disk_limit) if narrowest else None,
        "nodes_down": _named(node.name for node in nodes if not node.running),
        "partitions": _named({name for node in nodes for name in (node.name, *node.partitions) if node.partitions}),
    }


def _memory_ratio(node: NodeSeen) -> float:
    return (node.memory or 0) / node.memory_limit if node.memory_limit else 0.0


def _disk_left(node: NodeSeen) -> int:
    return (node.disk_free or 0) - (node.disk_limit or 0)


def _client_ratio(node: NodeSeen) -> float:
    """Return the descriptors, or sockets, that it uses of those it may; a node that reports no limit has none."""
    used = ((node.descriptors, node.most_descriptors), (node.sockets, node.most_sockets))
    return max((count / most for count, most in used if count is not None and most), default=0.0)


def _named(names: Iterable[str]) -> str:
    ordered = sorted(names)
    more = [f"{len(ordered) - MOST_NAMED} more"] if len(ordered) > MOST_NAMED else []
    return ", ".join([*ordered[:MOST_NAMED], *more])


def _unacked(look: Look) -> float | Gap:
    """Return the messages that workers hold, over all queues of the target."""
    queues = look.before["queues"] if "queues" in look.before else Reading(unread="rabbitmq: not queried")
    why = queues.unread or next((row.gaps["unacked"] for row in queues.rows if "unacked" in row.gaps), None)
    return Gap(why) if why else sum((n for row in queues.rows if isinstance(n := row.cells.get("unacked"), float)), 0.0)


def _scheduled(look: Look) -> float | Gap:
    """Return the messages that wait in RabbitMQ until their ETA."""
    listed = look.replies.get(RabbitQueues(look.target.rabbitmq_vhost), tuple[QueueSeen, ...])
    if isinstance(listed, Gap):
        return listed
    waiting = [queue for queue in listed if DELAYED.fullmatch(queue.name)]
    unknown = next((queue.name for queue in waiting if queue.ready is None), None)
    return float(sum(queue.ready or 0 for queue in waiting)) if unknown is None else Gap(f"rabbitmq: it has not counted {unknown}")
