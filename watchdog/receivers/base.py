"""What every receiver is: it renders one message to bytes, sends it, and says what became of it."""

from typing import Protocol

from watchdog.core.incidents.messages import Message
from watchdog.core.incidents.outcome import Outcome

__all__ = ["Receiver"]


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
