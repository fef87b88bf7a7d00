"""Digests by the clock on the wall: whatever the zone and its changes, each local day that exists has exactly one."""

from datetime import datetime
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from watchdog.core.report.schedule import Digested, DigestTimes, due_now

ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/St_Johns", "Pacific/Apia", "Africa/Casablanca", "UTC")
DAY = 86400.0
instants = st.floats(min_value=1_300_000_000.0, max_value=1_900_000_000.0)
schedules = st.builds(
    lambda days, minute, zone: DigestTimes(days, minute * 60, ZoneInfo(zone), f"{minute} {zone}"),
    st.sets(st.integers(0, 6), min_size=1).map(frozenset),
    st.integers(0, 24 * 60 - 1),
    st.sampled_from(ZONES),
)
daily = schedules.map(lambda one: DigestTimes(frozenset(range(7)), one.second, one.zone, one.text))


@given(schedules, instants)
def test_the_last_moment_and_the_next_enclose_now_with_nothing_between(schedule: DigestTimes, now: float) -> None:
    last, following = schedule.last(now), schedule.next(now)
    assert last <= now < following
    assert (schedule.next(last), schedule.before(following)) == (following, last)


@given(daily, instants)
def test_a_day_is_a_day_long_give_or_take_what_the_clocks_are_changed_by(schedule: DigestTimes, now: float) -> None:
    assert abs(schedule.next(schedule.last(now)) - schedule.last(now) - DAY) <= 2 * 3600.0


@given(daily, instants)
def test_each_local_day_has_exactly_one(schedule: DigestTimes, now: float) -> None:
    moments = [schedule.last(now)]
    for _ in range(10):
        moments.append(schedule.next(moments[-1]))
    shown = [datetime.fromtimestamp(moment, schedule.zone).date() for moment in moments]
    assert len(set(shown)) == len(shown)
    days = set(_days(moments[0], moments[-1], schedule))
    assert days == set(shown)


def _days(first: float, last: float, schedule: DigestTimes) -> set[object]:
    """Every local day that exists between two instants."""
    hours = int((last - first) // 3600)
    return {datetime.fromtimestamp(first + 3600 * hour, schedule.zone).date() for hour in range(hours + 1)} | {
        datetime.fromtimestamp(last, schedule.zone).date()
    }


@given(schedules, instants, st.lists(st.floats(min_value=1.0, max_value=3 * DAY), max_size=30))
def test_however_often_a_daemon_looks_or_is_down_no_moment_is_sent_twice(schedule: DigestTimes, begin: float, pauses: list[float]) -> None:
    now, known, sent = begin, None, list[float]()
    for pause in pauses:
        due = due_now(schedule, known, now)
        if due is not None:
            known = Digested(schedule.text, due.due_at)
            sent += [due.due_at] if due.since is not None else []
        now += pause
    assert sent == sorted(set(sent))


@given(schedules, instants, st.lists(st.floats(min_value=1.0, max_value=6 * 3600.0), min_size=10, max_size=40))
def test_a_daemon_that_is_never_down_for_long_sends_every_moment(schedule: DigestTimes, begin: float, pauses: list[float]) -> None:
    now, known, sent = begin, Digested(schedule.text, schedule.last(begin)), list[float]()
    for pause in pauses:
        now += pause
        due = due_now(schedule, known, now)
        if due is not None:
            known = Digested(schedule.text, due.due_at)
            sent += [due.due_at] if due.since is not None else []
    expected, moment = [], schedule.next(begin)
    while moment <= now:
        expected.append(moment)
        moment = schedule.next(moment)
    assert sent == expected
