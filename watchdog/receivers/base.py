"""What every receiver is: it renders one message to bytes, sends it, and says what became of it."""

from dataclasses import dataclass
from typing import Protocol

from watchdog.core.messages import Message

__all__ = ["Delivered", "Later", "Outcome", "Receiver", "Refused"]


@dataclass(frozen=True, slots=True)
class Delivered:
    """It arrived; `detail` is what the other side said (a status), without secrets."""

    detail: str = ""


@dataclass(frozen=True, slots=True)
class Later:
    """Try again: network, 408, 425, 429, 5xx. `never_arrived` where that is certain (connection refused, 425, 429)."""

    reason: str
    retry_after_s: float | None = None
    never_arrived: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """Never again as it stands: another 4xx, a redirect, an impossible URL. `reason` names what to mend."""

    reason: str
    gone: bool = False
    """The address itself is gone for good (410): nothing else is worth an attempt there until somebody mends it."""
    too_large: bool = False
    """Its size is what is wrong with it (413): smaller ones in its place may be taken."""


Outcome = Delivered | Later | Refused


class Receiver(Protocol):
    """Somewhere to tell. `render` is pure; `send` never raises for the other side's faults and ends within `longest_s`."""

    name: str
    human: bool
    """Whether a person reads it: then a message may be cut with an honest count; machines get everything."""
    settings: str
    """A fingerprint of its settings: what was refused under other settings may be tried again."""
    address: str
    """Where it sends to, as a key that tells nothing: receivers with the same one share its pace and its pauses."""
    per_second: float
    """At most so many messages a second go there."""

    def render(self, message: Message) -> bytes:
        """The body, frozen at the first attempt."""
        ...

    def send(self, body: bytes, message_id: str, now: float) -> Outcome:
        """One attempt at `now` (epoch seconds; signs and stamps with it)."""
        ...

    @property
    def longest_s(self) -> float:
        """The longest that one attempt may take (seconds)."""
        ...

    def close(self) -> None:
        """Give back sockets."""
        ...
