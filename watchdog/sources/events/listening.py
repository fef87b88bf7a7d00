"""What the ear and a broker's way of bringing events agree on. The ear has the thread, the memory and the pauses; a `Listening` has the
connection: `redis_channels` for Redis, `amqp_queue` for RabbitMQ.
"""

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from watchdog.sources.events.messages import WorkerEvent
from watchdog.sources.events.tasks.messages import TaskEvent

__all__ = ["DENIED_WAIT_S", "DeniedError", "Fault", "Heard", "Hearing", "Listening", "Opened"]

DENIED_WAIT_S = 60.0
"""The pause after a refusal: somebody has to grant something first."""

Heard = WorkerEvent | list[TaskEvent] | None
"""What one message says; None if it cannot be read."""


class DeniedError(Exception):
    """The broker denies this user what listening takes; the text says what to grant."""


class Opened(Struct, frozen=True):
    """A way that is open. `no_tasks`: why tasks cannot be heard, though workers can; `took_s`: how long subscribing took."""

    no_tasks: str
    took_s: float


class Fault(Struct, frozen=True):
    """Why nothing is heard any more. `wait_s`: the pause before the next attempt; None: the ear decides; 0: too short to be told of."""

    reason: str
    wait_s: float | None = None


class Hearing(Protocol):
    """The ear, as a `Listening` sees it."""

    @property
    def ending(self) -> bool:
        """Whether nobody listens any more."""
        ...

    def take(self, events: Sequence[Heard]) -> None:
        """Take in what has just come."""
        ...

    def tasks_follow(self) -> None:
        """Tasks could not be heard so far; from now on they are."""
        ...


class Listening(Protocol):
    """A way to the events of one broker. Only the ear's thread uses it."""

    def open(self, *, tasks: bool) -> Opened:
        """Connect and subscribe, `tasks`: to what workers say of these, too. Raises what `fault` explains."""
        ...

    def read(self, hearing: Hearing) -> bool:
        """Hand over what has come, without waiting for more. Returns whether there is more that must not wait. May raise like `open`."""
        ...

    def let_tasks_go(self) -> None:
        """Subscribe to the events of tasks no more. May raise like `open`."""
        ...

    def take_tasks(self, hearing: Hearing) -> None:
        """Subscribe to them again; `hearing` is told once they come. May raise like `open`."""
        ...

    def fault(self, error: Exception, *, was_open: bool) -> Fault | None:
        """Why that ended it, without secrets; None for an error that is none of the broker's or the network's."""
        ...

    def close(self) -> None:
        """Close the connection, whatever its state; never raises."""
        ...
