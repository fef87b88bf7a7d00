"""Cron as Celery reads it. In: five fields. Out: a `Cron`, or a ValueError that says what was expected.

Celery's own parser reads the fields; it is imported only where there is a cron, because that takes 0.1 s.
"""

from functools import lru_cache

from watchdog.core.model.schedules.schedule import Cron, Schedule

__all__ = ["FIELDS", "cron_of"]

FIELDS = 5


@lru_cache(maxsize=4096)
def cron_of(minute: str, hour: str, day_of_month: str, month: str, day_of_week: str) -> Cron:
    """The times at which it runs."""
    from celery.schedules import ParseException, crontab  # noqa: PLC0415 - see above

    try:
        read = crontab(minute=minute, hour=hour, day_of_month=day_of_month, month_of_year=month, day_of_week=day_of_week)
    except (ParseException, ValueError) as error:
        raise ValueError(f"expected a cron as Celery's crontab reads it: {str(error)[:200]}") from None
    found = Cron(*(frozenset(values) for values in (read.minute, read.hour, read.day_of_month, read.month_of_year, read.day_of_week)))
    Schedule("", cron=found).next_run_at(0.0)  # raises where it never runs
    return found
