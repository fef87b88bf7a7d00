"""Periodic tasks as their scheduler has them: what beat, redbeat or django-celery-beat sends, and when.

In: what a source read. Out: values that a table can remember; `PeriodicTask.schedule` says when its success is late. What could not be
understood is named with the reason, never guessed.
"""

import datetime as dt
from collections.abc import Mapping

from msgspec import Struct

from watchdog.core.model.schedules.schedule import Cron, Schedule

__all__ = ["LocalZoneError", "PeriodicTask", "PeriodicTasks", "RedbeatEntry", "Scheduler", "WorkerPlan"]


class LocalZoneError(ValueError):
    """A cron whose time zone nobody knows."""


class Scheduler(Struct, frozen=True):
    """One scheduler of a target, as configured: `kind` is beat, redbeat or django. `exclude`: globs of entries, tasks or shadows."""

    kind: str
    exclude: tuple[str, ...] = ()
    grace_s: float | None = None
    zone: str | None = None
    """The time zone of its crons, if nobody else says."""
    key_prefix: str = ""
    """Of redbeat's keys."""


class PeriodicTask(Struct, frozen=True, gc=False, omit_defaults=True):
    """One entry of a schedule: `every_s`, `cron` or `at` (once; epoch seconds). `zone` None: the scheduler does not say."""

    entry: str
    task: str
    every_s: float | None = None
    cron: Cron | None = None
    at: float | None = None
    zone: str | None = None
    queue: str | None = None
    """The queue that the entry names; None: as its task is routed."""
    last_run_at: float | None = None
    """When its scheduler says that it was last sent (epoch seconds)."""
    runs_as: str = ""
    """The shadow that it is sent with: its runs have that name alone. Empty: that of its task."""

    @property
    def heard_as(self) -> str:
        """The name by which its runs are received, counted and listed."""
        return self.runs_as or self.task

    def schedule(self, zones: Mapping[str, dt.tzinfo], zone: str | None, grace_s: float | None) -> Schedule:
        """When it is expected to succeed; `zone` holds where the entry says none. LocalZoneError: nobody says it."""
        name = self.zone or zone
        if self.cron is not None and (name is None or name not in zones):
            raise LocalZoneError("nobody says by which time zone its cron runs: set timezone beside from")
        return Schedule(self.heard_as, self.every_s, self.cron, None, grace_s, zones.get(name or "", dt.UTC), self.at)


class PeriodicTasks(Struct, frozen=True, omit_defaults=True):
    """What one scheduler sends. `unread`: entry -> why it is not understood."""

    entries: tuple[PeriodicTask, ...] = ()
    unread: Mapping[str, str] = {}


class WorkerPlan(Struct, frozen=True, gc=False):
    """What one worker's inspection says of periodic tasks. None: it did not say.

    `registered`: the tasks that it knows, without Celery's own. `beat`: its `beat_schedule`, which beat sends if it has the same settings.
    """

    registered: frozenset[str] | None = None
    beat: PeriodicTasks | None = None
    zone: str | None = None
    """The time zone of its app; None if that of its host."""


class RedbeatEntry(Struct, frozen=True, gc=False):
    """One key of redbeat. `task` None with `unread`: why it is not understood. Neither: it is switched off."""

    task: PeriodicTask | None = None
    unread: str = ""
