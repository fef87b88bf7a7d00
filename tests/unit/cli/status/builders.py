"""A target as `watchdog status` shows it, seen in a fake cluster."""

from typing import Any

from msgspec.structs import replace

from tests.builders.cluster import Cluster, healthy
from tests.builders.looks import Watch
from watchdog.cli.output.page import plain
from watchdog.cli.status.on_terminal import on_terminal
from watchdog.core.history.series import Part, Slice
from watchdog.core.history.trends import Day, day_of
from watchdog.core.model.queries import Query
from watchdog.core.model.sketch import Sketch, sketch_of
from watchdog.status.panel import Panel
from watchdog.status.shown import TargetShown
from watchdog.tables.history.kept import KEPT

NOON = 1_800_000_000.0 // 86400 * 86400 + 12 * 3600
FIVE_MINUTES = 300.0


def shown_of(cluster: Cluster | None = None, **changes: Any) -> TargetShown:
    """A target after two looks at a cluster."""
    watch = Watch(cluster or healthy("celery@web-1", "celery@web-2"))
    watch.look(0)
    readings = watch.look()
    return replace(TargetShown("prod", NOON, readings, seen_at=NOON - 4, interval_s=10.0, watched=True), **changes)


def blind_target(*gaps: Query | type[Query] | str) -> TargetShown:
    """A target that was seen well, and of which these queries or sources are not answered any more."""
    cluster = healthy("celery@web-1")
    watch = Watch(cluster)
    watch.look(0)
    watch.look()
    for gap in gaps:
        cluster.gaps[gap] = "no answer"
    return TargetShown("prod", NOON, watch.look(), seen_at=NOON - 4, interval_s=10.0, watched=True)


def bucket(until: float, succeeded: float = 0.0, failed: float = 0.0, *, runtimes: Sketch | None = None, task: str = "shop.pay") -> Slice:
    """Five minutes of one task on four workers."""
    since = until - FIVE_MINUTES
    return Slice(
        until,
        {
            "tasks": Part(since, until, {(task,): (succeeded, failed, 0.0, runtimes or sketch_of([0.5] * 20), Sketch())}),
            "cluster": Part(since, until, {(): (4.0, 4.0, 4.0, 2.0, 8.0, 3.0, 9.0, 0.0)}),
            "queues": Part(since, until, {("indexing",): (3.0, 9.0, 1.0, 0.0)}),
            "errors": Part(since, until, {(task, "TimeoutError", "indexing"): (failed, failed, failed * 30.0)} if failed else {}),
        },
    )


def a_day(*missing: int, now: float = NOON) -> Day:
    """A day with 12 tasks an hour, one of which fails; but nothing at all in the hours that are this long ago."""
    untils = [now - FIVE_MINUTES * nth for nth in range(288)]
    there = [until for until in reversed(untils) if int((now - until) // 3600) not in missing]
    return day_of(
        [bucket(until, 0.0 if nth % 12 == 0 else 1.0, 1.0 if nth % 12 == 0 else 0.0) for nth, until in enumerate(there)], KEPT, now
    )


def text(panel: Panel) -> str:
    return plain([on_terminal(panel)])
