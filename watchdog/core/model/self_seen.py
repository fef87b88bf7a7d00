"""What watchdog knows of itself: the values behind the tables `receivers`, `rules`, `silences` and `self`. Times are epoch seconds."""

from msgspec import Struct

__all__ = ["LookerSeen", "ReceiverSeen", "RuleSeen", "SelfSeen", "SilenceSeen"]


class ReceiverSeen(Struct, frozen=True):
    """One receiver's outbox: what waits, since when, and what was given up (since its last delivery, or of incidents still firing)."""

    name: str
    pending: int = 0
    oldest_at: float | None = None
    dead: int = 0
    dead_since_ok: int = 0
    off: bool = False
    last_ok_at: float | None = None


class RuleSeen(Struct, frozen=True):
    """The last run of one loaded rule over all targets."""

    name: str
    error: str = ""
    took_ms: float = 0.0
    trial: bool = False
    """Whether it is on trial wherever it is judged."""


class SilenceSeen(Struct, frozen=True):
    """One silence, or deploy, that applies or ended a short time ago. `matchers`: what it hides, in words for people."""

    id: str
    active: bool
    matchers: str
    starts_at: float
    ends_at: float
    hides: int = 0
    """Open incidents that it hid when it began, or that it had hidden when it ended."""
    comment: str = ""
    author: str = ""
    version: str = ""
    """What is deployed; empty for a silence."""


class LookerSeen(Struct, frozen=True):
    """A process that looks at targets for the daemon: what it says of itself, and when it said so last."""

    name: str
    at: float = 0.0
    cycle_s: float = 0.0
    rules: tuple[RuleSeen, ...] = ()
    refuses: str = ""
    """Why it does not look; empty if it does."""


class SelfSeen(Struct, frozen=True):
    """Everything watchdog knows of itself now."""

    receivers: tuple[ReceiverSeen, ...] = ()
    rules: tuple[RuleSeen, ...] = ()
    cycle_s: float = 0.0
    late_cycles: int = 0
    config_error: str = ""
    database_bytes: int = 0
    heartbeat_error: str = ""
    silences: tuple[SilenceSeen, ...] = ()
    """Only if some receiver is notified of them."""
    cycles: int = 0
    """All since the start, of which some were late."""
    engine_error: str = ""
    """Why the daemon looks itself where workers should; empty if they do, or if there is no engine."""
    engine_workers: int = 0
    """How many of its workers look."""
