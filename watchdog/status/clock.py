"""Times as people read them here: in the local time zone, with the date where it is not today's."""

from collections.abc import Callable
from datetime import datetime

__all__ = ["clock_of", "local"]


def clock_of(now: float) -> Callable[[float], str]:
    """Return a function that writes `03:10:42 CET`, with the date unless that is today's."""
    today = local(now).date()

    def clock(at: float) -> str:
        wall = local(at)
        return f"{wall:%H:%M:%S %Z}" if wall.date() == today else f"{wall:%Y-%m-%d %H:%M:%S %Z}"

    return clock


def local(at: float) -> datetime:
    """The time on the wall here."""
    return datetime.fromtimestamp(at).astimezone()
