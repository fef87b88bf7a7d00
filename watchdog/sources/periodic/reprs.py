"""Schedules as a worker's `conf` shows them. In: the JSON value of an entry's `schedule`. Out: seconds or a `Cron`; ValueError: neither.

Celery sends a schedule object as the text that it prints for people (seen with 5.7): `<crontab: */15 7-9 * * mon-fri (m/h/dM/MY/d)>`,
`<freq: 5.00 minutes>`, a timedelta as `1 day, 0:00:03`. Numbers stay numbers. Everything else is refused.
"""

import math
import re

from watchdog.core.model.schedules.schedule import Cron
from watchdog.sources.periodic.cron import cron_of

__all__ = ["schedule_shown", "zone_shown"]

_UNITS = {"second": 1.0, "minute": 60.0, "hour": 3600.0, "day": 86400.0}
_FREQUENCY = re.compile(r"<freq: (\d+\.\d\d) (second|minute|hour|day)s?>", re.ASCII)
"""Rounded to two decimals of its unit: half a percent at most."""
_TIMEDELTA = re.compile(r"(?:(\d+) days?, )?(\d+):(\d\d):(\d\d(?:\.\d+)?)", re.ASCII)
_CRONTAB = re.compile(r"<crontab: (.+) \(m/h/dM/MY/d\)>", re.ASCII)
_FIELD = re.compile(r"(range\(\d+, \d+\)|[{\[(][\d, ]+[}\])]|[\w*/-]+(?:, ?[\w*/-]+)*)(?: |$)", re.ASCII)
_RANGE = re.compile(r"range\((\d+), (\d+)\)", re.ASCII)
_ZONES = (re.compile(r"zoneinfo\.ZoneInfo\(key='([\w/+-]+)'\)"), re.compile(r"<DstTzInfo '([\w/+-]+)' [^<>]*>"))
_UTC = frozenset({"datetime.timezone.utc", "<UTC>"})
LONGEST = 1000
MOST_MINUTES = 60


def schedule_shown(shown: object) -> float | Cron:
    """The seconds between two runs, or the cron. ValueError: what was found instead."""
    if isinstance(shown, int | float) and not isinstance(shown, bool):
        return _seconds(float(shown))
    if not isinstance(shown, str) or len(shown) > LONGEST:
        raise ValueError("expected a number, or the text of a crontab or an interval")
    if found := _TIMEDELTA.fullmatch(shown):
        days, hours, minutes, seconds = found.groups()
        return _seconds(int(days or 0) * 86400 + int(hours) * 3600 + int(minutes) * 60 + float(seconds))
    if found := _FREQUENCY.fullmatch(shown):
        return _seconds(float(found[1]) * _UNITS[found[2]])
    if found := _CRONTAB.fullmatch(shown):
        return _cron(found[1])
    if shown.startswith("<solar: "):
        raise ValueError("it runs by the sun, whose times watchdog does not know")
    raise ValueError("expected a number, or the text of a crontab or an interval, found another text")


def zone_shown(shown: object) -> str | None:
    """The name of a time zone: a text, or the text of an object of zoneinfo or pytz; None: anything else."""
    if not isinstance(shown, str) or len(shown) > LONGEST:
        return None
    if shown in _UTC:
        return "UTC"
    found = next((match for pattern in _ZONES if (match := pattern.fullmatch(shown))), None)
    if found is not None:
        return found[1]
    return shown if re.fullmatch(r"[\w/+-]+", shown, re.ASCII) else None


def _seconds(seconds: float) -> float:
    if not (math.isfinite(seconds) and seconds > 0):
        raise ValueError("expected an interval of more than 0 seconds")
    return seconds


def _cron(text: str) -> Cron:
    fields, at = [], 0
    while at < len(text):
        found = _FIELD.match(text, at)
        if found is None:
            break
        fields.append(_field(found[1]))
        at = found.end()
    if at < len(text) or len(fields) != 5:
        raise ValueError("expected the five fields of a crontab, found others")
    return cron_of(*fields)


def _field(text: str) -> str:
    if found := _RANGE.fullmatch(text):
        first, end = int(found[1]), int(found[2])
        return ",".join(map(str, range(first, min(end, first + MOST_MINUTES))))
    return text.strip("{}[]()").replace(" ", "").strip(",")
