"""What is exposed to Prometheus, as a test reads it: the samples of families, and a site whose database holds a look."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType

from prometheus_client import Metric

from tests.builders.web import NOW, site
from watchdog.core.history.series import Keeping, Slice
from watchdog.core.incidents.plan import Plan
from watchdog.core.model.last_look import last_look_of
from watchdog.core.model.rows import Reading
from watchdog.store import Looked, Store
from watchdog.web.site import Site

__all__ = ["MIXIN", "MIXIN_ALERTS", "look_at", "looked_at", "names", "samples"]

NOTHING_REMEMBERED: Mapping[str, object] = MappingProxyType({})
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

_OF_JOB = 'job=~".*celery.*"'
_SELECTED = f'{_OF_JOB},queue_name!~"None",name!~"None"'
_FAILED, _SUCCEEDED = (
    f"sum by (job, namespace, queue_name, name) (increase(celery_task_{event}_total{{{_SELECTED}}}[10m]))"
    for event in ("failed", "succeeded")
)
_LENGTH = f'sum by (job, namespace, queue_name) (celery_queue_length{{{_OF_JOB},queue_name!~"None"}})'
MIXIN_ALERTS: Mapping[str, tuple[str, str]] = {
    "TaskFails": (f"100 * {_FAILED} / ({_FAILED} + {_SUCCEEDED}) > 5", "1m"),
    "QueueLong": (f"{_LENGTH} > 100", "20m"),
    "WorkerDown": (f"celery_worker_up{{{_OF_JOB}}} == 0", "15m"),
}
"""What its three alerts ask: alert -> expression, and for how long it must hold."""


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
        look_at(store, target, readings, at)
    return site(store, *targets)


def look_at(
    store: Store, target: str, readings: Mapping[str, Reading], at: float = NOW, memories: Mapping[str, object] = NOTHING_REMEMBERED
) -> None:
    """Store what a cycle saw of a target, and what its tables remember of it."""
    with store.cycle() as transaction:
        transaction.record(Looked(target, Slice(at, {}), last_look_of(readings, at, 10.0), None), Keeping({}))
        transaction.commit(Plan(target, at, memories=memories))
