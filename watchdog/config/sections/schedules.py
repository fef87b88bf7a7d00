"""`[[target.schedule]]`: tasks that are expected to succeed regularly, or the scheduler that knows which they are.

In: the tables as written; `schedule = "beat"` is short for one with `from = "beat"`. Out: schedules and schedulers as the core sees them.
"""

from collections import Counter
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StrictStr, model_validator

from watchdog.core.model.schedules.periodic import Scheduler
from watchdog.core.model.schedules.schedule import DAY_S, Cron, Schedule
from watchdog.core.text.times_of_day import UTC, checked_zone, second_of, zone_of
from watchdog.net.settings_types import Duration, OneName, PositiveDuration
from watchdog.sources.periodic.cron import FIELDS, cron_of

__all__ = ["ScheduleSettings", "Schedules", "named_twice", "to_schedulers", "to_schedules"]

REDBEAT_PREFIX = "redbeat:"
ONLY_OF_TASKS = ("every", "cron", "by")
ONLY_OF_SCHEDULERS = ("exclude", "key_prefix")


def _cron_of(text: str) -> Cron:
    fields = text.split()
    if len(fields) != FIELDS:
        raise ValueError(
            f'expected minute, hour, day of month, month and weekday, such as "30 2 * * *", found {len(fields)} of these {FIELDS} fields'
        )
    minute, hour, day, month, weekday = fields
    return cron_of(minute, hour, day, month, weekday)


def _checked_cron(text: str) -> str:
    _cron_of(text)
    return text


def _checked_hour(text: str) -> str:
    second_of(text)
    return text


def _tables(value: Any) -> Any:
    """A bare name is short for a table with only `from`; a single table or name for a list of one."""
    listed = value if isinstance(value, list | tuple) else [value]
    return [{"from": one} if isinstance(one, str) else one for one in listed]


class ScheduleSettings(BaseModel):
    """One `[[target.schedule]]`: with `task` one task, with `from` all tasks of a scheduler."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, defer_build=True)

    task: OneName | None = None
    from_: Literal["beat", "redbeat", "django"] | None = Field(default=None, alias="from")
    every: PositiveDuration | None = None
    cron: Annotated[StrictStr, AfterValidator(_checked_cron)] | None = None
    by: Annotated[StrictStr, AfterValidator(_checked_hour)] | None = None
    grace: Duration | None = None
    timezone: Annotated[StrictStr, AfterValidator(checked_zone)] = UTC
    exclude: tuple[StrictStr, ...] = ()
    key_prefix: StrictStr = REDBEAT_PREFIX

    @model_validator(mode="after")
    def _says_what(self) -> "ScheduleSettings":
        if (self.task is None) == (self.from_ is None):
            found = "neither" if self.task is None else "both"
            raise ValueError(f'expected task, for one task, or from = "beat", "redbeat" or "django", for all of theirs; found {found}')
        wrong = ONLY_OF_TASKS if self.from_ is not None else ONLY_OF_SCHEDULERS
        given = [name for name in wrong if name in self.model_fields_set]
        if given:
            raise ValueError(f"expected {given[0]} only beside {'task' if self.from_ is not None else 'from'}; leave it out")
        if self.from_ != "redbeat" and "key_prefix" in self.model_fields_set:
            raise ValueError('expected key_prefix only beside from = "redbeat": it is that of its keys in Redis')
        return self

    @model_validator(mode="after")
    def _says_when(self) -> "ScheduleSettings":
        if self.task is None:
            return self
        if self.every is not None and self.cron is not None:
            raise ValueError("expected every or cron, found both")
        if self.every is None and self.cron is None and self.by is None:
            raise ValueError('expected every, cron or by, found none; add for example every = "24h"')
        if self.by is not None and self.every is not None and self.every < DAY_S:
            raise ValueError("expected by only for what runs once a day or less often, found a shorter every; leave one of them out")
        return self


Schedules = Annotated[tuple[ScheduleSettings, ...], BeforeValidator(_tables)]


def named_twice(settings: tuple[ScheduleSettings, ...]) -> str | None:
    """The first task or scheduler that has more than one table; None if each has one."""
    counts = Counter(one.task or one.from_ for one in settings)
    return next((name for name, count in counts.items() if name and count > 1), None)


def to_schedules(settings: tuple[ScheduleSettings, ...]) -> tuple[Schedule, ...]:
    """The schedules of single tasks of a target."""
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
        if one.task is not None
    )


def to_schedulers(settings: tuple[ScheduleSettings, ...]) -> tuple[Scheduler, ...]:
    """The schedulers of a target."""
    return tuple(
        Scheduler(one.from_, one.exclude, one.grace, one.timezone if "timezone" in one.model_fields_set else None, one.key_prefix)
        for one in settings
        if one.from_ is not None
    )
