"""What history keeps: table -> its key, its figures and how a look of it is read.

In: one look (`Moment`). Out: a slice.
"""

from collections.abc import Callable, Mapping
from functools import partial

from watchdog.core.history.series import Kept, Moment, Part, Series, Slice
from watchdog.tables.history.looks import gauges, of_errors, of_tasks, of_workers
from watchdog.tables.history.series import CLUSTER, ERRORS, QUEUES, TASKS, WORKERS

__all__ = ["KEPT", "slice_of"]


def slice_of(moment: Moment) -> Slice:
    """Return what one look adds to history."""
    parts = {name: part for name, kept in KEPT.items() if (part := kept.look(moment)) is not None}
    return Slice(moment.now, parts)


def _gauged(table: str, key: tuple[str, ...], series: tuple[Series, ...]) -> Kept:
    look: Callable[[Moment], Part | None] = partial(gauges, table=table, key=key, series=series)
    return Kept(table, key, series, look)


KEPT: Mapping[str, Kept] = {
    kept.table: kept
    for kept in (
        _gauged("cluster", (), CLUSTER),
        _gauged("queues", ("name",), QUEUES),
        Kept("workers", ("name",), WORKERS, of_workers),
        Kept("tasks", ("name",), TASKS, of_tasks),
        Kept("errors", ("task", "exception", "queue"), ERRORS, of_errors),
    )
}
"""Table -> what is kept of it."""
