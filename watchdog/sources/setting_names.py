"""Finds settings in a worker's `conf`, however its app spells them.

In: settings as a worker reports them. Out: those wanted, under the names of Celery's documentation. A worker reports `task_queues` as its
app writes it: with a namespace, as `CELERY_TASK_QUEUES` in Django projects, or by the name of old, `CELERY_QUEUES` (seen with Celery 5.7).
"""

from collections.abc import Iterable, Mapping
from typing import Any

__all__ = ["as_documented"]

OLD_NAMES: Mapping[str, str] = {
    "BROKER_URL": "broker_url",
    "BROKER_TRANSPORT_OPTIONS": "broker_transport_options",
    "CELERY_TASK_RESULT_EXPIRES": "result_expires",
    "CELERY_ACKS_LATE": "task_acks_late",
    "CELERY_ACKS_ON_FAILURE_OR_TIMEOUT": "task_acks_on_failure_or_timeout",
    "CELERY_DEFAULT_QUEUE": "task_default_queue",
    "CELERY_IGNORE_RESULT": "task_ignore_result",
    "CELERY_QUEUES": "task_queues",
    "CELERY_REJECT_ON_WORKER_LOST": "task_reject_on_worker_lost",
    "CELERY_ROUTES": "task_routes",
    "CELERY_SEND_TASK_SENT_EVENT": "task_send_sent_event",
    "CELERY_TRACK_STARTED": "task_track_started",
    "CELERYD_TASK_SOFT_TIME_LIMIT": "task_soft_time_limit",
    "CELERYD_TASK_TIME_LIMIT": "task_time_limit",
    "CELERYD_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS": "worker_cancel_long_running_tasks_on_connection_loss",
    "CELERYD_MAX_MEMORY_PER_CHILD": "worker_max_memory_per_child",
    "CELERYD_MAX_TASKS_PER_CHILD": "worker_max_tasks_per_child",
    "CELERYD_POOL_RESTARTS": "worker_pool_restarts",
    "CELERYD_PREFETCH_MULTIPLIER": "worker_prefetch_multiplier",
    "CELERYD_ETA_TASK_LIMIT": "worker_eta_task_limit",
    "CELERYBEAT_SCHEDULE": "beat_schedule",
}
"""The names that Celery still accepts (celery/app/defaults.py, 5.7), of what is wanted. Others of old look like a namespace."""


def as_documented(conf: Mapping[str, Any], wanted: Iterable[str]) -> dict[str, Any]:
    """Return the wanted settings that the worker reports."""
    old = {OLD_NAMES[name]: name for name in conf if name in OLD_NAMES}
    upper = sorted(name for name in conf if name.isupper() and name not in OLD_NAMES)
    found: dict[str, Any] = {}
    for name in wanted:
        spelt = next((key for key in upper if f"_{key}".endswith(f"_{name.upper()}")), None)
        reported = name if name in conf else old.get(name, spelt)
        if reported is not None:
            found[name] = conf[reported]
    return found
