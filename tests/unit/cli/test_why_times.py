"""Times as they are typed after `--at`, in the local time zone."""

import time
from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from watchdog.cli.database.why.times import parse_time
from watchdog.status.clock import clock_of

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 28, 9, 0, 0, tzinfo=BERLIN).timestamp()


@pytest.fixture(autouse=True)
def in_berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("03:10", "2026-11-28T03:10:00+01:00"),
        ("3:10:30", "2026-11-28T03:10:30+01:00"),
        ("09:00", "2026-11-28T09:00:00+01:00"),
        ("23:10", "2026-11-27T23:10:00+01:00"),
        ("2h", "2026-11-28T07:00:00+01:00"),
        ("2h ago", "2026-11-28T07:00:00+01:00"),
        ("2026-11-20T03:10", "2026-11-20T03:10:00+01:00"),
        ("2026-07-20T03:10", "2026-07-20T03:10:00+02:00"),
        ("2026-11-28T02:10:00Z", "2026-11-28T03:10:00+01:00"),
    ],
)
def test_a_time_is_the_last_that_was_meant(typed: str, meant: str) -> None:
    assert parse_time(typed, NOW) == datetime.fromisoformat(meant).timestamp()


@pytest.mark.parametrize("typed", ["25:00", "03:60", "yesterday", "", "3", "2026-13-01"])
def test_anything_else_says_what_was_expected(typed: str) -> None:
    with pytest.raises(ValueError, match=r"expected a time such as 03:10"):
        parse_time(typed, NOW)


def test_the_future_is_refused() -> None:
    with pytest.raises(ValueError, match=r"expected a time that has passed, found 2026-11-28T09:01, which is 09:01:00 CET"):
        parse_time("2026-11-28T09:01", NOW)


def test_a_time_of_another_day_has_its_date() -> None:
    clock = clock_of(NOW)
    assert (clock(NOW - 60), clock(NOW - 86400)) == ("08:59:00 CET", "2026-11-27 09:00:00 CET")
