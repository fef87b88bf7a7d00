"""Workers and queues under the names of celery-exporter.

In: targets. Out: metric families. What is not known of one worker is not known of its host.
"""

from collections.abc import Collection, Iterator, Sequence

from prometheus_client import Metric

from watchdog.core.model.rows import Row
from watchdog.web.metrics.celery_exporter.shown import ShownTarget
from watchdog.web.metrics.celery_exporter.totals import host_of
from watchdog.web.metrics.families import Family
from watchdog.web.metrics.labels import label_value

__all__ = ["queue_families", "worker_families"]

GONE_S = 600.0
"""A worker that said goodbye, or was replaced, is down for so long, and then gone."""


def worker_families(shown: Sequence[ShownTarget]) -> Iterator[Metric]:
    """Yield the families about hosts of workers."""
    up = Family("celery_worker_up", "1 if a worker of the host is online.")
    active = Family("celery_worker_tasks_active", "Tasks that the host's workers execute now, by their heartbeats.")
    for one in shown:
        of_host: dict[str, list[Row]] = {}
        for row in one.rows("workers"):
            of_host.setdefault(host_of(str(row.cells["name"])), []).append(row)
        for host, rows in of_host.items():
            labels = {"hostname": label_value(host), "target": one.target}
            if (is_up := _is_up(rows)) is not None:
                up.add(labels, float(is_up))
            counts = [row.cells.get("active") for row in rows if row.cells.get("state") == "online"]
            if counts and (known := _all_known(counts)) is not None:
                active.add(labels, sum(known))
    yield from (up.metric, active.metric)


def _is_up(rows: list[Row]) -> bool | None:
    """Return whether a host has a worker online; None if that is not known, or all of them are gone."""
    states = [row.cells.get("state") for row in rows]
    if "online" in states:
        return True
    if None in states:
        return None
    return None if all(_gone(row) for row in rows) else False


def _gone(row: Row) -> bool:
    """Whether a worker is not missed any more: it said goodbye a while ago, or another one took its place."""
    silent_s = row.cells.get("silent_s")
    replaced = row.cells.get("state") == "left" or row.cells.get("replaced") is True
    return replaced and isinstance(silent_s, float) and silent_s > GONE_S


def queue_families(shown: Sequence[ShownTarget]) -> Iterator[Metric]:
    """Yield the families about queues."""
    length = Family("celery_queue_length", "Messages that wait in the queue, over all its priority lists.")
    workers = Family("celery_active_worker_count", "Online workers that consume the queue.")
    processes = Family("celery_active_process_count", "Tasks that these workers can execute at once.")
    for one in shown:
        capacity = _capacity(one.rows("workers")) if one.could_read("workers") else None
        for row in one.rows("queues"):
            queue = str(row.cells["name"])
            labels = {"queue_name": label_value(queue), "target": one.target}
            for family, cell in ((length, row.cells.get("length")), (workers, row.cells.get("consumers"))):
                if isinstance(cell, float):
                    family.add(labels, cell)
            if capacity is not None and (known := _all_known(capacity.get(queue, []))) is not None:
                processes.add(labels, sum(known))
    yield from (length.metric, workers.metric, processes.metric)


def _capacity(workers: tuple[Row, ...]) -> dict[str, list[object]] | None:
    """Return queue -> the pool sizes of the workers that consume it; None if it is not known who consumes what."""
    found: dict[str, list[object]] = {}
    for row in workers:
        state = row.cells.get("state")
        if state is not None and state != "online":
            continue
        queues = row.cells.get("queues")
        if state is None or not isinstance(queues, str):
            return None
        for queue in queues.split(","):
            found.setdefault(queue, []).append(row.cells.get("pool_size"))
    return found


def _all_known(cells: Collection[object]) -> list[float] | None:
    numbers = [cell for cell in cells if isinstance(cell, float)]
    return numbers if len(numbers) == len(cells) else None
