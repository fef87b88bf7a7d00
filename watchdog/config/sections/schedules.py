"""`[[target.schedule]]`: tasks that are expected to succeed regularly.

In: the tables as written. Out: schedules as the core sees them. Cron is read by Celery's own parser, imported only where one is given.
"""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictStr, model_validator

from watchdog.core.model.schedule import DAY_S, Cron, Schedule
from watchdog.core.text.times_of_day import UTC, checked_zone, second_of, zone_of
from watchdog.net.settings_types import Duration, PositiveDuration

__all__ = ["ScheduleSettings", "to_schedules"]

FIELDS = 5


def _cron_of(text: str) -> Cron:
    from celery.schedules import ParseException, crontab  # noqa: PLC0415 - takes 0.1 s, and most configurations have no cron

    fields = text.split()
    if len(fields) != FIELDS:
        raise ValueError(
            f'expected minute, hour, day of month, month and weekday, such as "30 2 * * *", found {len(fields)} of these {FIELDS} fields'
        )
    minute, hour, day, month, weekday = fields
    try:
        read = crontab(minute=minute, hour=hour, day_of_month=day, month_of_year=month, day_of_week=weekday)
    except (ParseException, ValueError) as error:
        raise ValueError(f"expected a cron as Celery's crontab reads it: {str(error)[:200]}") from None
    found = Cron(*(frozenset(values) for values in (read.minute, read.hour, read.day_of_month, read.month_of_year, read.day_of_week)))
    Schedule("", cron=found).next_run_at(0.0)  # raises where it never runs
    return found


def _checked_cron(text: str) -> str:
    _cron_of(text)
    return text


def _checked_hour(text: str) -> str:
    second_of(text)
    return text


class ScheduleSettings(BaseModel):
    """One `[[target.schedule]]`."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, defer_build=True)

    task: Annotated[StrictStr, Field(min_length=1)]
    every: PositiveDuration | None = None
    cron: Annotated[StrictStr, AfterValidator(_checked_cron)] | None = None
    by: Annotated[StrictStr, AfterValidator(_checked_hour)] | None = None
    grace: Duration | None = None
    timezone: Annotated[StrictStr, AfterValidator(checked_zone)] = UTC

    @model_validator(mode="after")
    def _says_when(self) -> "ScheduleSettings":
        if self.every is not None and self.cron is not None:
            raise ValueError("expected every or cron, found both")
        if self.every is None and self.cron is None and self.by is None:
            raise ValueError('expected every, cron or by, found none; add for example every = "24h"')
        if self.by is not None and self.every is not None and self.every < DAY_S:
            raise ValueError("expected by only for what runs once a day or less often, found a shorter every; leave one of them out")
        return self


def to_schedules(settings: tuple[ScheduleSettings, ...]) -> tuple[Schedule, ...]:
    """The schedules of a target."""
    return tuple(
        Schedule(
            one.task,
            one.every,
            None if one.cron is None else _cron_of(one.cron),
            None if one.by is None else second_of(one.by),
            one.grace,
            zone_of(one.timezone),
        )
        for one in settings
    )
