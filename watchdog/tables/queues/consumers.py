"""Which workers consume which queue in this poll; a gap only if a worker in an unknown state may consume that queue.

Input: the `workers` reading and the known workers behind it. A worker that may or may not be online can only consume what it last consumed.
An online worker that has not reported its queues yet (a new process) can consume that, or what any worker of its kind consumes. The counts
of all other queues are valid. Only a worker of an entirely unknown kind makes all counts unknown.
"""

from collections.abc import Iterable, Mapping

from msgspec import Struct, field

from watchdog.core.model.gaps import Gap
from watchdog.core.model.rows import Reading, Row
from watchdog.tables.workers.memory import KnownWorker, KnownWorkers
from watchdog.tables.workers.silence import UNKNOWN_S

__all__ = ["Consumers", "Taken", "consumers"]


class Taken(Struct, frozen=True, gc=False):
    """The number of tasks each consumer of a queue has taken so far, and whether all of them execute nothing now."""

    by_consumer: dict[str, float]
    all_idle: bool


class Consumers(Struct, frozen=True):
    """Queue -> the online workers that consume it, with what each has processed and executes now."""

    by_queue: dict[str, list[str]] = field(default_factory=dict)
    processed: dict[str, float] = field(default_factory=dict)
    active: dict[str, float] = field(default_factory=dict)
    silent: dict[str, str] = field(default_factory=dict)
    """Consumer -> why its activity is unknown."""
    perhaps: dict[str, str] = field(default_factory=dict)
    """Queue -> why another worker may consume it."""
    gone: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Queue -> among the offline workers last known to consume it, the one that was online last, and its state."""
    online: frozenset[str] = frozenset()
    """Every online worker."""
    held: dict[str, str] = field(default_factory=dict)
    """Consumer -> what it may hold messages for by design, without executing anything."""
    saturated: set[str] = field(default_factory=set)
    """Consumers that execute as much as they can at once: messages do not wait for their rate limit."""
    unsure: dict[str, str] = field(default_factory=dict)
    """Consumer -> why it is not known whether it executes as much as it can."""
    unknown: str | None = None
    """Why no count is known."""
    counted: Mapping[str, int | Gap] | None = None
    """Queue -> its consumers as the broker counts them, whoever they are; None if the broker does not."""
    delivered: Mapping[str, int] | None = None
    """Queue -> how many of its messages the broker has delivered so far; None if it does not count them."""
    unanswered: str | None = None
    """Why a queue without any known consumer may have one."""

    @property
    def queues(self) -> frozenset[str]:
        """Every queue that has a consumer."""
        if self.counted is None:
            return frozenset(self.by_queue)
        return frozenset(name for name, count in self.counted.items() if isinstance(count, int) and count)

    @property
    def nobody(self) -> str:
        """In words: a queue has no consumer."""
        return "no known worker consumes it" if self.counted is None else "RabbitMQ counts no consumer of it"

    def count(self, queue: str) -> int | Gap:
        """Return how many online workers consume it."""
        if self.counted is not None:
            return self.counted.get(queue, 0)
        why = self._why_unknown(queue)
        return Gap(why) if why is not None else len(self.by_queue.get(queue, ()))

    def last(self, queue: str, before: str) -> tuple[str, str]:
        """Return the worker last known to consume it, and its state. `before`: the remembered one. Empty if none is known."""
        names = self.by_queue.get(queue)
        if names:
            return names[0], "online"
        if queue in self.gone:
            return self.gone[queue]
        return before, "online" if before in self.online else ""

    def holds(self, queue: str) -> str:
        """Return what its consumers may hold messages for by design; empty if nothing is known."""
        return next((self.held[name] for name in self.by_queue.get(queue, ()) if name in self.held), "") if self.held else ""

    def all_saturated(self, queue: str) -> bool:
        """Whether it has consumers, and each is known to execute as much as it can."""
        names = self.by_queue.get(queue, ())
        return bool(names) and self.saturated.issuperset(names)

    def unsure_of(self, queue: str) -> str | None:
        """Return why it is not known whether its consumers can take more; None if it is, or if one that can is known."""
        if not self.unsure:
            return None
        names = self.by_queue.get(queue, ())
        if any(name not in self.saturated and name not in self.unsure for name in names):
            return None
        return next((f"{name}: {self.unsure[name]}" for name in names if name in self.unsure), None)

    def taken(self, queue: str) -> Taken | Gap:
        """Return what its consumers do; a gap if they, or what they do, are unknown."""
        names = self.by_queue.get(queue, [])
        silent = next((f"{name}: {self.silent[name]}" for name in names if name in self.silent), None)
        why = self._why_unknown(queue) or silent
        if why is not None:
            return Gap(why)
        return Taken({name: self.processed[name] for name in names}, all(self.active[name] == 0 for name in names))

    def _why_unknown(self, queue: str) -> str | None:
        return self.unknown or self.perhaps.get(queue) or (None if queue in self.by_queue else self.unanswered)


def consumers(workers: Reading | None, known_workers: KnownWorkers, now: float) -> Consumers:
    """Return which workers consume which queue in this poll."""
    if workers is None or workers.unread is not None:
        return Consumers(unknown=workers.unread if workers is not None else "the workers were not read")
    perhaps, nowhere_known = _perhaps(workers, known_workers)
    online = {str(row.cells["name"]): row for row in workers.rows if row.cells.get("state") == "online"}
    held = {name: what for name in online if (what := _held(known_workers.known[name]))}
    found = Consumers(
        unknown=nowhere_known,
        perhaps=perhaps,
        gone=_gone(known_workers.known.values()),
        online=frozenset(online),
        held=held,
        unanswered=_unanswered(known_workers, now),
    )
    activity = (("processed", found.processed), ("active", found.active))
    for name, row in online.items():
        for queue in _queues(known_workers.known[name]):
            found.by_queue.setdefault(queue, []).append(name)
        if row.cells.get("saturated") is True:
            found.saturated.add(name)
        elif row.cells.get("saturated") is None:
            found.unsure[name] = row.gaps.get("saturated", "it does not say")
        for column, where in activity:
            number = row.cells.get(column)
            if isinstance(number, float):
                where[name] = number
            else:
                found.silent[name] = row.gaps.get(column, "it does not say")
    return found


def _perhaps(workers: Reading, known_workers: KnownWorkers) -> tuple[dict[str, str], str | None]:
    """Return queue -> why somebody may consume it; and why any queue may be consumed: nothing is known of a worker or its kind."""
    perhaps: dict[str, str] = {}
    unknown = [(row, why) for row in workers.rows if row.gaps and (why := _why_open(row)) is not None]
    of_kind = _queues_of_kinds(known_workers) if unknown else {}
    for row, why in unknown:
        name = str(row.cells["name"])
        own = _queues(known_workers.known[name])
        queues = own if own and "state" in row.gaps else own | of_kind.get(known_workers.kind(name), frozenset())
        if not queues:
            return perhaps, why
        for queue in queues:
            perhaps.setdefault(queue, why)
    return perhaps, None


def _unanswered(known_workers: KnownWorkers, now: float) -> str | None:
    """Return why another worker may be there, of which nothing is known but its mailbox; believed for as long as a task may run."""
    name = next((name for name, since in sorted(known_workers.unanswered.items()) if 0 <= now - since < UNKNOWN_S), None)
    return None if name is None else f"{name} may consume it: it has a mailbox, and does not answer, as a solo pool that executes a task"


def _why_open(row: Row) -> str | None:
    if "state" in row.gaps:
        return f"{row.cells['name']} may consume it: {row.gaps['state']}"
    if row.cells.get("state") == "online" and "queues" in row.gaps:
        return f"the queues of {row.cells['name']} are not known: {row.gaps['queues']}"
    return None


def _queues_of_kinds(known_workers: KnownWorkers) -> dict[str, frozenset[str]]:
    """Return kind -> every queue that a worker of it was last known to consume."""
    found: dict[str, set[str]] = {}
    for name, worker in known_workers.known.items():
        found.setdefault(known_workers.kind(name), set()).update(_queues(worker))
    return {kind: frozenset(queues) for kind, queues in found.items()}


def _gone(known: Iterable[KnownWorker]) -> dict[str, tuple[str, str]]:
    away = [worker for worker in known if worker.state in ("left", "lost") and not worker.unknown]
    in_turn = sorted(away, key=lambda worker: (worker.online_at or 0.0, worker.name))
    return {queue: (worker.name, worker.state) for worker in in_turn for queue in _queues(worker)}


def _held(worker: KnownWorker) -> str:
    """Return its rate limit or its limit of ETA tasks: it fetches up to these, then waits and looks idle (measured, Celery 5.7)."""
    seen = worker.inspection
    if seen is None:
        return ""
    if seen.rate_limited:
        return f"the rate limit of {seen.rate_limited[0]}"
    limit = seen.conf.eta_task_limit if seen.conf is not None else None
    return f"ETA tasks that are not due: worker_eta_task_limit is {limit}" if limit else ""


def _queues(worker: KnownWorker) -> frozenset[str]:
    return frozenset((worker.inspection.queues if worker.inspection else None) or ())
