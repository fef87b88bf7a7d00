"""Mute windows: at these hours, by the clock on the wall, a receiver is not notified of what fires.

A window is not a state. What fires in it and still fires when it ends is notified of then; an end is never muted. The wall clock decides,
at every second: an hour that exists twice is muted both times, and one that does not exist mutes nothing.

Input: an instant (epoch seconds); the time zone comes as a value. Output: whether it is muted, and until when.
"""

from collections.abc import Iterable
from datetime import datetime, tzinfo
from math import floor, inf

from msgspec import Struct

from watchdog.core.text.times_of_day import DAY_S, DAYS

__all__ = ["Span", "Window", "window_of"]

LONGEST_S = 15 * DAY_S
"""What has not ended after that time never ends: the clocks may skip the one free hour of a week, but not that of the next week, too."""


class Span(Struct, frozen=True):
    """The same hours of some weekdays.

    `starts_s`, `ends_s`: time of day, in seconds on the wall clock. A span that does not end after it starts ends on the next day, so that
    equal times are a whole day.
    """

    days: frozenset[int]
    """The weekdays on which it starts, 0 for Monday."""
    starts_s: int
    ends_s: int
    zone: tzinfo

    def covers(self, now: float) -> bool:
        """Whether the wall clock shows a time in it."""
        wall = datetime.fromtimestamp(now, self.zone)
        today, second = wall.weekday(), _second_of(wall)
        if self.starts_s < self.ends_s:
            return today in self.days and self.starts_s <= second < self.ends_s
        return (today in self.days and second >= self.starts_s) or ((today - 1) % 7 in self.days and second < self.ends_s)

    def next_change(self, at: int) -> int:
        """Return the first second after `at` at which it may begin or end: its times, midnight, or a change of the clocks."""
        wall = datetime.fromtimestamp(at, self.zone)
        second = _second_of(wall)
        change = at + min(one for one in (self.starts_s, self.ends_s, DAY_S) if one > second) - second
        offset, before = wall.utcoffset(), at
        if datetime.fromtimestamp(change, self.zone).utcoffset() == offset:
            return change
        while change - before > 1:  # the clocks change in between, once a day at most
            middle = (before + change) // 2
            if datetime.fromtimestamp(middle, self.zone).utcoffset() == offset:
                before = middle
            else:
                change = middle
        return change


class Window(Struct, frozen=True):
    """Spans under one name. `all_receivers`: it mutes every receiver; otherwise only those that name it."""

    name: str
    spans: tuple[Span, ...]
    all_receivers: bool = False

    def covers(self, now: float) -> bool:
        """Whether it mutes now."""
        return any(span.covers(now) for span in self.spans)

    def ends_at(self, now: float) -> float | None:
        """Return when the muting that holds now ends; None if it does not mute now, or never ends."""
        at = floor(now)
        if not self.covers(at):
            return None
        while at <= now + LONGEST_S:
            at = min(span.next_change(at) for span in self.spans)
            if not self.covers(at):
                return float(at)
        return None

    def until(self, now: float) -> str:
        """Return when the muting that holds now ends, for people: `until 07:00 CET`, with the day if it is not within one."""
        ends_at = self.ends_at(now)
        zone = next((span.zone for span in self.spans if span.covers(now)), None)
        if ends_at is None or zone is None:
            return "for good"
        wall = datetime.fromtimestamp(ends_at, zone)
        day = "" if ends_at - now < DAY_S else f"{DAYS[wall.weekday()].title()} " if ends_at - now < 6 * DAY_S else f"{wall:%Y-%m-%d} "
        return f"until {day}{wall:%H:%M %Z}"


def window_of(now: float, windows: Iterable[Window]) -> Window | None:
    """Return the window that mutes now; of several, the one that lasts longest."""
    covering = [window for window in windows if window.covers(now)]
    if len(covering) <= 1:
        return covering[0] if covering else None
    return max(covering, key=lambda window: window.ends_at(now) or inf)


def _second_of(wall: datetime) -> int:
    return wall.hour * 3600 + wall.minute * 60 + wall.second
