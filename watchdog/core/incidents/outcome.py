"""The outcome of one attempt to send a message: receivers return it, the outbox acts on it."""

from msgspec import Struct

__all__ = ["Delivered", "Later", "Outcome", "Refused"]


class Delivered(Struct, frozen=True):
    """The message arrived. `detail` is the response (a status), without secrets."""

    detail: str = ""
    problem: str = ""
    """What did not work although it arrived: one of several recipients was refused. It names what to fix."""
    handle: str = ""
    """By which the receiver can change what it posted; it is given back with later messages about the same incidents (`Message.posts`)."""


class Later(Struct, frozen=True):
    """Try again: network error, 408, 425, 429, 5xx. `never_arrived` if that is certain (connection refused, 425, 429)."""

    reason: str
    retry_after_s: float | None = None
    never_arrived: bool = False


class Refused(Struct, frozen=True):
    """Do not send this again unchanged: another 4xx, a redirect, an impossible URL. `reason` names what to fix."""

    reason: str
    gone: bool = False
    """The address itself is gone (410): no other message is worth an attempt until somebody fixes it."""
    too_large: bool = False
    """The message is too large (413): smaller messages in its place may be accepted."""


Outcome = Delivered | Later | Refused
