"""Times as people type and read them: `03:10`, `2h ago`, ISO 8601; in the local time zone.

In: a text, now (epoch seconds). Out: epoch seconds, or a ValueError with what was expected.
"""

import re
from datetime import datetime, timedelta

from watchdog.core.text.durations import parse_duration
from watchdog.status.clock import clock_of, local

__all__ = ["parse_time"]

EXPECTED = 'expected a time such as 03:10 (the last one), "2h" (ago) or 2026-11-28T03:10'
_OF_DAY = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?")


def parse_time(text: str, now: float) -> float:
    """Return the time that was meant, never one in the future."""
    typed = text.strip()
    at = _of_day(typed, now)
    if at is None:
        at = _date(typed)
    if at is None:
        try:
            at = now - parse_duration(typed.removesuffix("ago"))
        except ValueError:
            raise ValueError(f"{EXPECTED}, found {text}") from None
    if at > now:
        raise ValueError(f"expected a time that has passed, found {text}, which is {clock_of(now)(at)}")
    return at


def _of_day(typed: str, now: float) -> float | None:
    """The last time at which the clock on the wall showed this."""
    found = _OF_DAY.fullmatch(typed)
    if found is None:
        return None
    hour, minute, second = (int(part or 0) for part in found.groups())
    if hour > 23 or minute > 59 or second > 59:
        raise ValueError(f"{EXPECTED}, found {typed}")
    wall = local(now).replace(tzinfo=None, hour=hour, minute=minute, second=second, microsecond=0)
    return wall.timestamp() if wall.timestamp() <= now else (wall - timedelta(days=1)).timestamp()


def _date(typed: str) -> float | None:
    try:
        return datetime.fromisoformat(typed).timestamp()
    except (ValueError, OverflowError, OSError):
        return None
