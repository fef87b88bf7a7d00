"""Tasks as their events show them, in memory that is bounded whatever is sent.

In: events in the order of their arrival. Out: lists of tasks by state, and counts of events by worker and task. Not thread-safe: `ear`
locks. Unlike Flower, a task that runs is not forgotten because many others ended since, and a failure that is reported twice (a hard time
limit does that, on Celery 5.7) is counted once.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain

from watchdog.core.model.replies import EventCounters, TaskSeen
from watchdog.sources.events.tasks.messages import TaskEvent
from watchdog.sources.moments import moment
from watchdog.sources.task_texts import arguments_of, cut, last_line

__all__ = ["Runs"]

MOST_WAITING = 20_000
"""Tasks that were sent or received and did not start yet; beyond that, those heard of longest ago are dropped."""
MOST_STARTED = 10_000
MOST_ENDED = 1_000
"""The last failures, and the last revoked; and the last tasks of any outcome whose later events are recognised as theirs."""
SUCCESSES = 100
"""The last successes of each task: as many as runtimes are made of."""
MOST_NAMES = 1_000
"""The tasks whose successes are kept, the last ones heard of."""
MOST_COUNTED = 50_000
"""The pairs of worker and task that are counted apart; what is beyond counts as a task without a name."""
COUNTED = {
    "task-received": "received",
    "task-started": "started",
    "task-succeeded": "succeeded",
    "task-failed": "failed",
    "task-retried": "retried",
    "task-revoked": "revoked",
    "task-rejected": "rejected",
}
STATES = {
    "task-received": "RECEIVED",
    "task-started": "STARTED",
    "task-succeeded": "SUCCESS",
    "task-failed": "FAILURE",
    "task-retried": "RETRY",
    "task-revoked": "REVOKED",
    "task-rejected": "REJECTED",
}
ENDED = frozenset({"SUCCESS", "FAILURE", "REVOKED"})
SETTLED_S = 1.0
"""A worker that says so much later that it executes nothing does not execute this task."""


class _Run:
    """One task. Times are by its worker's clock; `sent` by its sender's."""

    __slots__ = (
        "arguments", "exception", "expires", "failed", "has_eta", "id", "name", "received", "retried", "retries", "revoked",
        "routing_key", "runtime", "sent", "started", "state", "succeeded", "timestamp", "traceback_last", "worker",
    )  # fmt: skip

    def __init__(self, task_id: str) -> None:
        self.id, self.state = task_id, "PENDING"
        self.name: str | None = None
        self.worker: str | None = None
        self.sent: float | None = None
        self.received: float | None = None
        self.started: float | None = None
        self.succeeded: float | None = None
        self.failed: float | None = None
        self.retried: float | None = None
        self.revoked: float | None = None
        self.timestamp: float | None = None
        self.runtime: float | None = None
        self.expires: float | None = None
        self.exception: str | None = None
        self.traceback_last: str | None = None
        self.retries: int | None = None
        self.routing_key: str | None = None
        self.arguments: str | None = None
        self.has_eta = False

    def sends(self, event: TaskEvent) -> None:
        """Its sender's word. It may come after the worker's: senders and workers have connections of their own."""
        self.sent, self.routing_key = event.timestamp, cut(event.routing_key)
        self._describes(event)

    def goes_on(self, event: TaskEvent, kind: str) -> None:
        """Its worker's word."""
        at = event.timestamp
        self.worker, self.timestamp = event.hostname, at
        if kind != "rejected":
            setattr(self, kind, at)
        if kind == "received":
            self._describes(event)
        elif kind == "succeeded":
            self.runtime = event.runtime
        elif event.exception is not None:
            self.exception, self.traceback_last = cut(event.exception), last_line(event.traceback)
        state = STATES[event.type]
        if not (kind == "received" and self.state == "STARTED") and not (kind == "rejected" and self.state in ENDED):
            self.state = state

    def _describes(self, event: TaskEvent) -> None:
        self.name = cut(event.name) or self.name
        self.retries = event.retries if event.retries is not None else self.retries
        self.has_eta |= event.eta is not None
        if event.expires is not None:
            self.expires = moment(event.expires)
        arguments = arguments_of(event.args, event.kwargs)
        self.arguments = arguments if arguments is not None else self.arguments

    def seen(self) -> TaskSeen:
        return TaskSeen(
            id=self.id,
            name=self.name,
            state=self.state,
            worker=self.worker,
            received=self.received,
            started=self.started,
            succeeded=self.succeeded,
            failed=self.failed,
            runtime=self.runtime,
            exception=self.exception,
            traceback_last=self.traceback_last,
            retries=self.retries,
            routing_key=self.routing_key,
            timestamp=self.timestamp,
            retried=self.retried,
            revoked=self.revoked,
            expires=self.expires,
            arguments=self.arguments if self.state == "STARTED" else None,
            sent=self.sent,
            has_eta=self.has_eta,
        )


