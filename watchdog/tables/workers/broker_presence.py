"""Since when the broker answers: what other tables hold back by while it is down, and for a while after it returned.

Flower's view of the workers turns false 4 s after Redis is gone and true about 3 s after it is back (measured), so
silence is no sign until `SETTLE_S` have passed.
"""

from msgspec import Struct
from msgspec.structs import replace

from watchdog.core.model.gaps import Gap
from watchdog.core.model.queries import Ping, ReadServer
from watchdog.core.model.replies import Pong, RedisServer, Replies

__all__ = ["SETTLE_S", "BrokerPresence", "presence"]

SETTLE_S = 10.0


class BrokerPresence(Struct, frozen=True):
    """What is remembered of the broker: which process it was, and when it returned (epoch seconds)."""

    run_id: str | None = None
    down: bool = False
    back_at: float | None = None

    def unsettled(self, now: float) -> str | None:
        """Why silence may not be believed now; None where it may."""
        if self.down:
            return "redis: not answering"
        if self.back_at is not None and 0 <= now - self.back_at < SETTLE_S:
            return f"redis: back since {now - self.back_at:.0f}s, the workers may still be reconnecting"
        return None


def presence(known: BrokerPresence, replies: Replies, now: float) -> BrokerPresence:
    """The broker's presence after these replies; a changed `run_id` (a restart, a failover) or a young uptime counts as just returned."""
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
