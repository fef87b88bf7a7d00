"""The tasks that run, as remembered from look to look: who runs them, what they last reported, and which of them ended unseen.

Flower forgets what runs when it restarts, and never hears the end of a task whose worker was killed. So a task that had run for long
when Flower restarted stays, as unknown, until something tells; and one whose result backend says that it has ended is let go.
"""

from collections.abc import Iterable, Mapping

from msgspec import Struct, field
from msgspec.structs import replace

from watchdog.core.model.gaps import Gap
from watchdog.core.model.queries import STARTED_TASKS, InspectOne, Query, TaskMeta
from watchdog.core.model.replies import Replies, TaskMetaSeen, TaskSeen
from watchdog.core.model.rows import Asking, Look
from watchdog.core.model.target import Target, covers
from watchdog.tables.running.results_place import KEY, ResultsPlace

__all__ = ["METAS_A_LOOK", "KnownRun", "Report", "Running", "listed_runs", "metas", "running_of", "runs_now"]

METAS_A_LOOK = 50
"""Of so many remembered tasks a look Redis is asked what they report, in turn; of those that are new at once."""
CLOCK_AHEAD_S = 5.0
LONG_S = 300.0
"""What ran for less when Flower restarted is let go with it: no rule of the shipped pack asks after it."""
REUSED_S = 120.0
"""The longest that Flower's list may be reused: a task that it showed last may have been gone for so long."""
ENDED = frozenset({"SUCCESS", "FAILURE", "REVOKED"})


class Report(Struct, frozen=True):
    """What a task said of itself when Redis was last asked; `moved_at` is since when it has said so. `gap`: why that ask failed."""

    progress: float | None = None
    step: str | None = None
    meta: str | None = None
    moved_at: float = 0.0
    gap: str = ""


class KnownRun(Struct, frozen=True):
    """One task that runs. `started` is by its worker's clock, `seen_at` (when Flower last listed it) by ours."""

    id: str
    name: str | None
    worker: str | None
    queue: str | None
    started: float | None
    seen_at: float
    listed: bool = True
    """False: Flower restarted, and has not told of it since."""
    ended: bool = False
    """The result backend or its worker says so, though Flower still lists it."""
    report: Report | None = None
    """None: Redis was not asked yet."""
    first_seen_at: float = 0.0
    """When this run was first listed, and `absent_at` when the list was last read without it (None: never), by our clock."""
    absent_at: float | None = None

    def running_s(self, now: float) -> float | None:
        """For how long it runs, as far as its worker's clock fits what we saw ourselves; None where it cannot be known."""
        if self.started is None:
            return None
        by_its_clock, at_least = now - self.started, now - self.first_seen_at
        if by_its_clock < -CLOCK_AHEAD_S and self.absent_at is None and at_least <= 0:
            return None
        at_most = by_its_clock if self.absent_at is None else now - self.absent_at + REUSED_S
        return max(min(by_its_clock, at_most), at_least, 0.0)


class Running(Struct, frozen=True):
    """What the `running` table remembers. `asked`: the last task of which Redis was asked."""

    known: Mapping[str, KnownRun] = field(default_factory=dict)
    asked: str = ""
    looked_at: float | None = None
    """When the list was last read."""
    inspected: Mapping[str, float] = field(default_factory=dict)
    """Worker -> when it was last asked what it executes (epoch seconds)."""


def running_of(memory: object) -> Running:
    """The memory of the `running` table, or an empty one."""
    return memory if isinstance(memory, Running) else Running()


def metas(asking: Asking, place: ResultsPlace) -> Iterable[Query]:
    """What the tasks that run report: of those remembered in turn, and of new ones once Flower has named them."""
    memory = running_of(asking.memory)
    ids = [run.id for run in memory.known.values() if not run.ended]
    turn = ids.index(memory.asked) + 1 if memory.asked in ids else 0
    listed = asking.replies.get(STARTED_TASKS, tuple[TaskSeen, ...])
    new = [] if isinstance(listed, Gap) else [task.id for task in listed if task.id not in memory.known and _is_ours(task, asking.target)]
    return [place.question(task_id) for task_id in [*[*ids[turn:], *ids[:turn]][:METAS_A_LOOK], *new]]


def runs_now(memory: Running, listed: tuple[TaskSeen, ...], look: Look, place: ResultsPlace, restarted_at: float | None) -> Running:
    """Those that Flower lists, oldest start first, and those of which it may have lost sight at `restarted_at` (its last start)."""
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
    return Running(told, asked[-1] if asked else "", now, inspected)


def listed_runs(memory: Running, listed: tuple[TaskSeen, ...], target: Target, now: float) -> list[KnownRun]:
    """The target's tasks that Flower lists, each with what is remembered of it."""
    return [_known(task, memory.known.get(task.id), memory.looked_at, now) for task in listed if _is_ours(task, target)]


def _known(task: TaskSeen, before: KnownRun | None, looked_at: float | None, now: float) -> KnownRun:
    if before is None:
        return KnownRun(task.id, task.name, task.worker, task.routing_key, task.started, now, first_seen_at=now, absent_at=looked_at)
    again = before.started != task.started
    return replace(
        before,
        name=task.name or before.name,
        worker=task.worker or before.worker,
        queue=task.routing_key or before.queue,
        started=task.started,
        seen_at=now,
        listed=True,
        ended=before.ended and not again,
        first_seen_at=now if again else before.first_seen_at,
        absent_at=looked_at if again else before.absent_at,
    )


def _is_ours(task: TaskSeen, target: Target) -> bool:
    return covers(task.worker, target.workers)


def _lost_sight(run: KnownRun, restarted_at: float | None) -> bool:
    ran_s = run.seen_at - (run.started if run.started is not None else run.seen_at)
    return restarted_at is not None and restarted_at > run.seen_at - REUSED_S and ran_s >= LONG_S


def _told(run: KnownRun, query: TaskMeta, replies: Replies, now: float) -> KnownRun:
    """The run, with what Redis says of it in this look, if it was asked."""
    if not replies.asked(query):
        return run
    seen, before = replies.get(query, TaskMetaSeen), run.report
    if isinstance(seen, Gap):
        return replace(run, report=replace(before or Report(moved_at=now), gap=seen.reason))
    if seen.status in ENDED:
        return replace(run, ended=True)
    still = before is not None and (before.progress, before.step) == (seen.progress, seen.step)
    moved_at = before.moved_at if before is not None and still else now
    return replace(run, report=Report(seen.progress, seen.step, seen.meta_json, moved_at))
