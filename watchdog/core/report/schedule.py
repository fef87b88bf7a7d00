"""When digests are due: at a time of day by the clock on the wall, on some weekdays.

Each local day has exactly one such moment: a time that exists twice counts the first time, and one that does not exist is moved by as much
as the clocks are. The time zone comes as a value. Input: an instant (epoch seconds). Output: instants, and what is to be done.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta, tzinfo

from msgspec import Struct

from watchdog.core.model.schedules.schedule import instant_of, time_of

__all__ = ["LATEST_S", "DigestTimes", "Digested", "Due", "due_now"]

LATEST_S = 6 * 3600.0
"""How late a digest is still worth sending."""
_MOST_DAYS = 9
"""Within so many days, a weekday comes again, also where a zone skips one."""


class DigestTimes(Struct, frozen=True):
    """A time of day on some weekdays (0 for Monday). `text`: as it is configured, with its zone; another text is another schedule."""

    days: frozenset[int]
    second: int
    zone: tzinfo
    text: str

    def last(self, now: float) -> float:
        """Return when it was due last, now included."""
        return next(at for at in self._moments(now, back=True) if at <= now)

    def before(self, due_at: float) -> float:
        """Return when it was due before that: a digest covers the time from then on."""
        return next(at for at in self._moments(due_at, back=True) if at < due_at)

    def next(self, now: float) -> float:
        """Return when it is due next, after now."""
        return next(at for at in self._moments(now, back=False) if at > now)

    def _moments(self, about: float, *, back: bool) -> Iterator[float]:
        """Yield the moments of the days around, from the day after on backwards, or from the day before on forwards."""
        step = -1 if back else 1
        day = datetime.fromtimestamp(about, self.zone).date() - timedelta(days=step)
        for _ in range(_MOST_DAYS + 2):
            if day.weekday() in self.days:
                yield instant_of(day, time_of(self.second), self.zone)
            day += timedelta(days=step)


class Digested(Struct, frozen=True):
    """What a receiver's last digest was: by which schedule, and when it was due."""

    schedule: str
    due_at: float


class Due(Struct, frozen=True):
    """What is to be done now: remember that the moment `due_at` has passed; with `since`, send a digest of the time from then on.

    `late_s`: it is not sent, because it would be so late.
    """

    due_at: float
    since: float | None = None
    late_s: float = 0.0


def due_now(schedule: DigestTimes, before: Digested | None, now: float) -> Due | None:
    """Return what is to be done about a receiver's digest; None: nothing.

    A receiver of which nothing is remembered, or another schedule, begins with its next moment. So it does if the clock was set
    back by more than a day: what is remembered would hold everything back.
    """
    due_at = schedule.last(now)
    if before is None or before.schedule != schedule.text or before.due_at > now + 86400.0:
        return Due(due_at)
    if due_at <= before.due_at:
        return None
    if now - due_at > LATEST_S:
        return Due(due_at, late_s=now - due_at)
    return Due(due_at, since=schedule.before(due_at))
