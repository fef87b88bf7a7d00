"""The names, labels and types of celery-exporter, as its users' dashboards know them."""

import pytest
from prometheus_client import Metric

from tests.builders.metrics import MIXIN
from watchdog.core.model.rows import Reading, Row
from watchdog.tables.tasks.counters import TaskCounters
from watchdog.web.metrics.celery_exporter.cluster import queue_families, worker_families
from watchdog.web.metrics.celery_exporter.shown import ShownTarget
from watchdog.web.metrics.celery_exporter.tasks import TaskFamilies
from watchdog.web.metrics.celery_exporter.totals import Runtimes, TaskTotals

OF_TASKS = {"name", "hostname", "queue_name"}
LABELS = {
    **{f"celery_task_{event}": OF_TASKS for event in ("sent", "received", "started", "succeeded", "rejected", "revoked", "retried")},
    "celery_task_failed": OF_TASKS | {"exception"},
    "celery_task_runtime": OF_TASKS,
    "celery_worker_up": {"hostname"},
    "celery_worker_tasks_active": {"hostname"},
    "celery_queue_length": {"queue_name"},
    "celery_active_worker_count": {"queue_name"},
    "celery_active_process_count": {"queue_name"},
}
TYPES = {
    "celery_task_runtime": "histogram",
    **{name: "counter" for name in LABELS if name.startswith("celery_task_") and name[12:] != "runtime"},
}


def exposed() -> dict[str, Metric]:
    """All families, of a target with one of everything."""
    worker = Row({"name": "celery@web-1", "state": "online", "active": 1.0, "pool_size": 4.0, "queues": "emails"})
    queue = Row({"name": "emails", "length": 3.0, "consumers": 1.0})
    shown = ShownTarget("prod", {"workers": Reading((worker,)), "queues": Reading((queue,))}, ())
    runtimes = {"shop.charge": Runtimes((1,) * 15, 9.0)}
    totals = TaskTotals({("shop.charge", "web-1", "KeyError"): 1.0}, runtimes, {"shop.charge": frozenset({"emails"})})
    families = TaskFamilies()
    families.add(shown, TaskCounters(1.0, counts={"celery@web-1": {"shop.charge": {"received": 1.0}}}), totals)
    found = (*worker_families([shown]), *queue_families([shown]), *families.metrics())
    return {family.name: family for family in found}


EXPOSED = exposed()


def test_these_are_the_names() -> None:
    assert set(EXPOSED) == set(LABELS)


@pytest.mark.parametrize("name", LABELS)
def test_labels_are_those_of_celery_exporter_and_the_target(name: str) -> None:
    found = {label for sample in EXPOSED[name].samples for label in sample.labels} - {"le"}
    assert found == LABELS[name] | {"target"}


@pytest.mark.parametrize("name", LABELS)
def test_types_are_those_of_celery_exporter(name: str) -> None:
    assert EXPOSED[name].type == TYPES.get(name, "gauge")


@pytest.mark.parametrize(("name", "labels"), MIXIN.items())
def test_what_celery_mixin_selects_by_is_there(name: str, labels: tuple[str, ...]) -> None:
    found = [one for family in EXPOSED.values() for one in family.samples if one.name == name]
    assert any(all(one.labels.get(label) for label in labels) for one in found)
