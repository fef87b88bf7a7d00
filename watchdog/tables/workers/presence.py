"""Since when the broker and Flower answer. Silence of workers is not evidence while one is down, or has just come back.

Flower reports the workers as offline 4 s after Redis is gone and as online about 3 s after it is back (measured). After its own start it
knows no worker until each has sent a heartbeat (0.3 to 2 s, measured). Its clock may differ from ours by minutes, so a restart is
detected by what changed between two polls, not by ages.
"""

from collections.abc import Iterable
from math import inf

from msgspec import Struct, field
from msgspec.structs import replace

from watchdog.core.model.gaps import Gap
from watchdog.core.model.queries import Ping, Query, ReadEventCounters, ReadServer, WorkerStatus
from watchdog.core.model.replies import EventCounters, Pong, RedisServer, Replies
from watchdog.core.model.servers.rabbitmq_queries import RabbitNodes, RabbitOverview
from watchdog.core.model.servers.rabbitmq_replies import NodeSeen, OverviewSeen
from watchdog.core.model.target import Target

__all__ = [
    "SETTLE_S",
    "BrokerPresence",
    "FlowerPresence",
    "alarms_of",
    "broker_presence",
    "ear_unsettled",
    "flower_presence",
    "questions_of_presence",
]

SETTLE_S = 10.0
"""Seconds after its return in which the workers may still be reconnecting, or have not sent a heartbeat yet."""
NOTICED_S = 60.0
"""A restart shows at once in the list of workers and later in `/metrics`, which is polled less often: one restart, not two."""


class BrokerPresence(Struct, frozen=True):
    """The memory of the broker: which process it was, and when it came back (epoch seconds).

    `down`: it does not answer, or is in an `alarm`, in which it takes no message and so no heartbeat.
    """

    run_id: str | None = None
    down: bool = False
    back_at: float | None = None
    kind: str = "redis"
    alarm: str = ""

    def unsettled(self, now: float) -> str | None:
        """Return why silence is not evidence now; None if it is."""
        if self.down:
            return f"{self.kind}: {f'in an alarm ({self.alarm}), in which no heartbeat arrives' if self.alarm else 'not answering'}"
        if self.back_at is not None and 0 <= now - self.back_at < SETTLE_S:
            return f"{self.kind}: back since {now - self.back_at:.0f}s, the workers may still be reconnecting"
        return None


def questions_of_presence(target: Target) -> list[Query]:
    """Return the queries that show whether the broker is there."""
    if "redis" in target.sources:
        return [Ping(), ReadServer()]
    return [RabbitOverview(), RabbitNodes()] if "rabbitmq" in target.sources else []


def broker_presence(known: BrokerPresence, target: Target, replies: Replies, now: float) -> BrokerPresence:
    """Return the broker's presence after these replies; where no source reads it, it is taken to be there."""
    if "redis" in target.sources:
        return _of_redis(known, replies, now)
    return _of_rabbitmq(known, replies, now) if "rabbitmq" in target.sources else BrokerPresence()


def alarms_of(nodes: Iterable[NodeSeen]) -> str:
    """Return the alarms in force, `memory on rabbit@a`; empty without any. One blocks the publishers of the whole cluster."""
    found = [(kind, node.name) for node in nodes for kind, on in (("memory", node.memory_alarm), ("disk", node.disk_alarm)) if on]
    return ", ".join(f"{kind} on {name}" for kind, name in found)


def _of_rabbitmq(known: BrokerPresence, replies: Replies, now: float) -> BrokerPresence:
    """A short uptime counts as just back."""
    nodes = replies.get(RabbitNodes(), tuple[NodeSeen, ...])
    seen = () if isinstance(nodes, Gap) else nodes
    alarm = alarms_of(seen)
    if alarm or isinstance(replies.get(RabbitOverview(), OverviewSeen), Gap):
        return replace(known, down=True, kind="rabbitmq", alarm=alarm)
    ages = [node.uptime_s for node in seen if node.uptime_s is not None]
    began = now - min(ages, default=inf)
    back_at = max(now if known.down else known.back_at or 0.0, began if now - began < SETTLE_S else 0.0)
    return BrokerPresence(back_at=back_at or None, kind="rabbitmq")


def _of_redis(known: BrokerPresence, replies: Replies, now: float) -> BrokerPresence:
    """A changed `run_id` (a restart, a failover) or a short uptime counts as just back."""
    if isinstance(replies.get(Ping(), Pong), Gap):
        return replace(known, down=True)
    back_at = now if known.down else known.back_at
    server = replies.get(ReadServer(), RedisServer)
    if isinstance(server, Gap) or server.run_id is None:
        return BrokerPresence(known.run_id, down=False, back_at=back_at)
    if server.run_id != known.run_id:
        young = server.uptime_s is not None and server.uptime_s < SETTLE_S
        changed = known.run_id is not None
        began = now - (server.uptime_s or 0.0) if young else now
        back_at = max(back_at or 0.0, began) if young or changed else back_at
    return BrokerPresence(server.run_id, down=False, back_at=back_at)


def ear_unsettled(since_s: float) -> str | None:
    """Return why silence is not evidence yet, if events alone are heard, and only since `since_s`; None if it is."""
    return f"events: heard since {since_s:.0f}s, heartbeats may not have arrived yet" if since_s < SETTLE_S else None


class FlowerPresence(Struct, frozen=True):
    """The memory of Flower. `started_at` is by its clock, `back_at` by ours."""

    started_at: float | None = None
    down: bool = False
    back_at: float | None = None
    listed: frozenset[str] = field(default_factory=frozenset)
    """All names it listed at the last poll that reached it."""

    def unsettled(self, now: float) -> str | None:
        """Return why silence is not evidence now; None if it is."""
        if self.back_at is not None and 0 <= now - self.back_at < SETTLE_S:
            return f"flower: up since {now - self.back_at:.0f}s, heartbeats may not have arrived yet"
        return None


def flower_presence(known: FlowerPresence, target: Target, replies: Replies, now: float) -> FlowerPresence:
    """Return Flower's presence after these replies. Counters that were heard say nothing of when it started."""
    status = replies.get(WorkerStatus(), dict[str, bool])
    if isinstance(status, Gap):
        return replace(known, down=True)
    counters = replies.get(ReadEventCounters(), EventCounters)
    said = None if isinstance(counters, Gap) or target.hears_tasks else counters.started_at
    started_at = known.started_at if said is None else said
    # Flower never forgets a name while it runs (measured): a name that it no longer lists means a restart.
    noticed = known.down or bool(known.listed - set(status))
    restarted = None not in (known.started_at, started_at) and known.started_at != started_at
    recently = known.back_at is not None and 0 <= now - known.back_at < NOTICED_S
    back_at = now if noticed or (restarted and not recently) else known.back_at
    if back_at is None and started_at is not None and known.started_at is None:
        back_at = started_at
    return FlowerPresence(started_at, down=False, back_at=back_at, listed=frozenset(status))
