"""Tasks under the names of celery-exporter: counters by task, host and queue, failures by exception, runtimes.

In: a target, the memory of its `tasks` table, the totals. Out: series in metric families. Flower's counters do not say a queue: a task that
was only ever seen to come from one counts for that one.
"""

from collections.abc import Collection, Iterator, Mapping

from prometheus_client import Metric

from watchdog.core.model.servers.timings import Timing
from watchdog.core.model.target import covers
from watchdog.tables.tasks.counters import TaskCounters
from watchdog.web.metrics.celery_exporter.shown import UNKNOWN, ShownTarget
from watchdog.web.metrics.celery_exporter.totals import BUCKETS, TaskTotals, host_of
from watchdog.web.metrics.families import Family, HistogramFamily
from watchdog.web.metrics.labels import label_value

__all__ = ["MOST_SERIES", "TaskFamilies", "queues_of_tasks"]

MOST_SERIES = 5000
"""Pairs of a task and a host; with more of them, the counters of all hosts are added up, under the host `ALL_HOSTS`."""
ALL_HOSTS = "all"
EVENTS: Mapping[str, tuple[str, str]] = {
    "sent": ("received", "Messages that are known to have been sent: those that a worker received."),
    "received": ("received", "Tasks that workers received."),
    "started": ("started", "Tasks that workers began to execute."),
    "succeeded": ("succeeded", "Tasks that succeeded."),
    "rejected": ("rejected", "Tasks that workers rejected."),
    "revoked": ("revoked", "Tasks that were revoked."),
    "retried": ("retried", "Tasks that failed and will be retried."),
}
"""The event in the metric's name -> the one that Flower counts, and its meaning."""


class TaskFamilies:
    """The families under construction."""

    def __init__(self) -> None:
        self._counters = {name: Family(f"celery_task_{name}", meaning, counter=True) for name, (_, meaning) in EVENTS.items()}
        self._failed = Family("celery_task_failed", "Tasks that failed, by exception.", counter=True)
        self._runtime = HistogramFamily("celery_task_runtime", "How long tasks ran that succeeded.")

    def metrics(self) -> Iterator[Metric]:
        """Yield them."""
        yield from (family.metric for family in (*self._counters.values(), self._failed, self._runtime))

    def add(self, shown: ShownTarget, memory: TaskCounters, totals: TaskTotals) -> None:
        """Add one target."""
        counted = _counted(memory, shown.workers)
        add_up = len(counted) > MOST_SERIES
        queues = {task: _only(found) for task, found in totals.queues.items()}
        for (task, host), events in (_added_up(counted) if add_up else counted).items():
            labels = _labels(shown.target, task, host, queues)
            for name, (event, _) in EVENTS.items():
                self._counters[name].add(labels, events.get(event, 0.0))
            self._failed.add({**labels, "exception": ""}, 0.0)
        for (task, host, exception), count in _by_host(totals.failed, add_up=add_up).items():
            self._failed.add({**_labels(shown.target, task, host, queues), "exception": label_value(exception)}, count)
        for task, runtimes in totals.runtimes.items():
            self._runtime.add_histogram(_labels(shown.target, task, UNKNOWN, queues), BUCKETS, runtimes.counts, runtimes.total_s)
        for queue in _without_tasks(shown, queues):
            self._counters["received"].add({"queue_name": label_value(queue), "target": shown.target}, 0.0)


def queues_of_tasks(shown: ShownTarget, memory: TaskCounters, heard: Mapping[str, Timing]) -> dict[str, frozenset[str]]:
    """Return task -> the queues that it is seen to come from: by its runs, its failures, what runs, and what waits first."""
    found: dict[str, set[str]] = {name: set(timed.queues) for name, timed in memory.runtimes.items() if timed.queues}
    for task, timing in heard.items():
        found.setdefault(task, set()).update(came.queue for came in timing.came if came.queue is not None)
    for table, task, queue in (("running", "name", "queue"), ("queues", "head_task", "name"), ("errors", "task", "queue")):
        for row in shown.rows(table):
            of_task, of_queue = row.cells.get(task), row.cells.get(queue)
            if of_task and of_queue:
                found.setdefault(str(of_task), set()).add(str(of_queue))
    return {task: frozenset(queues) for task, queues in found.items()}


def _by_host(failed: Mapping[tuple[str, str, str], float], *, add_up: bool) -> Mapping[tuple[str, str, str], float]:
    if not add_up:
        return failed
    found: dict[tuple[str, str, str], float] = {}
    for (task, _, exception), count in failed.items():
        kind = (task, ALL_HOSTS, exception)
        found[kind] = found.get(kind, 0.0) + count
    return found


def _counted(memory: TaskCounters, workers: tuple[str, ...]) -> dict[tuple[str, str], dict[str, float]]:
    """Return (task, host) -> event -> count."""
    found: dict[tuple[str, str], dict[str, float]] = {}
    for worker, tasks in memory.counts.items():
        if not covers(worker, workers):
            continue
        host = host_of(worker)
        for task, events in tasks.items():
            _plus(found.setdefault((task, host), {}), events)
    return found


def _added_up(counted: Mapping[tuple[str, str], Mapping[str, float]]) -> dict[tuple[str, str], dict[str, float]]:
    found: dict[tuple[str, str], dict[str, float]] = {}
    for (task, _), events in counted.items():
        _plus(found.setdefault((task, ALL_HOSTS), {}), events)
    return found


def _plus(sums: dict[str, float], events: Mapping[str, float]) -> None:
    for event, count in events.items():
        sums[event] = sums.get(event, 0.0) + count


def _only(queues: Collection[str]) -> str:
    return next(iter(queues)) if len(queues) == 1 else UNKNOWN


def _labels(target: str, task: str, host: str, queues: Mapping[str, str]) -> dict[str, str]:
    return {
        "name": label_value(task),
        "hostname": label_value(host),
        "queue_name": label_value(queues.get(task, UNKNOWN)),
        "target": target,
    }


def _without_tasks(shown: ShownTarget, queues: Mapping[str, str]) -> list[str]:
    """Return the queues that no counter names: dashboards choose queues among those of `celery_task_received_total`."""
    named = frozenset(queues.values())
    return [name for row in shown.rows("queues") if (name := str(row.cells["name"])) not in named]
