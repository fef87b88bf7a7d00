"""What became of one attempt to send a message: receivers say it, the outbox acts on it."""

from msgspec import Struct

__all__ = ["Delivered", "Later", "Outcome", "Refused"]


class Delivered(Struct, frozen=True):
    """It arrived; `detail` is what the other side said (a status), without secrets."""

    detail: str = ""


class Later(Struct, frozen=True):
    """Try again: network, 408, 425, 429, 5xx. `never_arrived` where that is certain (connection refused, 425, 429)."""

    reason: str
    retry_after_s: float | None = None
    never_arrived: bool = False


class Refused(Struct, frozen=True):
    """Never again as it stands: another 4xx, a redirect, an impossible URL. `reason` names what to mend."""

    reason: str
    gone: bool = False
    """The address itself is gone for good (410): nothing else is worth an attempt there until somebody mends it."""
    too_large: bool = False
    """Its size is what is wrong with it (413): smaller ones in its place may be taken."""


Outcome = Delivered | Later | Refused
