"""Weekdays, times of day and time zones, as configurations write them.

In: texts such as `mon-fri`, `07:30` and `Europe/Berlin`. Out: weekdays, seconds of a day, and zones; or a ValueError that says
what was expected and found.
"""

import datetime as dt
import re
from collections.abc import Iterable

from watchdog.core.text.suggestions import did_you_mean

__all__ = ["DAYS", "DAY_S", "UTC", "checked_zone", "days_of", "second_of", "zone_of"]

UTC = "UTC"
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY_S = 24 * 3600
_EXPECTED_DAYS = 'expected days such as "mon-fri" or ["sat", "sun"]'
_TIME = re.compile(r"(\d{1,2}):(\d{2})", re.ASCII)


def days_of(texts: Iterable[str]) -> frozenset[int]:
    """The weekdays of `mon`, `mon-fri` or, over the weekend, `sat-mon`."""
    found: set[int] = set()
    for text in texts:
        names = [name.strip().lower() for name in text.split("-")]
        unknown = next((name for name in names if name not in DAYS), None)
        if unknown is not None or len(names) > 2:
            raise ValueError(f'{_EXPECTED_DAYS}, found "{text[:40]}"{did_you_mean(unknown or "", DAYS)}')
        first, last = DAYS.index(names[0]), DAYS.index(names[-1])
        found |= {day % 7 for day in range(first, last + 1 if last >= first else last + 8)}
    return frozenset(found)


def second_of(text: str, latest_s: int = DAY_S - 60) -> int:
    """The second of the day; `latest_s`: the last that is allowed."""
    found = _TIME.fullmatch(text)
    second = int(found[1]) * 3600 + int(found[2]) * 60 if found and int(found[2]) < 60 else DAY_S + 1
    if second > latest_s:
        last = f"{latest_s // 3600}:{latest_s % 3600 // 60:02}"
        raise ValueError(f'expected a time of day from "00:00" to "{last}", such as "07:30", found "{text[:40]}"')
    return second


def zone_of(name: str) -> dt.tzinfo:
    """The time zone of that name."""
    if name == UTC:
        return dt.UTC
    from zoneinfo import ZoneInfo, available_timezones  # noqa: PLC0415 - most configurations have none

    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # OSError: the name of a folder, such as "Europe"
        known = sorted(available_timezones())
    if not known:
        raise ValueError(
            f'there are no time zones on this system except "{UTC}"; install them: `pip install tzdata` where watchdog is installed, '
            "or your system's package tzdata"
        )
    city = name.replace(" ", "_").casefold()
    near = next((f'; did you mean "{zone}"?' for zone in known if zone.casefold().rpartition("/")[2] == city), None)
    raise ValueError(
        f'expected a time zone such as "Europe/Berlin" or "{UTC}", found "{name[:40]}"{near or did_you_mean(name, known)}'
    ) from None


def checked_zone(name: str) -> str:
    """The name, if there is such a zone."""
    zone_of(name)
    return name
