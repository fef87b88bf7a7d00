"""Schedules as a worker's `conf` shows them: the texts that Celery 5.7 sends, and what is refused."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from celery.schedules import crontab, schedule
from celery.utils.serialization import jsonify
from kombu.utils.encoding import safe_repr

from watchdog.core.model.schedules.schedule import Cron
from watchdog.sources.periodic.cron import cron_of
from watchdog.sources.periodic.reprs import schedule_shown, zone_shown


def as_shown(value: object) -> object:
    """What a worker's `conf` makes of it (celery/worker/control.py `conf`)."""
    return jsonify(value, unknown_type_filter=safe_repr)


INTERVALS = {
    "a number": (30, 30.0),
    "a fraction": (0.5, 0.5),
    "hours": (timedelta(hours=1, seconds=3), 3603.0),
    "days": (timedelta(days=2, microseconds=500_000), 172_800.5),
    "one day": (timedelta(days=1), 86_400.0),
    "an object": (schedule(timedelta(minutes=5), relative=True), 300.0),
    "an object of days": (schedule(timedelta(days=2)), 172_800.0),
}


@pytest.mark.parametrize("case", INTERVALS)
def test_an_interval_is_read_as_it_was_written(case: str) -> None:
    written, seconds = INTERVALS[case]
    assert schedule_shown(as_shown(written)) == seconds


CRONS = {
    "steps and names": crontab(minute="*/15", hour="7-9,18", day_of_week="mon-fri"),
    "numbers": crontab(0, 0, day_of_month="1", month_of_year="*/3"),
    "sets and lists": crontab(minute={1, 2}, hour=[3, 4]),
    "tuples": crontab(minute=(1, 2)),
    "ranges": crontab(minute=0, hour=range(4)),
    "spaces": crontab(minute="1, 2"),
    "everything": crontab(),
}


@pytest.mark.parametrize("case", CRONS)
def test_a_crontab_is_read_as_it_was_written(case: str) -> None:
    written = CRONS[case]
    fields = (written.minute, written.hour, written.day_of_month, written.month_of_year, written.day_of_week)
    assert schedule_shown(as_shown(written)) == Cron(*(frozenset(values) for values in fields))


REFUSED = {
    "the sun": ("<solar: sunset at latitude -37.8, longitude: 144.9>", "by the sun"),
    "another text": ("<my.Schedule object at 0x7f>", "found another text"),
    "nothing": (None, "expected a number"),
    "a flag": (True, "expected a number"),
    "no time": (0, "more than 0"),
    "a negative time": (-5.0, "more than 0"),
    "no end": (float("inf"), "more than 0"),
    "four fields": ("<crontab: * * * * (m/h/dM/MY/d)>", "five fields"),
    "six fields": ("<crontab: * * * * * * (m/h/dM/MY/d)>", "five fields"),
    "a minute too high": ("<crontab: 61 * * * * (m/h/dM/MY/d)>", "as Celery's crontab reads it"),
    "a megabyte": ("<crontab: " + "*" * 1_000_000, "expected a number"),
    "commas": ("<crontab: " + "1," * 400 + " (m/h/dM/MY/d)>", "five fields"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_anything_else_is_refused_with_what_was_expected(case: str) -> None:
    shown, said = REFUSED[case]
    with pytest.raises(ValueError, match=said):
        schedule_shown(shown)


def test_a_time_zone_is_a_name_or_the_text_of_an_object() -> None:
    shown = [as_shown(ZoneInfo("Europe/Paris")), "Asia/Tokyo", "<DstTzInfo 'Europe/Berlin' LMT+0:53:00 STD>", "datetime.timezone.utc"]
    assert [zone_shown(one) for one in shown] == ["Europe/Paris", "Asia/Tokyo", "Europe/Berlin", "UTC"]


def test_another_text_is_no_time_zone() -> None:
    assert [zone_shown(one) for one in ("<tzlocal()>", 3, "a b", "x" * 2000)] == [None] * 4


def test_a_cron_that_never_runs_is_refused() -> None:
    with pytest.raises(ValueError, match="never occurs"):
        cron_of("0", "0", "31", "2", "*")
