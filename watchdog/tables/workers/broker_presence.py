"""Since when the broker answers. Other tables hold back while it is down, and for a while after it is back.

Flower reports the workers as offline 4 s after Redis is gone and as online about 3 s after it is back (measured), so silence is not
evidence until `SETTLE_S` have passed.
"""

from msgspec import Struct
from msgspec.structs import replace

from watchdog.core.model.gaps import Gap
from watchdog.core.model.queries import Ping, ReadServer
from watchdog.core.model.replies import Pong, RedisServer, Replies

__all__ = ["SETTLE_S", "BrokerPresence", "presence"]

SETTLE_S = 10.0


class BrokerPresence(Struct, frozen=True):
    """The memory of the broker: which process it was, and when it came back (epoch seconds)."""

    run_id: str | None = None
    down: bool = False
    back_at: float | None = None

    def unsettled(self, now: float) -> str | None:
        """Return why silence is not evidence now; None if it is."""
        if self.down:
            return "redis: not answering"
        if self.back_at is not None and 0 <= now - self.back_at < SETTLE_S:
            return f"redis: back since {now - self.back_at:.0f}s, the workers may still be reconnecting"
        return None


def presence(known: BrokerPresence, replies: Replies, now: float) -> BrokerPresence:
    """Return the broker's presence after these replies.

    A changed `run_id` (a restart, a failover) or a short uptime counts as just back.
    """
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
