"""What somebody wants done, what is known of the cluster it is to be done on, and what can be said of it before it is done: as values."""

from collections.abc import Collection, Mapping

from msgspec import Struct, field
from msgspec.structs import asdict

from watchdog.core.actions.again import Run
from watchdog.core.text.wording import counted

__all__ = ["Cluster", "Foreseen", "QueueKnown", "Request", "WorkerKnown"]


class Request(Struct, frozen=True, kw_only=True):
    """One action as asked for. `workers`: names or globs; none: all workers. Times in seconds; None: not given."""

    kind: str
    target: str
    workers: tuple[str, ...] = ()
    task_id: str | None = None
    terminate: bool = False
    signal: str | None = None
    queue: str | None = None
    other: str | None = None
    only: str | None = None
    task: str | None = None
    ids: tuple[str, ...] = ()
    failed: str | None = None
    since_s: float | None = None
    rate: str | None = None
    number: int | None = None
    lowest: int | None = None
    highest: int | None = None
    soft_s: float | None = None
    hard_s: float | None = None

    @property
    def arguments(self) -> dict[str, object]:
        """What was given, without the kind and the target."""
        given = {name: value for name, value in asdict(self).items() if name not in ("kind", "target")}
        return {name: value for name, value in given.items() if value is not None and value is not False and value != ()}


class WorkerKnown(Struct, frozen=True):
    """One worker, as it says itself. What it did not say is None; `answers`: whether it answered just now.

    `pool`: prefork, threads, solo, gevent or eventlet. `tasks`: the names that it has registered. `restarts`: worker_pool_restarts.
    """

    name: str
    answers: bool
    pool: str | None = None
    size: int | None = None
    queues: frozenset[str] | None = None
    tasks: frozenset[str] | None = None
    autoscales: bool | None = None
    restarts: bool | None = None


class QueueKnown(Struct, frozen=True):
    """One queue in the broker: list key -> how many messages wait in it, in the order in which workers empty the lists."""

    name: str
    lengths: Mapping[str, int] = field(default_factory=dict)

    @property
    def length(self) -> int:
        """How many messages wait in all."""
        return sum(self.lengths.values())


class Cluster(Struct, frozen=True):
    """The workers, by name. `holders`: worker -> what it does with the task of the request (`active`, `reserved`, …).

    `silence`: why nobody could be asked; empty if somebody could.
    """

    workers: Mapping[str, WorkerKnown] = field(default_factory=dict)
    holders: Mapping[str, str] = field(default_factory=dict)
    queues: Mapping[str, QueueKnown] = field(default_factory=dict)
    runs: tuple[Run, ...] = ()
    matching: int | None = None
    """`runs`: those that a retry would send again. Of a `move --only`: how many messages of the queue are of that task."""
    silence: str = ""
    cut: int = 0
    """Of a retry: so many failed runs are all that Flower lists at once; 0: it listed all."""

    def consumed(self, queue: str, *, besides: Collection[str] = ()) -> bool:
        """Whether a worker that answers consumes a queue, besides these."""
        return any(queue in (one.queues or ()) for one in self.workers.values() if one.answers and one.name not in besides)

    def waiting(self, queue: str) -> str:
        """How many messages wait in a queue, for the end of a sentence."""
        found = self.queues.get(queue)
        return f", where {counted(found.length, 'message')} wait" if found is not None and found.length else ""


class Foreseen(Struct, frozen=True):
    """`touches`: sentences about what changes; `notes`: what has no effect, or not the one expected; `faults`: why nothing can be done.

    `workers`: whom to tell, by name.
    """

    touches: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    workers: tuple[str, ...] = ()
