"""What every source is: it carries queries to one place and brings back replies or gaps. It never raises for the other side's faults.

For a lack of our own it does (`own_limits.NotAskedError`): a source that could not be asked is not down.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from msgspec import Struct, field

from watchdog.core.model.queries import Query

__all__ = ["Answers", "Source"]


class Answers(Struct, frozen=True):
    """One batch answered: each query -> its reply type or a `Gap`; how long the source's first question took, where it was in the batch;
    and, where the source says so, how long it kept the other side busy with each (seconds)."""

    replies: Mapping[Query, object] = field(default_factory=dict)
    latency_ms: float | None = None
    took_s: Mapping[Query, float] = field(default_factory=dict)


class Source(Protocol):
    """A place that answers queries. One batch at a time: a source is used by one cycle, and never twice at once."""

    name: str

    def ask(self, queries: Sequence[Query]) -> Answers:
        """Every query gets an answer or a gap; the whole call ends within `longest_s`."""
        ...

    @property
    def longest_s(self) -> float:
        """The longest that one batch may take, by its timeouts (seconds)."""
        ...

    def close(self) -> None:
        """Give back sockets."""
        ...
