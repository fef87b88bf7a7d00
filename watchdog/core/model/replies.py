"""The replies of sources: frozen values, decoded from bytes at the edge. Tables see nothing else.

Times are epoch seconds by the clock of the answering server; sizes are bytes. A field that the server did not send is None.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Generic, TypeVar, TypeVarTuple, Unpack, cast

from msgspec import Struct, field

from watchdog.core.model.gaps import Gap
from watchdog.core.model.queries import OfKeys, Query
from watchdog.core.model.servers.redis_replies import MessageHead, Pong, RedisServer
from watchdog.core.model.servers.worker_replies import HeldMessages, WorkerBeat, WorkerConf, WorkerHeard, WorkerInspection, WorkersHeard

__all__ = [
    "EventCounters",
    "EventCounts",
    "Held",
    "HeldMessages",
    "KeysFound",
    "MessageHead",
    "Pong",
    "RedisServer",
    "Replies",
    "StoredResultSeen",
    "TaskMetaSeen",
    "TaskSeen",
    "WholeTaskSeen",
    "WorkerBeat",
    "WorkerConf",
    "WorkerHeard",
    "WorkerInspection",
    "WorkersHeard",
]

R = TypeVar("R")
T = TypeVar("T")
Ts = TypeVarTuple("Ts")


EventCounts = Mapping[str, Mapping[str, Mapping[str, float]]]
"""Worker -> task -> event type without `task-` -> count."""


class EventCounters(Struct, frozen=True):
    """`flower_events_total` since Flower's start at `started_at`. A task whose name Flower missed has the name ""."""

    started_at: float | None
    counts: EventCounts

    def each(self) -> Iterator[tuple[str, str, str, float]]:
        """Yield worker, task, event and count of each counter."""
        for worker, tasks in self.counts.items():
            for task, events in tasks.items():
                for event, count in events.items():
                    yield worker, task, event, count


class TaskSeen(Struct, frozen=True, gc=False):
    """One task as its events show it (Flower's `/api/tasks`; celery/events/state.py `Task`). Texts are cut to 500 characters.

    `received` to `timestamp` (its last event) are epoch seconds by its worker's clock, `sent` by its sender's; `runtime` is in seconds, of
    successes only. `name` is None if its first event was missed, `routing_key` and `sent` if its sender sends no `task-sent`. `routing_key`
    is the name of its queue, except where Flower lists what was sent through a topic exchange. `exception` is a repr; where it is
    `ExceptionWithTraceback()`, the actual type is in `traceback_last`, the traceback's last line. `also_on`: the workers that execute it
    besides `worker`, each with its start; None if unknown. `has_eta`: sent to start later.
    """

    id: str
    name: str | None
    state: str
    worker: str | None = None
    received: float | None = None
    started: float | None = None
    succeeded: float | None = None
    failed: float | None = None
    runtime: float | None = None
    exception: str | None = None
    traceback_last: str | None = None
    retries: int | None = None
    routing_key: str | None = None
    timestamp: float | None = None
    retried: float | None = None
    revoked: float | None = None
    expires: float | None = None
    """Latest time at which it may start (epoch seconds)."""
    arguments: str | None = None
    """Of running tasks alone; empty if it has none."""
    sent: float | None = None
    has_eta: bool = False
    also_on: tuple[tuple[str, float | None], ...] | None = None

    @property
    def expired(self) -> bool:
        """Whether it expired before it started.

        If a task had expired when its worker received it, Flower learns only that it was revoked, neither its name nor its expiry (measured
        on 5.7). Such a task may also have been revoked by hand.
        """
        if self.revoked is None or self.started is not None:
            return False
        unheard = self.name is None and self.received is None
        return unheard if self.expires is None else self.expires <= self.revoked


class TaskMetaSeen(Struct, frozen=True):
    """A task's entry in the result backend (celery/backends/base.py `_get_result_meta`): its state, and what it reports while it runs.

    `progress` is 0 to 1, `step` a short text, `meta_json` an object as JSON, without what is too long, `peak_memory` in bytes.
    """

    status: str | None = None
    progress: float | None = None
    step: str | None = None
    meta_json: str | None = None
    peak_memory: float | None = None


class WholeTaskSeen(Struct, frozen=True):
    """Everything that Flower knows of one task. `state` None: it does not list the task.

    Times are epoch seconds. Texts, `eta` and `expires` are as Celery's events have them; `children` are ids. Long texts are cut.
    """

    id: str
    state: str | None = None
    name: str | None = None
    worker: str | None = None
    client: str | None = None
    sent: float | None = None
    received: float | None = None
    started: float | None = None
    succeeded: float | None = None
    failed: float | None = None
    retried: float | None = None
    revoked: float | None = None
    rejected: float | None = None
    timestamp: float | None = None
    runtime: float | None = None
    eta: str | None = None
    expires: str | None = None
    retries: int | None = None
    exchange: str | None = None
    routing_key: str | None = None
    args: str | None = None
    kwargs: str | None = None
    result: str | None = None
    exception: str | None = None
    traceback: str | None = None
    root_id: str | None = None
    parent_id: str | None = None
    children: tuple[str, ...] = ()


