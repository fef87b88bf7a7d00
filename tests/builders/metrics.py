"""What is exposed to Prometheus, as a test reads it: the samples of families, and a site whose database holds a look."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from prometheus_client import Metric

from tests.builders.web import NOW, site
from watchdog.core.history.series import Keeping, Slice
from watchdog.core.model.last_look import last_look_of
from watchdog.core.model.rows import Reading
from watchdog.store import Looked, Store
from watchdog.web.site import Site

__all__ = ["MIXIN", "looked_at", "names", "samples"]

_OF_TASKS = ("name", "queue_name")
MIXIN: Mapping[str, tuple[str, ...]] = {
    **{f"celery_task_{event}_total": _OF_TASKS for event in ("sent", "received", "succeeded", "retried", "rejected", "revoked")},
    "celery_task_failed_total": (*_OF_TASKS, "exception"),
    "celery_task_runtime_bucket": (*_OF_TASKS, "le"),
    "celery_task_runtime_sum": _OF_TASKS,
    "celery_task_runtime_count": _OF_TASKS,
    "celery_queue_length": ("queue_name",),
    "celery_worker_up": ("hostname",),
    "celery_worker_tasks_active": (),
}
"""Every metric that the dashboards and alerts of celery-mixin name -> the labels that they select, group or show by."""


def samples(families: Iterable[Metric], name: str) -> dict[str, float]:
    """Labels as `a="b",c="d"` -> value, of all samples of that name."""
    found = [one for family in families for one in family.samples if one.name == name]
    return {",".join(f'{label}="{text}"' for label, text in sorted(one.labels.items())): one.value for one in found}


def names(families: Iterable[Metric]) -> set[str]:
    """The names of all samples."""
    return {one.name for family in families for one in family.samples}


def looked_at(folder: Path, readings: Mapping[str, Reading], at: float = NOW, *targets: str) -> Site:
    """A site whose targets (one: `prod`) were last seen like this."""
    store = Store.open(folder / "watchdog.db")
    for target in targets or ("prod",):
        with store.cycle() as transaction:
            transaction.record(Looked(target, Slice(at, {}), last_look_of(readings, at, 10.0), None), Keeping({}))
    return site(store, *targets)
