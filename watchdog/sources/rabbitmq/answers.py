"""Decodes the answers of RabbitMQ's management API. In: the bytes of one answer. Out: a reply, or a gap that says what was found.

A figure of an unexpected type counts as not reported; an answer of another shape is a gap.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec
from msgspec import Raw, Struct

from watchdog.core.decoding import ready
from watchdog.core.model.gaps import Gap
from watchdog.core.model.servers.rabbitmq_replies import NodeSeen, OverviewSeen, QueueSeen
from watchdog.core.text.names import LONGEST_NAME

__all__ = ["NODE_COLUMNS", "OVERVIEW_COLUMNS", "QUEUE_COLUMNS", "nodes", "overview", "queues"]

T = TypeVar("T")
UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
OVERVIEW_COLUMNS = "rabbitmq_version,product_version,rates_mode,disable_stats,object_totals.connections"
NODE_COLUMNS = (
    "name,running,uptime,mem_used,mem_limit,mem_alarm,disk_free,disk_free_limit,disk_free_alarm,fd_used,fd_total,"
    "sockets_used,sockets_total,partitions"
)
QUEUE_COLUMNS = (
    "name,type,state,messages_ready,messages_unacknowledged,consumers,exclusive,auto_delete,head_message_timestamp,"
    "message_stats.publish,message_stats.deliver_get,message_stats.ack"
)
"""The columns of each answer: without them, one queue is 2 kB instead of 230 bytes."""


class _Totals(Struct):
    connections: int | None = None


class _Overview(Struct):
    rabbitmq_version: str
    product_version: str | None = None
    rates_mode: str | None = None
    disable_stats: bool = False
    object_totals: Raw = Raw(b"{}")


class _Node(Struct):
    name: str
    running: bool = True
    uptime: float | None = None
    mem_used: int | None = None
    mem_limit: int | None = None
    mem_alarm: bool | None = None
    disk_free: Any = None
    disk_free_limit: Any = None
    disk_free_alarm: bool | None = None
    fd_used: Any = None
    fd_total: Any = None
    sockets_used: Any = None
    sockets_total: Any = None
    partitions: list[str] = []


class _Happened(Struct, frozen=True):
    publish: int = 0
    deliver_get: int = 0
    ack: int = 0


NOTHING = _Happened()


class _Queue(Struct):
    name: str
    type: Any = None
    state: str | None = None
    messages_ready: int | None = None
    messages_unacknowledged: int | None = None
    consumers: int | None = None
    exclusive: bool = False
    auto_delete: bool = False
    head_message_timestamp: Any = None
    message_stats: _Happened = NOTHING


def overview(body: bytes) -> OverviewSeen | Gap:
    """`/api/overview`."""
    found = _decoded(body, _Overview, "/api/overview", 'an object with "rabbitmq_version"')
    if isinstance(found, Gap):
        return found
    return OverviewSeen(
        version=(found.product_version or found.rabbitmq_version)[:LONGEST_NAME],
        rates_mode=found.rates_mode,
        counts_nothing=found.disable_stats,
        connections=_totals(found.object_totals).connections,
    )


def nodes(body: bytes) -> tuple[NodeSeen, ...] | Gap:
    """`/api/nodes`."""
    found = _decoded(body, list[_Node], "/api/nodes", "a list of nodes")
    return found if isinstance(found, Gap) else tuple(map(_node, found)) or Gap("rabbitmq: expected a node from /api/nodes, found none")


def queues(body: bytes) -> tuple[QueueSeen, ...] | Gap:
    """`/api/queues/VHOST`. Queues with a name that is too long are left out."""
    found = _decoded(body, list[_Queue], "/api/queues", "a list of queues")
    return found if isinstance(found, Gap) else tuple(_queue(queue) for queue in found if len(queue.name) <= LONGEST_NAME)


def _node(node: _Node) -> NodeSeen:
    return NodeSeen(
        name=node.name[:LONGEST_NAME],
        running=node.running,
        uptime_s=None if node.uptime is None else node.uptime / 1000,
        memory=node.mem_used,
        memory_limit=node.mem_limit,
        memory_alarm=node.mem_alarm,
        disk_free=_count(node.disk_free),
        disk_limit=_count(node.disk_free_limit),
        disk_alarm=node.disk_free_alarm,
        descriptors=_count(node.fd_used),
        most_descriptors=_count(node.fd_total),
        sockets=_count(node.sockets_used),
        most_sockets=_count(node.sockets_total),
        partitions=tuple(name[:LONGEST_NAME] for name in node.partitions),
    )


def _queue(queue: _Queue) -> QueueSeen:
    happened, head = queue.message_stats, queue.head_message_timestamp
    return QueueSeen(
        name=queue.name,
        ready=queue.messages_ready,
        unacked=queue.messages_unacknowledged,
        consumers=queue.consumers,
        published=happened.publish,
        delivered=happened.deliver_get,
        acked=happened.ack,
        head_at=float(head) if isinstance(head, int) and not isinstance(head, bool) else None,
        state=queue.state,
        exclusive=queue.exclusive,
        auto_delete=queue.auto_delete,
        is_stream=queue.type == "stream",
    )


def _count(value: object) -> int | None:
    """A figure; RabbitMQ writes words such as "unknown" or "disk_free_monitoring_disabled" where it has none."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _totals(raw: Raw) -> _Totals:
    """A part of the overview; RabbitMQ writes an empty list where it has none."""
    try:
        return msgspec.json.decode(raw, type=ready(_Totals))
    except UNREADABLE:
        return _Totals()


def _decoded(body: bytes, kind: Callable[..., T], path: str, expected: str) -> T | Gap:
    try:
        answer: T = msgspec.json.decode(body, type=ready(kind))
    except UNREADABLE:
        start = body[:256].lstrip()
        if start.startswith(b"<"):
            found = "an HTML page: is it RabbitMQ's management API, and is its plugin rabbitmq_management on?"
        elif start[:1] in {b"{", b"["}:
            found = "JSON of another shape, or damaged"
        else:
            found = "something else" if start else "an empty answer"
        return Gap(f"rabbitmq: expected {expected} from {path}, found {found}")
    return answer
