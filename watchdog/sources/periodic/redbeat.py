"""One entry of redbeat, as its hash in Redis holds it. In: the raw reply to HGETALL. Out: a `RedbeatEntry`; None: another type of reply.

`definition` and `meta` are JSON; objects have a `__type__` (redbeat 2.4: interval, crontab, rrule, datetime).
"""

import datetime as dt
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from watchdog.core.decoding import ready
from watchdog.core.model.schedules.periodic import PeriodicTask, RedbeatEntry
from watchdog.core.model.schedules.schedule import Cron
from watchdog.core.text.names import LONGEST_NAME
from watchdog.core.text.times_of_day import zone_of
from watchdog.sources.periodic.cron import cron_of
from watchdog.sources.periodic.options import queue_named, shadow_named
from watchdog.sources.periodic.reprs import schedule_shown

__all__ = ["redbeat_entry"]

MOST_BYTES = 100_000
_CRON = ("minute", "hour", "day_of_month", "month_of_year", "day_of_week")
_DATE = ("year", "month", "day", "hour", "minute", "second", "microsecond")


class _Definition(Struct):
    name: str
    task: str
    schedule: Any = None
    options: Any = None
    enabled: bool = True


class _Meta(Struct):
    last_run_at: Any = None


def redbeat_entry(raw: object) -> RedbeatEntry | None:
    """The entry; one without a task if it is switched off, has been deleted meanwhile, or is not understood."""
    if not isinstance(raw, list) or len(raw) % 2 or not all(isinstance(part, bytes) for part in raw):
        return None
    parts = dict(zip(raw[::2], raw[1::2], strict=True))
    if b"definition" not in parts:
        return RedbeatEntry()
    definition = _json(parts[b"definition"], _Definition)
    if definition is None or not 0 < len(definition.task) <= LONGEST_NAME or len(definition.name) > LONGEST_NAME:
        return RedbeatEntry(unread="redis: expected an entry of redbeat with a name and a task, found something else")
    if not definition.enabled:
        return RedbeatEntry()
    try:
        when, shadow = _when(definition.schedule), shadow_named(definition.options)
    except ValueError as error:
        return RedbeatEntry(unread=str(error))
    meta = _json(parts.get(b"meta", b"{}"), _Meta) or _Meta()
    return RedbeatEntry(
        PeriodicTask(
            definition.name,
            definition.task,
            every_s=when if isinstance(when, float) else None,
            cron=when if isinstance(when, Cron) else None,
            queue=queue_named(definition.options),
            last_run_at=_time(meta.last_run_at),
            runs_as=shadow,
        )
    )


def _json(raw: bytes, kind: type[Any]) -> Any:
    try:
        return msgspec.json.decode(raw, type=ready(kind)) if len(raw) <= MOST_BYTES else None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _when(shown: object) -> float | Cron:
    kind = shown.get("__type__") if isinstance(shown, dict) else None
    if kind == "interval" and isinstance(shown, dict):
        return schedule_shown(shown.get("every"))
    if kind == "crontab" and isinstance(shown, dict):
        return cron_of(*(_field(shown, name) for name in _CRON))
    if kind == "rrule":
        raise ValueError("it runs by an rrule, which watchdog does not read")
    raise ValueError("expected an interval or a crontab of redbeat, found another schedule")


def _field(shown: Mapping[str, object], name: str) -> str:
    value = shown.get(name, "*")
    values = value if isinstance(value, list) else [value]
    if not all(isinstance(one, int | str) for one in values):
        raise ValueError("expected the five fields of a crontab, found others")
    return ",".join(map(str, values))


def _time(shown: object) -> float | None:
    """Epoch seconds of a datetime; None if it is none. Its `timezone` is a name, or the seconds east of UTC."""
    if not isinstance(shown, dict):
        return None
    zone = shown.get("timezone", "UTC")
    try:
        tzinfo = zone_of(zone) if isinstance(zone, str) else dt.timezone(dt.timedelta(seconds=float(zone)))
        return dt.datetime(*(int(shown[name]) for name in _DATE), tzinfo=tzinfo).timestamp()  # type: ignore[arg-type,misc]
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
