"""The panel with tasks an hour over 24 hours: busy and quiet hours, and when something was deployed."""

from watchdog.core.history.trends import HOUR_S, Hour
from watchdog.status.numbers import short
from watchdog.status.panel import HourChart, HourColumn, Ink, Line, Panel
from watchdog.status.panels.cells import NO_HISTORY
from watchdog.status.shown import TargetShown

__all__ = ["trend"]

TITLE, NOTE = "trend", "tasks an hour, 24 h"
DEPLOYS_NAMED = 3
MOSTLY = 0.8
"""The share of an hour that must have been watched for it to be called busy or quiet."""


def trend(shown: TargetShown, *, most: int = 24, skip: int = 0) -> Panel:
    """Tasks an hour over 24 hours, and when it was busy and quiet."""
    hours = shown.day.hours
    if not any(hour.watched_s for hour in hours):
        return Panel(TITLE, TITLE, (NO_HISTORY,), NOTE)
    began = [deploy for deploy in shown.deploys if hours[0].begin <= deploy.starts_at < hours[-1].begin + HOUR_S]
    named = tuple(f"{deploy.version} at {shown.clock(deploy.starts_at)}" for deploy in began[-DEPLOYS_NAMED:])
    return Panel(TITLE, TITLE, (HourChart(tuple(_column(hour, shown) for hour in hours), named), *_busy_and_quiet(shown)), NOTE)


def _column(hour: Hour, shown: TargetShown) -> HourColumn:
    deploys = tuple(deploy.version for deploy in shown.deploys if hour.begin <= deploy.starts_at < hour.begin + HOUR_S)
    return HourColumn(shown.clock(hour.begin), hour.succeeded, hour.failed, hour.watched_s, deploys)


def _busy_and_quiet(shown: TargetShown) -> tuple[Line, ...]:
    whole = [(hour.finished, hour) for hour in shown.day.hours if hour.finished is not None and hour.watched_s >= MOSTLY * HOUR_S]
    lines: list[Line] = []
    if len(whole) > 1:
        (most, busy), (least, quiet) = max(whole, key=lambda pair: pair[0]), min(whole, key=lambda pair: pair[0])
        at_most, at_least = (Ink(shown.clock(hour.begin), "strong") for hour in (busy, quiet))
        lines.append(Line.of("busiest ", at_most, f" with {short(most)}  ·  quietest ", at_least, f" with {short(least)}"))
    return tuple(lines)
