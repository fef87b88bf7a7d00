"""What is usual at an hour of the day: the rates of the last week, in at most seven numbers for each hour (UTC).

In: a rate, again and again, with the time that it held. Out: `Hours`, and the median and the least of an hour. The least is low where one
day of the week is a quiet one, so that a weekend is no surprise once one was watched.
"""

from statistics import median

from msgspec import Struct

__all__ = ["Hours", "Usual", "usual_at", "with_rate"]

HOUR_S, DAY_HOURS, DAYS = 3600.0, 24, 7
ENOUGH_S = 1800.0
"""An hour of which less was watched says nothing."""


class Hours(Struct, frozen=True, array_like=True):
    """The hour that is being watched (hours since 1970), what was done in it, for how long it was watched; the rates of earlier ones."""

    hour: int = -1
    done: float = 0.0
    watched_s: float = 0.0
    rates: tuple[tuple[float, ...], ...] = ((),) * DAY_HOURS


class Usual(Struct, frozen=True):
    """An hour of the day: on how many days it was watched, the median of its rates (a minute) and the least of them."""

    days: int = 0
    per_min: float = 0.0
    least_per_min: float = 0.0


def with_rate(hours: Hours, per_min: float, seconds: float, now: float) -> Hours:
    """Return the hours after this rate held for so long until now (epoch seconds)."""
    hour = int(now // HOUR_S)
    if hour == hours.hour:
        return Hours(hour, hours.done + per_min * seconds / 60, hours.watched_s + seconds, hours.rates)
    rates = list(hours.rates)
    if hours.watched_s >= ENOUGH_S:
        of_day = hours.hour % DAY_HOURS
        rates[of_day] = (*rates[of_day][1 - DAYS :], round(hours.done / hours.watched_s * 60, 3))
    return Hours(hour, per_min * seconds / 60, seconds, tuple(rates))


def usual_at(hours: Hours, now: float) -> Usual:
    """Return what is usual at this hour of the day."""
    rates = hours.rates[int(now // HOUR_S) % DAY_HOURS]
    return Usual(len(rates), median(rates), min(rates)) if rates else Usual()
