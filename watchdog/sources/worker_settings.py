"""Decodes what a worker's `conf` says of how it runs tasks.

In: the settings that it reports, as decoded from JSON; Celery reports those that differ from its defaults. Out: `WorkerSettings`. A value
of an unexpected type counts as not reported.
"""

import re
from collections.abc import Mapping
from typing import Any

from watchdog.core.model.servers.worker_replies import WorkerSettings

__all__ = ["SETTINGS", "worker_settings"]

SETTINGS: Mapping[str, str] = {
    "task_acks_late": "acks_late",
    "task_acks_on_failure_or_timeout": "acks_on_failure",
    "task_reject_on_worker_lost": "reject_on_worker_lost",
    "task_track_started": "track_started",
    "task_ignore_result": "ignore_result",
    "task_send_sent_event": "send_sent_event",
    "task_time_limit": "time_limit_s",
    "task_soft_time_limit": "soft_time_limit_s",
    "result_expires": "result_expires_s",
    "worker_max_tasks_per_child": "max_tasks_per_child",
    "worker_max_memory_per_child": "max_memory_per_child_kb",
    "worker_prefetch_multiplier": "prefetch_multiplier",
    "worker_eta_task_limit": "eta_limit",
    "worker_pool_restarts": "pool_restarts",
    "worker_cancel_long_running_tasks_on_connection_loss": "cancel_on_loss",
}
"""Celery's name of a setting -> ours."""

_FLAGS = frozenset(
    {
        "acks_late",
        "acks_on_failure",
        "reject_on_worker_lost",
        "track_started",
        "ignore_result",
        "send_sent_event",
        "pool_restarts",
        "cancel_on_loss",
    }
)
_WHOLE = frozenset({"max_tasks_per_child", "max_memory_per_child_kb", "eta_limit"})
_TIMEDELTA = re.compile(r"(?:(\d{1,6}) days?, )?(\d{1,2}):(\d\d):(\d\d)(?:\.\d+)?")
"""How Python prints a timedelta, which is what `conf` shows of one."""


def worker_settings(conf: Mapping[str, Any]) -> WorkerSettings:
    """The settings; Celery's defaults for those that are absent or cannot be read."""
    known: dict[str, Any] = {}
    for theirs, ours in SETTINGS.items():
        if theirs in conf:
            known |= _read(ours, conf[theirs])
    return WorkerSettings(**known)


def _read(name: str, value: Any) -> dict[str, Any]:
    if name in _FLAGS:
        return {name: value} if isinstance(value, bool) else {}
    if name == "result_expires_s":
        expires = _seconds(value)
        return {name: expires} if expires is not None or value is None else {}
    number = _seconds(value)
    if number is None:
        return {}
    if name == "prefetch_multiplier":
        return {name: number}
    return {name: (int(number) if name in _WHOLE else number) or None}  # 0 is no limit


def _seconds(value: Any) -> float | None:
    """A number, or a timedelta as Python prints it."""
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e12:
        return float(value)
    if isinstance(value, str) and (match := _TIMEDELTA.fullmatch(value)):
        days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
        return float(((days * 24 + hours) * 60 + minutes) * 60 + seconds)
    return None
