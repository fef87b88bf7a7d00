"""The last failures as remembered, so that neither a restart of Flower nor its short list lowers a count.

Flower lists the last 200 failures that it knows, and none from before its start. Listed failures are kept for an hour. The time of a
failure is by its worker's clock, which may be hours off: what is new in a poll happened since the previous poll. A list that is short of
failures holds them for days: those that were dropped after an hour are remembered by their ids, so that they are not new again.
"""

from collections.abc import Mapping

from msgspec import Struct, field

from watchdog.core.model.queries import FailedTasks
from watchdog.core.model.replies import TaskSeen
from watchdog.core.model.servers.heard import same_moment
from watchdog.core.model.target import Target, covers
from watchdog.tables.tasks.categories import example_of, exception_of
from watchdog.tables.tasks.names import filed_name
from watchdog.tables.tasks.novelty import Sightings, sighted
from watchdog.tables.tasks.usual_errors import UsualErrors, noted

__all__ = ["LISTED", "Failure", "Failures", "failures_now"]

LISTED = FailedTasks()
KEPT_S = 3600.0
MOST_KEPT = 500
MOST_PASSED = 1_000
"""The failures that are remembered by their ids alone: more than are ever listed."""


class Failure(Struct, frozen=True, gc=False):
    """One failed run. `at` is epoch seconds by our clock, `told_at` by its worker's; `named`: Flower knew its task's name."""

    task: str
    exception: str
    at: float
    duration_s: float | None
    queue: str | None
    example: str
    told_at: float = 0.0
    named: bool = True
    worker: str = ""


class Failures(Struct, frozen=True):
    """The failures that the `tasks` table remembers, by task id, oldest first.

    `whole_since`: all failures since then are known; None: all that ever were. `why_not`: why no earlier ones are.
    """

    known: Mapping[str, Failure] = field(default_factory=dict)
    whole_since: float | None = None
    why_not: str = ""
    flower_started_at: float | None = None
    looked_at: float | None = None
    """When Flower last listed failures (epoch seconds); None: never."""
    usual: UsualErrors = field(default_factory=UsualErrors)
    sightings: Sightings = field(default_factory=Sightings)
    passed: Mapping[str, float] = field(default_factory=dict)
    """Failures that were dropped, the last dropped last: task id -> when it failed, by its worker's clock."""

    def of(self, task: str) -> list[Failure]:
        """Return a task's failures, oldest first."""
        return [failure for failure in self.known.values() if failure.task == task]


def failures_now(memory: Failures, listed: tuple[TaskSeen, ...], target: Target, flower_started_at: float | None, now: float) -> Failures:
    """Merge what was remembered with what Flower lists, and drop what is too old."""
    seen = {task.id: _failure(task, memory, now) for task in listed if _is_ours(task, target)}
    both = {task_id: failure for task_id, failure in {**memory.known, **seen}.items() if failure is not None}
    recent = sorted(((i, f) for i, f in both.items() if now - f.at <= KEPT_S), key=lambda entry: entry[1].at)
    since, why = _whole_since(memory, listed, flower_started_at)
    if len(recent) > MOST_KEPT:
        recent = recent[-MOST_KEPT:]
        since, why = max(since or 0.0, recent[0][1].at), f"only the last {MOST_KEPT} failures are kept"
    known = dict(recent)
    dropped = {task_id: failure.told_at for task_id, failure in both.items() if task_id not in known}
    passed = dict([*memory.passed.items(), *dropped.items()][-MOST_PASSED:]) if dropped else memory.passed
    new = [(failure.task, failure.exception, failure.at) for task_id, failure in known.items() if memory.known.get(task_id) != failure]
    usual, sightings = _usual(memory, known, since, now), sighted(memory.sightings, new, now)
    return Failures(known, since, why, flower_started_at or memory.flower_started_at, now, usual, sightings, passed)


def _usual(memory: Failures, known: Mapping[str, Failure], whole_since: float | None, now: float) -> UsualErrors:
    """Return the usual failures, updated with the new ones of this poll and the seconds that it covers."""
    before = memory.known if memory.usual.at is not None else {}
    new = [(failure.task, failure.exception) for task_id, failure in known.items() if before.get(task_id) != failure]
    since = memory.usual.at if memory.usual.at is not None else now - KEPT_S
    if whole_since is None and memory.usual.at is None:
        since = min((failure.at for failure in known.values()), default=now)
    return noted(memory.usual, new, now - max(since, whole_since or since), now)


def _failure(task: TaskSeen, memory: Failures, now: float) -> Failure | None:
    told_at = task.failed if task.failed is not None else task.timestamp
    if told_at is None:
        return None
    before = memory.known.get(task.id)
    if before is not None and same_moment(before.told_at, told_at):
        return before
    if before is None and same_moment(memory.passed.get(task.id), told_at):
        return None
    at = min(told_at, now) if memory.looked_at is None else min(max(told_at, memory.looked_at), now)
    duration_s = max(told_at - task.started, 0.0) if task.started is not None else None
    exception, example = exception_of(task), example_of(task)
    named, worker = bool(task.name), task.worker or ""
    return Failure(filed_name(task), exception, at, duration_s, task.routing_key, example, told_at, named, worker)


def _is_ours(task: TaskSeen, target: Target) -> bool:
    return covers(task.worker, target.workers)


def _whole_since(memory: Failures, listed: tuple[TaskSeen, ...], started_at: float | None) -> tuple[float | None, str]:
    """Return since when every failure is known, and why no earlier ones are."""
    cut = len(listed) >= LISTED.limit
    restarted = None not in (memory.flower_started_at, started_at) and memory.flower_started_at != started_at
    if cut and not any(task.id in memory.known for task in listed):
        return min((task.failed or task.timestamp or 0.0) for task in listed), f"only the last {LISTED.limit} failures are listed"
    if restarted or memory.looked_at is None:
        return started_at, "no failure from before the first event is known" if started_at is not None else ""
    return memory.whole_since, memory.why_not
