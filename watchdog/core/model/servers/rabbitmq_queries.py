"""The queries a table can send to RabbitMQ's management API. Costs were measured on RabbitMQ 3.10 with 2 cores."""

from watchdog.core.model.queries import Query

__all__ = ["RabbitNodes", "RabbitOverview", "RabbitQueues"]


class RabbitOverview(Query, frozen=True):
    """`/api/overview`: the first query to RabbitMQ. -> `OverviewSeen` (4 ms)."""

    source = "rabbitmq"


class RabbitNodes(Query, frozen=True):
    """`/api/nodes`: alarms, memory, descriptors of each node; needs the tag `monitoring`. -> `tuple[NodeSeen, ...]` (6 ms)."""

    source = "rabbitmq"


class RabbitQueues(Query, frozen=True):
    """`/api/queues/VHOST`: every queue of a virtual host. -> `tuple[QueueSeen, ...]` (5 ms; 6,700 queues: 2.7 s, 1.5 MB)."""

    source = "rabbitmq"
    good_for_s = 5.0  # it counts no more often; `polling/pace.py` extends it where the answer is slow
    vhost: str
