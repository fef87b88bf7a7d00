"""The interface of a source: it sends queries to one place and returns replies or gaps. It never raises for errors of the other side.

It does raise for a lack of local resources (`descriptor_limits.NotAskedError`): a source that could not be asked is not down.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

from msgspec import Struct, field

from watchdog.core.model.queries import Query

__all__ = ["Answers", "Interruptible", "Learning", "Remembering", "Source"]


class Answers(Struct, frozen=True):
    """The answers to one batch: each query -> its reply type or a `Gap`.

    `latency_ms` is the time of the source's first query, if that was in the batch; `took_s`, if the source measures it, is how long each
    query kept the other side busy (seconds).
    """

    replies: Mapping[Query, object] = field(default_factory=dict)
    latency_ms: float | None = None
    took_s: Mapping[Query, float] = field(default_factory=dict)


class Source(Protocol):
    """A place that answers queries. One batch at a time: a source is used by one cycle, and never concurrently."""

    name: str

    def ask(self, queries: Sequence[Query]) -> Answers:
        """Answer every query with a reply or a gap; the whole call ends within `longest_s`."""
        ...

    @property
    def longest_s(self) -> float:
        """The longest that one batch may take, by its timeouts (seconds)."""
        ...

    def close(self) -> None:
        """Close sockets."""
        ...


@runtime_checkable
class Interruptible(Protocol):
    """A source that runs something else for its answers, for which a stop of watchdog should not wait."""

    def interrupt(self) -> None:
        """From any thread: end that now, and from now on. What is asked afterwards may be answered by gaps."""
        ...


@runtime_checkable
class Remembering(Protocol):
    """A source that may answer with what it got earlier, for another target."""

    def forget(self) -> None:
        """From now on, answer with nothing from before."""
        ...


@runtime_checkable
class Learning(Protocol):
    """A source that is told names of tasks by another one."""

    def learn(self, names: Mapping[str, str]) -> None:
        """Task id -> name, of tasks whose name may have been said before this source began."""
        ...
