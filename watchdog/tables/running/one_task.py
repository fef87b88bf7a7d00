"""One task that somebody asks for by its id, or by the beginning of its id.

In: the id, and the replies of a poll. Out: what Flower lists of it and what its result backend stores; or where it was looked for. It is
asked for like a table, in rounds, but it is none: no rule reads it.
"""

from collections.abc import Iterable, Iterator

from msgspec import Struct

from watchdog.core.model.gaps import Gap
from watchdog.core.model.queries import Inspected, Query, RecentTasks, StoredResult, WholeTask
from watchdog.core.model.replies import Replies, StoredResultSeen, TaskSeen, WholeTaskSeen, WorkerConf
from watchdog.core.model.rows import Asking, Look, Reading, Table
from watchdog.core.model.servers.worker_queries import InspectWorkers
from watchdog.core.model.target import Target, covers
from watchdog.tables.running.results_place import ResultsPlace, results_place
from watchdog.tables.workers.memory import KnownWorkers, inspections

__all__ = ["OneTask", "one_task", "table_of_task"]

WHOLE_ID = 36
"""Characters of the ids that Celery makes. A shorter text may be the beginning of one."""
NO_FLOWER = "this target has no `flower`"
NOBODY_SAYS = "no worker says where results are stored, and the broker's database has no entry for it; set `results` of this target"


class OneTask(Struct, frozen=True):
    """What is known of it on one target. `flower_gap` and `results_gap` say why one of the two could not be asked.

    `matches`: if several listed ids begin with the text, these; `listed`: with how many tasks of Flower it was compared.
    """

    target: Target
    id: str
    seen: WholeTaskSeen = WholeTaskSeen("")
    stored: StoredResultSeen = StoredResultSeen()
    flower_gap: str = ""
    results_gap: str = ""
    matches: tuple[TaskSeen, ...] = ()
    listed: int = 0

    @property
    def found(self) -> bool:
        """Whether anybody knows it."""
        return self.seen.state is not None or self.stored.status is not None

    @property
    def everywhere(self) -> bool:
        """Whether it was looked for wherever it could be."""
        return not self.flower_gap and not self.results_gap


def table_of_task(task_id: str) -> Table:
    """What to ask a target's sources, in rounds: the task; then its result, and what else begins so; then the one that does."""
    return Table("task", "one task", ("id",), (), lambda asking: _asks(asking, task_id), _nothing)


def _nothing(_: Look) -> Reading:
    return Reading()


def _asks(asking: Asking, task_id: str) -> Iterable[Query]:
    target, replies = asking.target, asking.replies
    if "flower" in target.sources:
        yield from (WholeTask(task_id), Inspected())
        if not replies.asked(WholeTask(task_id)):
            return
    elif "celery" in target.sources:  # whoever is there knows where results are stored
        yield InspectWorkers(key_prefix=target.key_prefix or "")
        if not any(isinstance(query, InspectWorkers) for query in replies.answers):
            return
    place = _place(target, replies)
    yield from _results(place, task_id)
    if "flower" in target.sources and _may_begin_an_id(task_id, replies):
        yield RecentTasks()
        if len(matches := _matches(target, replies, task_id)) == 1:
            yield WholeTask(matches[0].id)
            yield from _results(place, matches[0].id)


def _results(place: ResultsPlace, task_id: str) -> Iterator[StoredResult]:
    if not place.why_not:
        yield place.stored(task_id)


def _may_begin_an_id(task_id: str, replies: Replies) -> bool:
    seen = replies.get(WholeTask(task_id), WholeTaskSeen)
    return len(task_id) < WHOLE_ID and not isinstance(seen, Gap) and seen.state is None


def _matches(target: Target, replies: Replies, task_id: str) -> tuple[TaskSeen, ...]:
    listed = replies.get(RecentTasks(), tuple[TaskSeen, ...])
    if isinstance(listed, Gap):
        return ()
    return tuple(task for task in listed if task.id.startswith(task_id) and _is_ours(target, task.worker))


def _is_ours(target: Target, worker: str | None) -> bool:
    return worker is None or covers(worker, target.workers)


def _confs(target: Target, replies: Replies) -> list[WorkerConf]:
    """What workers report of their conf, the newest first."""
    seen = sorted(inspections(replies, KnownWorkers(), target).values(), key=lambda one: (-(one.at or 0.0), one.name))
    return [one.conf for one in seen if one.conf is not None]


def _place(target: Target, replies: Replies) -> ResultsPlace:
    """Where results are stored, by what workers report."""
    return results_place(target, _confs(target, replies))


def one_task(target: Target, replies: Replies, asked_for: str) -> OneTask:
    """What the replies say of the task."""
    matches = _matches(target, replies, asked_for)
    task_id = matches[0].id if len(matches) == 1 else asked_for
    seen, flower_gap = WholeTaskSeen(""), NO_FLOWER
    if "flower" in target.sources:
        answer = replies.get(WholeTask(task_id), WholeTaskSeen)
        seen, flower_gap = (WholeTaskSeen(""), answer.reason) if isinstance(answer, Gap) else (answer, "")
    if seen.state is not None and not _is_ours(target, seen.worker):
        return OneTask(target, task_id)
    place = _place(target, replies)
    stored, results_gap = StoredResultSeen(), place.why_not
    if not results_gap:
        entry = replies.get(place.stored(task_id), StoredResultSeen)
        stored, results_gap = (StoredResultSeen(), entry.reason) if isinstance(entry, Gap) else (entry, "")
        alone = target.sources.isdisjoint({"flower", "results"})
        if not results_gap and stored.status is None and alone and not _confs(target, replies):
            results_gap = NOBODY_SAYS
    listed = replies.get(RecentTasks(), tuple[TaskSeen, ...])
    return OneTask(
        target, task_id, seen, stored, flower_gap, results_gap,
        matches if len(matches) > 1 else (), 0 if isinstance(listed, Gap) else len(listed),
    )  # fmt: skip
