"""When a task's next success is late. The hours around the changes of the clock are those at which Celery 5.7 ran."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchdog.config.sections.schedules import ScheduleSettings, to_schedules
from watchdog.core.model.schedules.schedule import Schedule

BERLIN = "Europe/Berlin"
HOUR_S, DAY_S = 3600.0, 86400.0


def schedule(**given: object) -> Schedule:
    return to_schedules((ScheduleSettings.model_validate({"task": "t", **given}),))[0]


def at(text: str, zone: str = "UTC") -> float:
    return dt.datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


def shown(epoch: float, zone: str = "UTC") -> str:
    return dt.datetime.fromtimestamp(epoch, ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M")


@pytest.mark.parametrize(
    ("every", "late_after_s"),
    [("24h", 25 * HOUR_S), ("1h", 66 * 60), ("5m", 6 * 60), ("7d", 7 * DAY_S + HOUR_S)],
)
def test_at_intervals_a_tenth_of_them_is_grace_from_a_minute_to_an_hour(every: str, late_after_s: float) -> None:
    assert schedule(every=every).due_at(1000.0) == 1000.0 + late_after_s


def test_a_grace_of_ones_own_counts() -> None:
    assert schedule(every="10m", grace="0s").due_at(1000.0) == 1600.0


@pytest.mark.parametrize(
    ("cron", "since", "runs"),
    [
        ("30 2 * * *", "2026-11-28T02:30", "2026-11-29 02:30"),
        ("*/15 * * * *", "2026-11-28T10:01", "2026-11-28 10:15"),
        ("0 8 * * mon-fri", "2026-11-28T10:00", "2026-11-30 08:00"),
        ("0 0 1 * *", "2026-12-02T00:00", "2027-01-01 00:00"),
        ("0 0 29 2 *", "2026-11-28T00:00", "2028-02-29 00:00"),
        ("0 0 13 * fri", "2026-11-28T00:00", "2027-08-13 00:00"),
        ("0 0 * * 0", "2026-11-28T00:00", "2026-11-29 00:00"),
    ],
)
def test_cron_is_read_as_celery_reads_it(cron: str, since: str, runs: str) -> None:
    assert shown(schedule(cron=cron).next_run_at(at(since))) == runs


def test_an_hour_that_does_not_exist_runs_an_hour_later() -> None:
    assert shown(schedule(cron="30 2 * * *", timezone=BERLIN).next_run_at(at("2026-03-28T12:00", BERLIN))) == "2026-03-29 01:30"


def test_an_hour_that_comes_twice_runs_once_at_its_first_time() -> None:
    nightly = schedule(cron="30 2 * * *", timezone=BERLIN)
    first = nightly.next_run_at(at("2026-10-24T12:00", BERLIN))
    assert (shown(first), shown(nightly.next_run_at(first))) == ("2026-10-25 00:30", "2026-10-26 01:30")


@pytest.mark.parametrize(
    ("succeeded", "late"),
    [
        ("2026-11-28T03:00", "2026-11-29 07:00"),  # in time
        ("2026-11-28T06:59", "2026-11-29 07:00"),
        ("2026-11-28T07:10", "2026-11-29 07:00"),  # late: the next night counts all the same
        ("2026-11-28T20:00", "2026-11-30 07:00"),  # the run of this evening is the one for tomorrow
    ],
)
def test_a_deadline_is_that_of_the_next_run(succeeded: str, late: str) -> None:
    assert shown(schedule(by="07:00").due_at(at(succeeded))) == late


def test_a_deadline_after_a_cron_is_the_first_after_its_run() -> None:
    assert shown(schedule(cron="0 22 * * fri", by="07:00").due_at(at("2026-11-28T00:00"))) == "2026-12-05 07:00"


def test_a_deadline_is_an_hour_of_the_people_there() -> None:
    assert shown(schedule(by="07:00", timezone=BERLIN).due_at(at("2026-03-28T05:00", BERLIN)), BERLIN) == "2026-03-29 07:00"


@given(
    since=st.floats(1.7e9, 2.2e9),
    given_=st.sampled_from(
        [
            {"every": "1m"},
            {"every": "36h", "by": "07:00"},
            {"cron": "30 2 * * *", "timezone": BERLIN},
            {"cron": "0 0 31 * *", "by": "00:00", "timezone": "America/New_York"},
            {"by": "02:30", "timezone": BERLIN},
        ]
    ),
)
def test_what_succeeds_is_never_late_at_once_and_late_some_day(since: float, given_: dict[str, str]) -> None:
    due = schedule(**given_).due_at(since)
    assert since < due <= since + 63 * DAY_S
