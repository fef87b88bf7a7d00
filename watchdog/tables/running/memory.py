"""The running tasks as remembered from poll to poll: who executes them, what they last reported, and which ended unseen.

Flower forgets running tasks when it restarts, and never hears the end of a task whose worker was killed. So a task that had run for long
when Flower restarted is kept as unknown until something is known of it. A task is dropped if its result backend says that it has ended.
"""

from collections.abc import Iterable, Mapping

from msgspec import Struct, field
from msgspec.structs import replace

from watchdog.core.model.gaps import Gap
from watchdog.core.model.queries import STARTED_TASKS, InspectOne, Query, TaskMeta
from watchdog.core.model.replies import Replies, TaskMetaSeen, TaskSeen
from watchdog.core.model.rows import Asking, Look
from watchdog.core.model.servers.heard import same_moment
from watchdog.core.model.target import Target, covers
from watchdog.tables.running.results_place import KEY, ResultsPlace

__all__ = ["METAS_PER_POLL", "REUSED_S", "KnownRun", "Report", "Running", "listed_runs", "metas", "running_of", "runs_now"]

METAS_PER_POLL = 50
"""Number of remembered tasks whose reports are read from Redis per poll, in turn. Reports of new tasks are read at once."""
CLOCK_AHEAD_S = 5.0
PEAK_KEPT_S = 600.0
LONG_S = 300.0
"""Tasks that ran for less when Flower restarted are dropped: no shipped rule needs them."""
REUSED_S = 120.0
"""Longest time for which Flower's list may be reused: a task listed last may have been gone for so long."""
ENDED = frozenset({"SUCCESS", "FAILURE", "REVOKED"})


class Report(Struct, frozen=True):
    """What a task reported when Redis was last queried. `moved_at`: since when it reports this. `gap`: why that query failed.

    `peak_memory`: the most that it reported in any query, in bytes; None: it reports none.
    """

    progress: float | None = None
    step: str | None = None
    meta: str | None = None
    moved_at: float = 0.0
    gap: str = ""
    peak_memory: float | None = None


class KnownRun(Struct, frozen=True):
    """One running task. `started` is by its worker's clock, `seen_at` (when Flower last listed it) by ours."""

    id: str
    name: str | None
    worker: str | None
    queue: str | None
    started: float | None
    seen_at: float
    listed: bool = True
    """False: Flower restarted and has not shown it since."""
    ended: bool = False
    """Whether the result backend or its worker reports its end, though Flower still lists it."""
    report: Report | None = None
    """None: Redis was not queried yet."""
    first_seen_at: float = 0.0
    """When this run was first listed; `absent_at`: when the list was last read without it (None: never). By our clock."""
    absent_at: float | None = None
    arguments: str | None = None
    """Only where the target shows them: what is remembered is stored."""
    also_on: tuple[tuple[str, float | None], ...] | None = None
    """Other workers that execute it, each with its start by its clock; None: not known."""

    def running_s(self, now: float, asking_s: float = 0.0) -> float | None:
        """Return how long it has been running, limiting its worker's clock by what we saw ourselves; None if that cannot be known.

        `asking_s`: how long this poll took. What started meanwhile is by no clock that is ahead.
        """
        if self.started is None:
            return None
        by_its_clock, at_least = now - self.started, now - self.first_seen_at
        if by_its_clock < -CLOCK_AHEAD_S - asking_s and self.absent_at is None and at_least <= 0:
            return None
        at_most = by_its_clock if self.absent_at is None else now - self.absent_at + REUSED_S
        return max(min(by_its_clock, at_most), at_least, 0.0)


class Running(Struct, frozen=True):
    """The memory of the `running` table. `asked`: the last task whose report was queried."""

    known: Mapping[str, KnownRun] = field(default_factory=dict)
    asked: str = ""
    looked_at: float | None = None
    """When the list was last read."""
    inspected: Mapping[str, float] = field(default_factory=dict)
    """Worker -> when it was last asked what it executes (epoch seconds)."""
    peaks: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """Task that reports its memory -> the most that it reported, and when it was last listed: its failure may be listed only later."""


def running_of(memory: object) -> Running:
    """Return the memory of the `running` table, or an empty one."""
    return memory if isinstance(memory, Running) else Running()


