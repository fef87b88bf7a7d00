"""What watchdog knows of itself: the rows of `receivers`, `rules` and `self` before they are rows. Times are epoch seconds."""

from msgspec import Struct

__all__ = ["ReceiverSeen", "RuleSeen", "SelfSeen"]


class ReceiverSeen(Struct, frozen=True):
    """One receiver's outbox: what waits, since when, what was given up (since its last delivery, or of what still burns)."""

    name: str
    pending: int = 0
    oldest_at: float | None = None
    dead: int = 0
    dead_since_ok: int = 0
    off: bool = False
    last_ok_at: float | None = None


class RuleSeen(Struct, frozen=True):
    """One loaded rule's last run over all targets."""

    name: str
    error: str = ""
    took_ms: float = 0.0


class SelfSeen(Struct, frozen=True):
    """Everything watchdog can say of itself now."""

    receivers: tuple[ReceiverSeen, ...] = ()
    rules: tuple[RuleSeen, ...] = ()
    cycle_s: float = 0.0
    late_cycles: int = 0
    config_error: str = ""
    database_bytes: int = 0
    heartbeat_error: str = ""
