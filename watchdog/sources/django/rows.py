"""The statement that reads django-celery-beat's tables (2.9), and its rows as periodic tasks.

In: the rows of the one SELECT. Out: `PeriodicTasks`. Only entries that are enabled and within their times are read; one that runs a single
time is expected once, at its clock.
"""

import datetime as dt
from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from watchdog.core.model.schedules.periodic import PeriodicTask, PeriodicTasks
from watchdog.core.text.names import LONGEST_NAME
from watchdog.sources.periodic.cron import cron_of
from watchdog.sources.periodic.reprs import zone_shown

__all__ = ["MOST_ENTRIES", "STATEMENT", "periodic_tasks"]

MOST_ENTRIES = 5000
STATEMENT = f"""
SELECT task.name, task.task, task.queue, task.one_off, task.last_run_at, span.every, span.period,
       cron.minute, cron.hour, cron.day_of_month, cron.month_of_year, cron.day_of_week, cron.timezone, clock.clocked_time
FROM django_celery_beat_periodictask AS task
LEFT JOIN django_celery_beat_intervalschedule AS span ON span.id = task.interval_id
LEFT JOIN django_celery_beat_crontabschedule AS cron ON cron.id = task.crontab_id
LEFT JOIN django_celery_beat_clockedschedule AS clock ON clock.id = task.clocked_id
WHERE task.enabled AND (task.expires IS NULL OR task.expires > CURRENT_TIMESTAMP)
  AND (task.start_time IS NULL OR task.start_time <= CURRENT_TIMESTAMP)
ORDER BY task.id LIMIT {MOST_ENTRIES}
"""  # noqa: S608 - a number of our own
_UNITS = {"days": 86400.0, "hours": 3600.0, "minutes": 60.0, "seconds": 1.0, "microseconds": 1e-6}


def periodic_tasks(rows: Iterable[Sequence[object]]) -> PeriodicTasks:
    """The entries; those that are not understood with the reason."""
    entries: list[PeriodicTask] = []
    unread: dict[str, str] = {}
    for name, task, queue, one_off, last_run_at, every, period, *rest in rows:
        if not isinstance(name, str) or not isinstance(task, str) or not 0 < len(task) <= LONGEST_NAME or len(name) > LONGEST_NAME:
            continue
        *cron, zone, clocked = rest
        if one_off and clocked is None:
            continue  # it runs a single time, at one that depends on its beat
        try:
            when = _when(name, task, (every, period), cron, clocked)
        except ValueError as error:
            unread[name] = str(error)
            continue
        in_zone = zone_shown(str(zone)) if when.cron is not None else None
        entries.append(replace(when, zone=in_zone, queue=_text(queue), last_run_at=_epoch(last_run_at)))
    return PeriodicTasks(tuple(entries), unread)


def _when(name: str, task: str, interval: tuple[object, object], cron: Sequence[object], clocked: object) -> PeriodicTask:
    """An entry that holds nothing but its times."""
    every, period = interval
    if isinstance(every, int) and isinstance(period, str) and every > 0 and period in _UNITS:
        return PeriodicTask(name, task, every * _UNITS[period])
    if all(isinstance(field, str) for field in cron):
        return PeriodicTask(name, task, cron=cron_of(*(str(field) for field in cron)))
    if (at := _epoch(clocked)) is not None:
        return PeriodicTask(name, task, at=at)
    raise ValueError("it has neither an interval, a crontab nor a clock; it may run by the sun, whose times watchdog does not know")


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and 0 < len(value) <= LONGEST_NAME else None


def _epoch(value: object) -> float | None:
    """Epoch seconds; SQLite holds a text in UTC, as Django writes it."""
    try:
        at = dt.datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        return None
    if not isinstance(at, dt.datetime):
        return None
    return (at if at.tzinfo else at.replace(tzinfo=dt.UTC)).timestamp()
