"""Tasks as their events show them, in memory that is bounded whatever is sent.

In: events in the order of their arrival. Out: lists of tasks by state, counts of events by worker and task, and how long all runs took
that succeeded. Not thread-safe: `ear` locks. Unlike Flower, a task that runs is not forgotten because many others ended since, and a
failure that is reported twice (a hard time limit does that, on Celery 5.7) is counted once.
A task that is cut off runs no more, and has not ended: see `cut_off`.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import TypeVar

from watchdog.core.model.replies import EventCounters, TaskSeen
from watchdog.sources.events.tasks.cut_off import CutOffs
from watchdog.sources.events.tasks.messages import TaskEvent
from watchdog.sources.events.tasks.run import ENDED, Run
from watchdog.sources.events.tasks.timings import Timings

__all__ = ["Runs"]

T = TypeVar("T")

MOST_WAITING = 20_000
"""Tasks that were sent or received and did not start yet; beyond that, those heard of longest ago are dropped."""
MOST_STARTED = 10_000
MOST_ENDED = 1_000
"""The last failures, the last revoked or cut off; and the last tasks of any outcome whose later events are recognised as theirs."""
SUCCESSES = 100
"""The last successes of each task that are listed; how long all took is in `Timings`."""
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
KINDS = {**COUNTED, "task-cancelled": "cancelled"}
"""The events of workers that are understood. Flower does not count the last, and neither does watchdog."""


class Runs:
    """All tasks that one ear heard of."""

    def __init__(self) -> None:
        self._waiting: dict[str, Run] = {}
        self._started: dict[str, Run] = {}
        self._cut_off = CutOffs(MOST_ENDED)
        self._failed: dict[str, Run] = {}
        self._revoked: dict[str, Run] = {}
        self._ended: dict[str, Run] = {}
        self._settled: dict[str, Run] = {}
        """The last ones that ended without a word."""
        self._succeeded: dict[str, deque[Run]] = {}
        self._names: dict[str, str] = {}
        """Of tasks of which nothing was heard yet, as somebody else knows them."""
        self._counts: dict[str, dict[str, dict[str, float]]] = {}
        self._counted = 0
        self._since = 0.0
        self._old: set[str] = set()
        """Of what is kept, what was heard over an earlier connection and not over this one."""
        self.timings = Timings()
        self.heard = 0
        """All events so far."""

    def opens(self, now: float) -> None:
        """The ear is open from now on (epoch seconds): counts begin at 0, for what happened meanwhile is not known. Tasks are kept."""
        self._counts, self._counted, self._since = {}, 0, now
        self.timings.opens(now)
        succeeded = (run.id for runs in self._succeeded.values() for run in runs)
        self._old = {*self._waiting, *self._started, *self._cut_off, *self._ended, *self._settled, *succeeded}

    def hears(self, event: TaskEvent) -> None:
        """Add an event. Events that apps define themselves are ignored."""
        self.heard += 1
        kind = KINDS.get(event.type)
        if kind is None and event.type != "task-sent":
            return
        run = self._taken(event.uuid)
        if kind == "started":
            self._cut_off.works(event.hostname)
        if kind is None:
            run.sends(event)
            self.timings.sends(run)
        else:
            twice = kind == "failed" and run.state == "FAILURE"
            if (over := run.goes_on(event, kind)) is not None and over.state in ENDED:
                self._files(over)
            if kind == "succeeded":
                self.timings.ends(over or run)
            if not twice and event.type in COUNTED:
                self._counts_one(event.hostname, run.name or "", kind)
        self._files(run)

    def learn(self, names: Mapping[str, str]) -> None:
        """Take names of tasks (id -> name): a worker says them as it receives a task, which may have been before the ear was opened."""
        for task_id, name in names.items():
            known = self._started.get(task_id) or self._waiting.get(task_id)
            if known is None:
                _put(self._names, task_id, name, MOST_WAITING)
            else:
                known.name = known.name or name

    def settles(self, idle: Mapping[str, float]) -> None:
        """Workers said, at this time by their clocks, that they execute nothing: what they started before has ended without a word."""
        self._cut_off.idle(idle)
        for run in list(self._started.values()) if idle else ():
            if run.settles(idle):
                del self._started[run.id]
                _put(self._settled, run.id, run, MOST_ENDED)

    def counters(self) -> EventCounters:
        """Return the counts since the ear was opened."""
        counts = {worker: {task: dict(events) for task, events in tasks.items()} for worker, tasks in self._counts.items()}
        return EventCounters(self._since, counts)

    def started(self, limit: int, *, anew: bool = False) -> tuple[TaskSeen, ...]:
        """Return the tasks in execution, oldest start first; `anew`: those alone that were heard of over this connection."""
        going = (run for run in self._started.values() if not anew or run.id not in self._old)
        runs = sorted(going, key=lambda run: run.started or run.received or 0.0)
        return tuple(run.seen() for run in runs[:limit])

    def cut_off(self) -> dict[str, int]:
        """Return worker -> how many tasks it was cut off from that have not come again, as far as that was heard over this connection."""
        return self._cut_off.count(but=self._old)

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

    def sent(self, task_ids: Iterable[str]) -> dict[str, float]:
        """Return when those of these tasks were sent that no worker has received since, as far as their senders said so."""
        found = {task_id: self._waiting[task_id] for task_id in task_ids if task_id in self._waiting}
        return {task_id: run.sent for task_id, run in found.items() if run.sent is not None and run.state != "RECEIVED"}

    def is_anew(self, task_id: str) -> bool:
        """Whether the last word of a task that is kept came over this connection."""
        return task_id not in self._old

    def over(self, task_ids: Iterable[str]) -> frozenset[str]:
        """Return those of these tasks that were heard over this connection to be executed no more."""
        new = [task_id for task_id in task_ids if task_id not in self._old]
        ended = (task_id for task_id in new if any(task_id in of for of in (self._ended, self._settled, self._cut_off)))
        return frozenset((*ended, *(i for i in new if i in self._waiting and self._waiting[i].ran)))

    # --- filing ---------------------------------------------------------------------------------------------------------

    def _all(self) -> Iterator[Run]:
        yield from chain(
            self._waiting.values(), self._started.values(), self._cut_off.runs(), self._failed.values(), self._revoked.values()
        )
        yield from chain.from_iterable(self._succeeded.values())

    def _taken(self, task_id: str) -> Run:
        """Return the task with this id, taken out of where it was; a new one if nothing is known of it."""
        found = self._started.pop(task_id, None) or self._waiting.pop(task_id, None) or self._cut_off.take(task_id)
        if found is not None:
            return found
        ended = self._ended.pop(task_id, None)
        if ended is None:
            new, settled = Run(task_id), self._settled.get(task_id)
            new.name = self._names.pop(task_id, None) or (settled.name if settled is not None else None)
            return new
        if self._failed.pop(task_id, None) is None and self._revoked.pop(task_id, None) is None:
            self._drop_success(ended)
        return ended

    def _drop_success(self, run: Run) -> None:
        """Take a success out of its list, for another event of it has come: near the end, if at all."""
        kept = self._succeeded.get(run.name or "")
        if kept is not None and run in kept:
            kept.remove(run)

    def _files(self, run: Run) -> None:
        self._old.discard(run.id)
        self._settled.pop(run.id, None)
        if run.state == "CANCELLED":
            self._cut_off.add(run)
            return
        if run.state not in ENDED:
            _put(
                self._started if run.state == "STARTED" else self._waiting,
                run.id,
                run,
                MOST_STARTED if run.state == "STARTED" else MOST_WAITING,
            )
            return
        _put(self._ended, run.id, run, MOST_ENDED)
        if run.state == "FAILURE":
            _put(self._failed, run.id, run, MOST_ENDED)
        elif run.state == "REVOKED":
            _put(self._revoked, run.id, run, MOST_ENDED)
        else:
            self._succeeds(run)

    def _succeeds(self, run: Run) -> None:
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


def _put(kept: dict[str, T], task_id: str, what: T, most: int) -> None:
    """Add what is known of a task as the last one; the first one goes if there are too many."""
    kept[task_id] = what
    if len(kept) > most:
        del kept[next(iter(kept))]


def _last(runs: Iterable[Run], limit: int) -> tuple[TaskSeen, ...]:
    return tuple(run.seen() for run in list(runs)[: -limit - 1 : -1])


def _by_event(runs: Iterable[Run], limit: int) -> tuple[TaskSeen, ...]:
    latest = sorted(runs, key=lambda run: run.timestamp or 0.0, reverse=True)
    return tuple(run.seen() for run in latest[:limit])