class StoredResultSeen(Struct, frozen=True):
    """A task's entry in the result backend with all that it holds (celery/backends/base.py `_get_result_meta`).

    `reported` is what it says of its progress, `result_json` the value that it returned. With Celery's `result_extended` it also names the
    task, its arguments, worker and queue.
    """

    status: str | None = None
    reported: TaskMetaSeen = TaskMetaSeen()
    result_json: str | None = None
    exception: str | None = None
    traceback: str | None = None
    done: str | None = None
    name: str | None = None
    worker: str | None = None
    queue: str | None = None
    retries: int | None = None
    args_json: str | None = None
    kwargs_json: str | None = None
    parent_id: str | None = None
    children: tuple[str, ...] = ()


class KeysFound(Struct, frozen=True):
    """One step of a SCAN. Cursor 0 means the scan is complete."""

    cursor: int
    keys: tuple[str, ...]


class Held(Struct, Generic[T], frozen=True):
    """What many keys hold, or why a key could not be read. A key that was asked and is in neither is empty, or does not exist."""

    asked: frozenset[str] = frozenset()
    found: Mapping[str, T] = field(default_factory=dict)
    gaps: Mapping[str, Gap] = field(default_factory=dict)


class Replies(Struct, frozen=True, eq=False):
    """All answers of a cycle so far, by query. `took_s`: how long asking took: an answer may be so much younger than `now`.

    `reused`: queries whose answer is that of an earlier cycle (`good_for_s`): what is newer may not be held against it.
    """

    answers: Mapping[Query, object] = field(default_factory=dict)
    latency_ms: Mapping[str, float] = field(default_factory=dict)
    """Source -> time its first query took."""
    took_s: float = 0.0
    reused: frozenset[Query] = frozenset()
    _concluded: dict[tuple[object, ...], "_Concluded"] = field(default_factory=dict)

    def get(self, query: Query, kind: type[R]) -> R | Gap:
        """Return the answer to `query`; a gap if it failed or was not sent."""
        try:
            return cast("R | Gap", self.answers[query])
        except KeyError:
            return Gap(f"{query.source}: not queried")

    def asked(self, query: Query) -> bool:
        """Whether there is an answer or a gap for it."""
        return query in self.answers

    def gaps(self, source: str) -> Iterator[tuple[Query, Gap]]:
        """Yield the queries that a source did not answer; one about many keys once for each key that could not be read."""
        for query, answer in self.answers.items():
            if query.source == source and isinstance(answer, Gap):
                yield query, answer
            elif query.source == source and isinstance(answer, Held):
                yield from ((query, gap) for gap in answer.gaps.values())

    def held(self, kind: type[OfKeys[T]]) -> Held[T]:
        """Return what is known of all keys that were asked with queries of this kind."""
        return self.once(_held, kind, of=frozenset((kind,)))

    def once(self, conclude: "Callable[[Replies, Unpack[Ts]], R]", *arguments: *Ts, of: frozenset[type[Query]] | None = None) -> R:
        """Return the result of `conclude` for these replies and arguments, computed once for identical arguments.

        Several tables need the same conclusion, in each round and each window again; for a thousand workers it takes milliseconds.
        `conclude` must be pure. `of`: the only kinds of queries that it looks at; it then holds until more of these are answered.
        """
        key = (conclude, *map(id, arguments))
        if key not in self._concluded:
            self._concluded[key] = _Concluded(conclude(self, *arguments), arguments, of)
        return cast("R", self._concluded[key].result)

    def plus(
        self,
        more: Mapping[Query, object] | Iterable[tuple[Query, object]],
        latency_ms: Mapping[str, float] | None = None,
        *,
        reused: Iterable[Query] = (),
    ) -> "Replies":
        """Return these answers and more, with the conclusions that these cannot change."""
        more = dict(more)
        kinds = set(map(type, more))
        still = {key: found for key, found in self._concluded.items() if found.of is not None and found.of.isdisjoint(kinds)}
        latency = {**self.latency_ms, **(latency_ms or {})}
        return Replies({**self.answers, **more}, latency, reused=self.reused.union(reused), _concluded=still)


class _Concluded(Struct, frozen=True):
    """A conclusion. Its arguments are kept, or another object might get the same id. `of`: see `Replies.once`."""

    result: object
    arguments: tuple[object, ...]
    of: frozenset[type[Query]] | None


def _held(replies: Replies, kind: type[OfKeys[T]]) -> Held[T]:
    answered = [(query, answer) for query, answer in replies.answers.items() if isinstance(query, kind)]
    parts = [answer if isinstance(answer, Held) else _unread(query, cast("Gap", answer)) for query, answer in answered]
    if len(parts) == 1:
        return parts[0]
    return Held(
        asked=frozenset[str]().union(*(part.asked for part in parts)),
        found={key: content for part in parts for key, content in part.found.items()},
        gaps={key: gap for part in parts for key, gap in part.gaps.items()},
    )


def _unread(query: OfKeys[T], gap: Gap) -> Held[T]:
    return Held(frozenset(query.keys), gaps=dict.fromkeys(query.keys, gap))
