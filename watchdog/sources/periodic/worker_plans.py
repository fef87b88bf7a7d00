"""What `/api/workers` says of periodic tasks. In: the bytes of the answer. Out: worker -> its `WorkerPlan`, or a gap.

All workers of an app and release send the same bytes, which are read once.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from msgspec import Raw

from watchdog.core.model.gaps import Gap
from watchdog.core.model.schedules.periodic import PeriodicTask, PeriodicTasks, WorkerPlan
from watchdog.core.text.names import LONGEST_NAME
from watchdog.sources.flower.answers import StatusEntry
from watchdog.sources.flower.json import decoded, kind_found, maybe
from watchdog.sources.periodic.options import queue_named, shadow_named
from watchdog.sources.periodic.reprs import schedule_shown, zone_shown
from watchdog.sources.setting_names import as_documented

__all__ = ["worker_plans"]

_MOST_ENTRIES = 5000
_PARTS = frozenset({"stats", "active_queues", "registered", "conf", "timestamp", "active", "reserved", "scheduled", "revoked"})
"""The inspect answers that an entry may hold; it holds those that the worker gave."""
UTC = "UTC"


def worker_plans(body: bytes) -> dict[str, WorkerPlan] | Gap:
    """Worker -> what its last inspection says of periodic tasks."""
    raw = decoded(body, dict[str, Raw], "/api/workers", "an object of worker -> its inspect answers")
    if isinstance(raw, Gap):
        return raw
    found = {}
    for name, entry in raw.items():
        parts = maybe(entry, dict[str, Raw])
        if parts is None or not (_PARTS & parts.keys() or maybe(entry, StatusEntry) is not None):
            return Gap(f"flower: expected an object of inspect answers for each worker from /api/workers, found {kind_found(bytes(entry))}")
        if len(name) <= LONGEST_NAME:
            zone, beat = _of_conf(bytes(parts.get("conf", b"null")))
            found[name] = WorkerPlan(_registered(bytes(parts.get("registered", b"null"))), beat, zone)
    return found


@lru_cache(maxsize=16)
def _registered(raw: bytes) -> frozenset[str] | None:
    """The names, without what stands behind them: `shop.report [rate_limit=6/h]`."""
    tasks = maybe(Raw(raw), list[str])
    return None if tasks is None else frozenset(task.partition(" [")[0] for task in tasks if len(task) <= 2 * LONGEST_NAME)


@lru_cache(maxsize=16)
def _of_conf(raw: bytes) -> tuple[str | None, PeriodicTasks | None]:
    conf = maybe(Raw(raw), dict[str, Any])
    if conf is None:
        return None, None
    settings = as_documented(conf, ("beat_schedule", "timezone", "enable_utc"))
    shown = settings.get("beat_schedule")
    return _zone(settings), _beat(shown) if isinstance(shown, dict) else PeriodicTasks()


def _zone(settings: Mapping[str, Any]) -> str | None:
    """The app's time zone; None: that of its host, or one that is shown in no known way."""
    shown = settings.get("timezone")
    if shown is not None:
        return zone_shown(shown)
    return None if settings.get("enable_utc") is False else UTC


def _beat(shown: Mapping[str, Any]) -> PeriodicTasks:
    entries: list[PeriodicTask] = []
    unread: dict[str, str] = {}
    for name, entry in list(shown.items())[:_MOST_ENTRIES]:
        try:
            entries.append(_entry(name, entry))
        except ValueError as error:
            unread[name[:LONGEST_NAME]] = str(error)
    return PeriodicTasks(tuple(entries), unread)


def _entry(name: str, shown: object) -> PeriodicTask:
    fields = shown if isinstance(shown, dict) else {}
    task = fields.get("task")
    if not isinstance(task, str) or not 0 < len(task) <= LONGEST_NAME or len(name) > LONGEST_NAME:
        raise ValueError("expected an entry with the name of its task")
    options, when = fields.get("options"), schedule_shown(fields.get("schedule"))
    every_s, cron = (when, None) if isinstance(when, float) else (None, when)
    return PeriodicTask(name, task, every_s, cron, queue=queue_named(options), runs_as=shadow_named(options))
