"""The interface of a receiver: it renders one message to bytes, sends it, and reports the outcome."""

from typing import Protocol

from watchdog.core.incidents.messages import Message
from watchdog.core.incidents.outcome import Outcome

__all__ = ["Receiver"]


class Receiver(Protocol):
    """Somewhere to send notifications. `render` is pure; `send` never raises for errors of the other side, and ends within `longest_s`."""

    name: str
    human: bool
    """Whether people read it: then a message may be shortened, with the number of omitted incidents; machines get everything."""
    settings: str
    """A fingerprint of its settings: what was refused with other settings may be retried."""
    address: str
    """Where it sends to, as a key that reveals nothing: receivers with the same address share its pace and its pauses."""
    per_second: float
    """The most messages sent there per second."""

    def render(self, message: Message) -> bytes:
        """The body, which is frozen at the first attempt."""
        ...

    def send(self, body: bytes, message_id: str, now: float) -> Outcome:
        """One attempt at `now` (epoch seconds, used for signatures and timestamps)."""
        ...

    @property
    def longest_s(self) -> float:
        """The longest that one attempt may take (seconds)."""
        ...

    def close(self) -> None:
        """Close sockets."""
        ...