def metas(asking: Asking, place: ResultsPlace) -> Iterable[Query]:
    """Return the queries for reports of running tasks: remembered ones in turn, and new ones once Flower lists them."""
    memory = running_of(asking.memory)
    ids = [run.id for run in memory.known.values() if not run.ended]
    turn = ids.index(memory.asked) + 1 if memory.asked in ids else 0
    listed = asking.replies.get(STARTED_TASKS, tuple[TaskSeen, ...])
    new = [] if isinstance(listed, Gap) else [task.id for task in listed if task.id not in memory.known and _is_ours(task, asking.target)]
    return [place.question(task_id) for task_id in [*[*ids[turn:], *ids[:turn]][:METAS_PER_POLL], *new]]


def runs_now(memory: Running, listed: tuple[TaskSeen, ...], look: Look, place: ResultsPlace, restarted_at: float | None) -> Running:
    """Return the tasks that Flower lists, oldest start first, and those it may have lost at `restarted_at` (its last start)."""
    now = look.now
    known = {run.id: run for run in listed_runs(memory, listed, look.target, now)}
    for run in memory.known.values():
        if run.id not in known and not run.ended and (not run.listed or _lost_sight(run, restarted_at)):
            known[run.id] = replace(run, listed=False)
    told = {run.id: _told(run, place.question(run.id), look.replies, now) for run in known.values()}
    asked = [query.key.rpartition(KEY)[2] for query in look.replies.answers if isinstance(query, TaskMeta)]
    just = {query.worker: now for query in look.replies.answers if isinstance(query, InspectOne)}
    workers = {run.worker for run in told.values()}
    inspected = {name: at for name, at in {**memory.inspected, **just}.items() if name in workers}
    return Running(told, asked[-1] if asked else "", now, inspected, _peaks(memory, told, now))


def _peaks(memory: Running, told: Mapping[str, KnownRun], now: float) -> Mapping[str, tuple[float, float]]:
    """Return what was reported of memory, of runs that run, and of those that ended a while ago at most."""
    kept = {task_id: known for task_id, known in memory.peaks.items() if 0 <= now - known[1] < PEAK_KEPT_S}
    new = {run.id: (peak, now) for run in told.values() if run.report is not None and (peak := run.report.peak_memory) is not None}
    return {**kept, **new} if new or len(kept) < len(memory.peaks) else memory.peaks


def listed_runs(memory: Running, listed: tuple[TaskSeen, ...], target: Target, now: float) -> list[KnownRun]:
    """Return the target's tasks that Flower lists, each with what is remembered of it."""
    return [
        replace(_known(task, memory.known.get(task.id), memory.looked_at, now), arguments=task.arguments if target.show_arguments else None)
        for task in listed
        if _is_ours(task, target)
    ]


def _known(task: TaskSeen, before: KnownRun | None, looked_at: float | None, now: float) -> KnownRun:
    if before is None:
        first = KnownRun(task.id, task.name, task.worker, task.routing_key, task.started, now, first_seen_at=now, absent_at=looked_at)
        return replace(first, also_on=task.also_on)
    again = not same_moment(before.started, task.started)
    return replace(
        before,
        name=task.name or before.name,
        worker=task.worker or before.worker,
        queue=task.routing_key or before.queue,
        started=task.started if again else before.started,
        seen_at=now,
        listed=True,
        ended=before.ended and not again,
        first_seen_at=now if again else before.first_seen_at,
        absent_at=looked_at if again else before.absent_at,
        also_on=task.also_on,
    )


def _is_ours(task: TaskSeen, target: Target) -> bool:
    return covers(task.worker, target.workers)


def _lost_sight(run: KnownRun, restarted_at: float | None) -> bool:
    ran_s = run.seen_at - (run.started if run.started is not None else run.seen_at)
    return restarted_at is not None and restarted_at > run.seen_at - REUSED_S and ran_s >= LONG_S


def _told(run: KnownRun, query: TaskMeta, replies: Replies, now: float) -> KnownRun:
    """Return the run with what Redis reports of it in this poll, if it was queried."""
    if not replies.asked(query):
        return run
    seen, before = replies.get(query, TaskMetaSeen), run.report
    if isinstance(seen, Gap):
        return replace(run, report=replace(before or Report(moved_at=now), gap=seen.reason))
    if seen.status in ENDED:
        return replace(run, ended=True)
    still = before is not None and (before.progress, before.step) == (seen.progress, seen.step)
    moved_at = before.moved_at if before is not None and still else now
    peaks = [peak for peak in (seen.peak_memory, before.peak_memory if before is not None else None) if peak is not None]
    return replace(run, report=Report(seen.progress, seen.step, seen.meta_json, moved_at, peak_memory=max(peaks, default=None)))
