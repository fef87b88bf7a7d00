"""Queries to Flower about Flower itself, which only rules about its set-up need."""

from watchdog.core.model.queries import Query

__all__ = ["HasWorkersPage", "OldestTasks"]


class HasWorkersPage(Query, frozen=True):
    """`/workers`: a page since 2.0, not found before. -> `bool` (5 ms)."""

    source = "flower"


class OldestTasks(Query, frozen=True):
    """`/api/tasks?sort_by=received`: the tasks received first, of those it still lists. -> `tuple[TaskSeen, ...]` (20 ms for 50)."""

    source = "flower"
    limit: int = 50
