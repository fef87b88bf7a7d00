"""Where the target's task results are stored: in its `results`, otherwise where its workers say, otherwise in the broker's database.

Input: the target, what its workers last reported of their `conf`. Output: the prefix of their keys and the database, or why they cannot be
read. Source of the keys: celery/backends/base.py (`task_keyprefix`, `_add_global_keyprefix`).
"""

from collections.abc import Iterable

from msgspec import Struct

from watchdog.core.model.queries import StoredResult, TaskMeta
from watchdog.core.model.replies import WorkerConf
from watchdog.core.model.target import Target

__all__ = ["KEY", "ResultsPlace", "results_place"]

KEY = "celery-task-meta-"
IN_REDIS = frozenset({"redis", "rediss", "sentinel", "redis+socket", "socket", "unix"})
NO_SOURCE = "needs the Redis that holds the results, and this target has neither `redis` nor `results`"


class ResultsPlace(Struct, frozen=True):
    """How to query what a task reports. `why_not` says why it cannot be queried, and what to configure. `db` None: the source's own."""

    prefix: str = ""
    db: int | None = None
    why_not: str = ""

    def question(self, task_id: str) -> TaskMeta:
        """Return the query for what a task reports."""
        return TaskMeta(f"{self.prefix}{KEY}{task_id}", self.db)

    def stored(self, task_id: str) -> StoredResult:
        """Return the query for all that is stored of a task."""
        return StoredResult(f"{self.prefix}{KEY}{task_id}", self.db)


def results_place(target: Target, confs: Iterable[WorkerConf]) -> ResultsPlace:
    """Return the place named by the first of these workers that has a result backend: an app has only one."""
    conf = next((conf for conf in confs if conf.result_backend), WorkerConf())
    if target.sources.isdisjoint({"redis", "results"}):
        return ResultsPlace(why_not=NO_SOURCE)
    prefix = conf.results_prefix if target.results_prefix is None else target.results_prefix
    if "results" not in target.sources and (why := _out_of_reach(conf)):
        return ResultsPlace(why_not=why)
    if prefix is None:
        said = "the workers' results have a key prefix that their conf hides"
        return ResultsPlace(why_not=f"{said}: set `results` of this target, with its url and its key_prefix")
    return ResultsPlace(_as_celery_joins(prefix), None if "results" in target.sources else conf.results_db)


def _out_of_reach(conf: WorkerConf) -> str:
    """Return why the broker's Redis does not hold the results; empty if it does, or nobody says."""
    scheme = (conf.result_backend or "").partition(":")[0]
    if scheme and scheme not in IN_REDIS:
        return f"the workers' results live in {scheme}; progress is read from Redis alone"
    if conf.results_elsewhere:
        return f"the workers' results live on another server than the broker ({conf.result_backend}): set `results` of this target"
    return ""


def _as_celery_joins(prefix: str) -> str:
    return f"{prefix}_" if prefix and prefix[-1] not in ":_-." else prefix
