"""All metrics of celery-exporter, gathered from the site. docs/metrics.md says which are served and where figures differ.

In: the site. Out: metric families; each series has the label `target` besides. What could not be looked at has no series.
"""

import threading
from collections.abc import Collection, Iterator

from prometheus_client import Metric

from watchdog.core.model.servers.timings import timings_of_all
from watchdog.store import Store
from watchdog.tables.tasks.counters import TaskCounters
from watchdog.web.metrics.celery_exporter.cluster import queue_families, worker_families
from watchdog.web.metrics.celery_exporter.shown import ShownTarget
from watchdog.web.metrics.celery_exporter.tasks import TaskFamilies, queues_of_tasks
from watchdog.web.metrics.celery_exporter.totals import TaskTotals, totals_after
from watchdog.web.metrics.seen import readings_of
from watchdog.web.site import Site

__all__ = ["Totals", "celery_families"]


class Totals:
    """The totals of all targets, from one scrape to the next. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._of: dict[str, TaskTotals] = {}

    def after(self, shown: ShownTarget, memory: TaskCounters, store: Store, now: float) -> TaskTotals:
        """Return the totals of a target, with what is new in its memory and in its samples."""
        with self._lock:
            before = self._of.get(shown.target, TaskTotals())
            since = now if before.ended is None else before.ended.read_at
            samples = [one for one in store.load_samples(shown.target, since).get("tasks", ()) if since < one.at <= (memory.read_at or 0.0)]
            heard = timings_of_all(one.timings for one in samples)
            found = self._of[shown.target] = totals_after(before, memory, queues_of_tasks(shown, memory, heard), heard, now, shown.workers)
            return found


def celery_families(site: Site, targets: Collection[str], totals: Totals) -> Iterator[Metric]:
    """Yield the families of these targets."""
    now, looks = site.clock(), site.store.last_looks()
    configured = {one.name: one.workers for one in site.settings.target}
    shown = [ShownTarget(name, readings_of(looks[name], now), configured[name]) for name in targets if name in looks]
    yield from worker_families(shown)
    yield from queue_families(shown)
    families = TaskFamilies()
    for one in shown:
        if not one.could_read("tasks"):
            continue
        memory = site.store.load_memories(one.target, {"tasks": TaskCounters}).get("tasks")
        if isinstance(memory, TaskCounters) and memory.read_at is not None:
            families.add(one, memory, totals.after(one, memory, site.store, now))
    yield from families.metrics()
