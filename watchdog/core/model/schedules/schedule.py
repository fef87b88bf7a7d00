"""When a task is expected to succeed: at intervals, by cron as Celery reads it, or by an hour of the day.

In: what the configuration says, and when the task last succeeded. Out: when its next success is late. Cron holds where day of month AND day
of week fit, as in Celery; an hour that comes twice runs once, at its first time; one that does not exist runs an hour later (all seen with
Celery 5.7).
"""

import datetime as dt
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice
from math import inf

from msgspec import Struct

__all__ = ["DAY_S", "Cron", "Schedule", "default_grace_s", "instant_of", "time_of"]

DAY_S = 86400.0
HALF_A_DAY_S = DAY_S / 2
MOST_DAYS = 366 * 8 + 2
"""The longest that a date may be away: the next 29 February, across a year without one."""
SHORT_SPAN_S = 3 * 3600.0
SHORTEST_GRACE_S, LONGEST_GRACE_S, GRACE_SHARE = 60.0, 3600.0, 0.1


class Cron(Struct, frozen=True):
    """The minutes, hours, days of a month, months and weekdays (0: Sunday) at which it runs."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]

    def fits(self, day: dt.date) -> bool:
        """Whether it runs on that day."""
        return day.month in self.months and day.day in self.days and day.isoweekday() % 7 in self.weekdays


class Schedule(Struct, frozen=True):
    """One task that is expected to succeed. Either `every_s`, `cron` or `at`, or none of them with `by_s`: once a day.

    `by_s`: the second of a day by which it must have succeeded. `grace_s` None: see `default_grace_s`.
    """

    task: str
    every_s: float | None = None
    cron: Cron | None = None
    by_s: int | None = None
    grace_s: float | None = None
    zone: dt.tzinfo = dt.UTC
    at: float | None = None
    """Once, at that time (epoch seconds), instead of `every_s` and `cron`."""

    def due_at(self, since: float) -> float:
        """Return when the success after `since` is late (epoch seconds)."""
        return _due_at(self, since)

    def next_run_at(self, since: float) -> float:
        """Return when it is to run next (epoch seconds); infinity for what has run. ValueError: never."""
        if self.at is not None:
            return self.at if self.at > since else inf
        if self.cron is None:
            return since + (DAY_S if self.every_s is None else self.every_s)
        return next(_runs_after(self.cron, self.zone, since))

    def period_s(self, since: float) -> float:
        """Return the time between the next two runs (seconds); a day for what runs once."""
        return DAY_S if self.at is not None else _period_s(self, since)

    def runs_between(self, since: float, until: float, most: int) -> list[float]:
        """Return when it is to run after `since`, up to `until`; at most so many times."""
        if self.cron is not None:
            between = _minutes_between if until - since <= SHORT_SPAN_S else _runs_after
            return list(islice(between(self.cron, self.zone, since, until), most))
        found: list[float] = []
        while len(found) < most and (at := self.next_run_at(found[-1] if found else since)) <= until:
            found.append(at)
        return found

    def grace_at(self, since: float) -> float:
        """Return how late the success after `since` may be (seconds)."""
        if self.grace_s is not None:
            return self.grace_s
        return 0.0 if self.by_s is not None else default_grace_s(self.period_s(since))


def instant_of(day: dt.date, time: dt.time, zone: dt.tzinfo) -> float:
    """Return a time by the clock on the wall in epoch seconds.

    With `fold` 0, the first of two equal hours is meant; one that does not exist is taken by the offset before it: an hour later.
    """
    return dt.datetime.combine(day, time, zone).timestamp()


def time_of(second_of_day: int) -> dt.time:
    """Return what the clock on the wall shows at that second of a day."""
    return dt.time(second_of_day // 3600, second_of_day // 60 % 60, second_of_day % 60)


def default_grace_s(period_s: float) -> float:
    """Return how late a run may end if nothing is configured: a tenth of its period, at least a minute, at most an hour."""
    return min(max(period_s * GRACE_SHARE, SHORTEST_GRACE_S), LONGEST_GRACE_S)


@lru_cache(maxsize=4096)
def _due_at(schedule: Schedule, since: float) -> float:
    """A deadline is that of the day on which the run after `since` is expected: half a day before an interval ends at the earliest."""
    run_at = schedule.next_run_at(since)
    if run_at == inf:
        return inf
    if schedule.by_s is not None:
        run_at = _next_hour(schedule.by_s, schedule.zone, run_at - (HALF_A_DAY_S if schedule.cron is None else 0.0))
    return run_at + schedule.grace_at(since)


@lru_cache(maxsize=4096)
def _period_s(schedule: Schedule, since: float) -> float:
    first = schedule.next_run_at(since)
    return schedule.next_run_at(first) - first


def _runs_after(cron: Cron, zone: dt.tzinfo, since: float, until: float = inf) -> Iterator[float]:
    first = dt.datetime.fromtimestamp(since, zone).date()
    last = MOST_DAYS if until == inf else min((dt.datetime.fromtimestamp(until, zone).date() - first).days + 1, MOST_DAYS)
    for days in range(last):
        day = first + dt.timedelta(days)
        if cron.fits(day):
            times = (dt.time(hour, minute) for hour in sorted(cron.hours) for minute in sorted(cron.minutes))
            yield from sorted({at for time in times if since < (at := instant_of(day, time, zone)) <= until})
    if until == inf:
        raise ValueError("this cron never runs: no month has such a day, or it never falls on such a weekday")


def _minutes_between(cron: Cron, zone: dt.tzinfo, since: float, until: float) -> Iterator[float]:
    """The same for a short span, minute by minute: a hundred times cheaper for what runs each minute."""
    for minute in range(int(since // 60) + 1, int(until // 60) + 1):
        at = dt.datetime.fromtimestamp(minute * 60, zone)
        if at.minute in cron.minutes and at.hour in cron.hours and not at.fold and cron.fits(at.date()):
            yield minute * 60.0


def _next_hour(second_of_day: int, zone: dt.tzinfo, since: float) -> float:
    time = time_of(second_of_day)
    day = dt.datetime.fromtimestamp(since, zone).date()
    return next(at for days in range(3) if (at := instant_of(day + dt.timedelta(days), time, zone)) > since)
