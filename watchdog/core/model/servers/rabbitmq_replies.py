"""The replies of RabbitMQ's management API.

RabbitMQ counts anew every 5 s (collect_statistics_interval): figures may be that old. None: it did not report a figure.
"""

from msgspec import Struct

__all__ = ["NodeSeen", "OverviewSeen", "QueueSeen"]


class OverviewSeen(Struct, frozen=True):
    """What RabbitMQ says of itself. `rates_mode` "none": it counts messages, and not what happens to them.

    `counts_nothing`: its statistics are switched off, and of queues it knows the names alone.
    """

    version: str | None = None
    rates_mode: str | None = None
    counts_nothing: bool = False
    connections: int | None = None


class NodeSeen(Struct, frozen=True):
    """One node of its cluster. A node that does not run has nothing but its name."""

    name: str
    running: bool = True
    uptime_s: float | None = None
    memory: int | None = None
    memory_limit: int | None = None
    memory_alarm: bool | None = None
    disk_free: int | None = None
    disk_limit: int | None = None
    disk_alarm: bool | None = None
    descriptors: int | None = None
    most_descriptors: int | None = None
    sockets: int | None = None
    most_sockets: int | None = None
    partitions: tuple[str, ...] = ()
    """The nodes that it has lost sight of."""


class QueueSeen(Struct, frozen=True, gc=False):
    """One queue. `ready` waits, `unacked` was fetched and is not acknowledged; both None: it was not counted, `state` may say why.

    `published`, `delivered` and `acked` count messages since it was declared, or since RabbitMQ started. `head_at` (epoch seconds) is the
    `timestamp` that its publisher gave the message served next.
    """

    name: str
    ready: int | None = None
    unacked: int | None = None
    consumers: int | None = None
    published: int = 0
    delivered: int = 0
    acked: int = 0
    head_at: float | None = None
    state: str | None = None
    exclusive: bool = False
    auto_delete: bool = False
    is_stream: bool = False
    """Whether it keeps its messages, whoever reads them."""
