"""When a digest is due: days, weeks, clocks that change, daemons that were down."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from watchdog.core.report.schedule import LATEST_S, Digested, DigestTimes, Due, due_now

DAILY = frozenset(range(7))
BERLIN = ZoneInfo("Europe/Berlin")
HOUR, DAY = 3600.0, 86400.0


def at(text: str) -> float:
    """The instant of a time with its offset."""
    return datetime.fromisoformat(text).timestamp()


def schedule(clock: str = "08:00", days: frozenset[int] = DAILY, zone: ZoneInfo = BERLIN) -> DigestTimes:
    hour, minute = clock.split(":")
    return DigestTimes(days, int(hour) * 3600 + int(minute) * 60, zone, f"{clock} {zone}")


def test_a_daily_digest_was_due_today_once_its_time_has_come() -> None:
    due = at("2026-11-28T08:00+01:00")
    assert (schedule().last(due), schedule().last(due - 1)) == (due, due - DAY)


def test_it_covers_the_time_since_the_one_before() -> None:
    due = at("2026-11-28T08:00+01:00")
    assert schedule().before(due) == due - DAY


def test_a_weekly_one_covers_a_week() -> None:
    monday = at("2026-11-23T08:00+01:00")
    weekly = schedule(days=frozenset({0}))
    assert (weekly.last(monday + 6 * DAY), weekly.before(monday), weekly.next(monday)) == (monday, monday - 7 * DAY, monday + 7 * DAY)


def test_on_working_days_monday_covers_the_weekend() -> None:
    monday = at("2026-11-23T08:00+01:00")
    assert schedule(days=frozenset(range(5))).before(monday) == at("2026-11-20T08:00+01:00")


def test_the_day_on_which_clocks_go_forward_is_an_hour_shorter() -> None:
    due = at("2026-03-29T08:00+02:00")
    assert due - schedule().before(due) == 23 * HOUR


def test_an_hour_that_does_not_exist_is_moved_by_what_the_clocks_are() -> None:
    assert schedule("02:30").last(at("2026-03-29T12:00+02:00")) == at("2026-03-29T03:30+02:00")


def test_an_hour_that_comes_twice_counts_the_first_time() -> None:
    first = at("2026-10-25T02:30+02:00")
    assert (schedule("02:30").last(first + 2 * HOUR), schedule("02:30").next(first)) == (first, at("2026-10-26T02:30+01:00"))


def test_a_day_that_a_zone_skips_has_none() -> None:
    apia = schedule(zone=ZoneInfo("Pacific/Apia"))  # there was no 30 December 2011
    due = at("2011-12-31T08:00+14:00")
    assert (apia.before(due), apia.next(due)) == (at("2011-12-29T08:00-10:00"), at("2012-01-01T08:00+14:00"))


def test_a_digest_that_is_due_is_sent_once() -> None:
    due = at("2026-11-28T08:00+01:00")
    sent = due_now(schedule(), Digested(schedule().text, due - DAY), due + 5)
    assert sent == Due(due, since=due - DAY)
    assert due_now(schedule(), Digested(schedule().text, due), due + 15) is None


def test_one_that_is_a_little_late_is_sent_for_its_own_time() -> None:
    due = at("2026-11-28T08:00+01:00")
    assert due_now(schedule(), Digested(schedule().text, due - DAY), due + LATEST_S) == Due(due, since=due - DAY)


def test_one_that_is_too_late_is_skipped() -> None:
    due = at("2026-11-28T08:00+01:00")
    assert due_now(schedule(), Digested(schedule().text, due - DAY), due + LATEST_S + 1) == Due(due, late_s=LATEST_S + 1)


def test_after_a_week_of_silence_only_the_last_one_is_sent() -> None:
    due = at("2026-11-28T08:00+01:00")
    assert due_now(schedule(), Digested(schedule().text, due - 7 * DAY), due + 60) == Due(due, since=due - DAY)


def test_a_new_receiver_begins_with_the_next_moment() -> None:
    due = at("2026-11-28T08:00+01:00")
    assert due_now(schedule(), None, due + 60) == Due(due)


def test_another_schedule_begins_with_its_next_moment() -> None:
    now = at("2026-11-28T09:01+01:00")
    assert due_now(schedule("09:00"), Digested(schedule().text, now - 61 * 60), now) == Due(now - 60)


def test_a_clock_that_was_set_back_a_little_sends_nothing_twice() -> None:
    due = at("2026-11-28T08:00+01:00")
    assert due_now(schedule(), Digested(schedule().text, due), due - HOUR) is None


def test_what_was_remembered_of_a_clock_years_ahead_holds_nothing_back() -> None:
    due = at("2026-11-28T08:00+01:00")
    assert due_now(schedule(), Digested(schedule().text, due + 400 * DAY), due + 5) == Due(due)


def test_midnight_belongs_to_the_day_that_begins() -> None:
    utc = DigestTimes(frozenset({6}), 0, UTC, "sun 00:00")
    assert utc.last(at("2026-11-29T00:00+00:00")) == at("2026-11-29T00:00+00:00")