class Runs:
    """All tasks that one ear heard of."""

    def __init__(self) -> None:
        self._waiting: dict[str, _Run] = {}
        self._started: dict[str, _Run] = {}
        self._failed: dict[str, _Run] = {}
        self._revoked: dict[str, _Run] = {}
        self._ended: dict[str, _Run] = {}
        self._succeeded: dict[str, deque[_Run]] = {}
        self._counts: dict[str, dict[str, dict[str, float]]] = {}
        self._counted = 0
        self._since = 0.0
        self.heard = 0
        """Events since the ear was opened."""

    def opens(self, now: float) -> None:
        """The ear is open from now on (epoch seconds): counts begin at 0, for what happened meanwhile is not known. Tasks are kept."""
        self._counts, self._counted, self._since, self.heard = {}, 0, now, 0

    def hears(self, event: TaskEvent) -> None:
        """Add an event. Events that apps define themselves are ignored."""
        self.heard += 1
        kind = COUNTED.get(event.type)
        if kind is None and event.type != "task-sent":
            return
        run = self._taken(event.uuid)
        if kind is None:
            run.sends(event)
        else:
            twice = kind == "failed" and run.state == "FAILURE"
            run.goes_on(event, kind)
            if not twice:
                self._counts_one(event.hostname, run.name or "", kind)
        self._files(run)

    def settles(self, idle: Mapping[str, float]) -> None:
        """Workers said, at this time by their clocks, that they execute nothing: what they started before has ended without a word."""
        for run in list(self._started.values()) if idle else ():
            at = idle.get(run.worker or "")
            if at is not None and run.started is not None and run.started < at - SETTLED_S:
                del self._started[run.id]

    def counters(self) -> EventCounters:
        """Return the counts since the ear was opened."""
        counts = {worker: {task: dict(events) for task, events in tasks.items()} for worker, tasks in self._counts.items()}
        return EventCounters(self._since, counts)

    def started(self, limit: int) -> tuple[TaskSeen, ...]:
        """Return the tasks in execution, oldest start first."""
        runs = sorted(self._started.values(), key=lambda run: run.started or run.received or 0.0)
        return tuple(run.seen() for run in runs[:limit])

    def failed(self, limit: int) -> tuple[TaskSeen, ...]:
        """Return the last failures, the last one first."""
        return _last(self._failed.values(), limit)

    def revoked(self, limit: int) -> tuple[TaskSeen, ...]:
        """Return the last tasks that were revoked or expired, the last one first."""
        return _last(self._revoked.values(), limit)

    def succeeded(self, task: str, limit: int) -> tuple[TaskSeen, ...]:
        """Return the last successes of a task, the last one first."""
        return _last(self._succeeded.get(task, ()), limit)

    def of_worker(self, worker: str, limit: int) -> tuple[TaskSeen, ...]:
        """Return the last tasks of a worker, in any state, last event first."""
        return _by_event((run for run in self._all() if run.worker == worker), limit)

    def recent(self, limit: int) -> tuple[TaskSeen, ...]:
        """Return the tasks with the latest events, in any state."""
        return _by_event((run for run in self._all() if run.worker is not None), limit)

    # --- filing ---------------------------------------------------------------------------------------------------------

    def _all(self) -> Iterator[_Run]:
        yield from chain(self._waiting.values(), self._started.values(), self._failed.values(), self._revoked.values())
        yield from chain.from_iterable(self._succeeded.values())

    def _taken(self, task_id: str) -> _Run:
        """Return the task with this id, taken out of where it was; a new one if nothing is known of it."""
        found = self._started.pop(task_id, None) or self._waiting.pop(task_id, None)
        if found is not None:
            return found
        ended = self._ended.pop(task_id, None)
        if ended is None:
            return _Run(task_id)
        if self._failed.pop(task_id, None) is None and self._revoked.pop(task_id, None) is None:
            self._drop_success(ended)
        return ended

    def _drop_success(self, run: _Run) -> None:
        """Take a success out of its list, for another event of it has come: near the end, if at all."""
        kept = self._succeeded.get(run.name or "")
        if kept is not None and run in kept:
            kept.remove(run)

    def _files(self, run: _Run) -> None:
        if run.state not in ENDED:
            _put(self._started if run.state == "STARTED" else self._waiting, run, MOST_STARTED if run.state == "STARTED" else MOST_WAITING)
            return
        _put(self._ended, run, MOST_ENDED)
        if run.state == "FAILURE":
            _put(self._failed, run, MOST_ENDED)
        elif run.state == "REVOKED":
            _put(self._revoked, run, MOST_ENDED)
        else:
            self._succeeds(run)

    def _succeeds(self, run: _Run) -> None:
        name = run.name or ""
        kept = self._succeeded.pop(name, None)
        if kept is None:
            kept = deque(maxlen=SUCCESSES)
            if len(self._succeeded) >= MOST_NAMES:
                del self._succeeded[next(iter(self._succeeded))]
        run.arguments = None
        kept.append(run)
        self._succeeded[name] = kept

    def _counts_one(self, worker: str, task: str, kind: str) -> None:
        counts = self._counts.get(worker, {}).get(task)
        if counts is None:
            if self._counted < MOST_COUNTED:
                self._counted += 1
            else:
                worker = task = ""
            counts = self._counts.setdefault(worker, {}).setdefault(task, {})
        counts[kind] = counts.get(kind, 0.0) + 1.0


def _put(runs: dict[str, _Run], run: _Run, most: int) -> None:
    """Add a run as the last one; the first one goes if there are too many."""
    runs[run.id] = run
    if len(runs) > most:
        del runs[next(iter(runs))]


def _last(runs: Iterable[_Run], limit: int) -> tuple[TaskSeen, ...]:
    return tuple(run.seen() for run in list(runs)[: -limit - 1 : -1])


def _by_event(runs: Iterable[_Run], limit: int) -> tuple[TaskSeen, ...]:
    latest = sorted(runs, key=lambda run: run.timestamp or 0.0, reverse=True)
    return tuple(run.seen() for run in latest[:limit])
