"""What is usual at an hour of the day: medians and least rates of the last week."""

from watchdog.core.history.hours import Hours, Usual, usual_at, with_rate

DAY_S = 86400.0
MIDNIGHT = 1_800_000_000.0 // DAY_S * DAY_S
TEN, ELEVEN = 10 * 3600.0, 11 * 3600.0


def week(*per_min: float, watched_s: float = 3600.0) -> Hours:
    """So many days on which it did that much a minute from ten to eleven, and nothing in the hour after it."""
    hours = Hours()
    for day, rate in enumerate(per_min):
        for nth in range(int(watched_s // 300)):
            hours = with_rate(hours, rate, 300.0, MIDNIGHT + day * DAY_S + TEN + nth * 300)
        hours = with_rate(hours, 0.0, 300.0, MIDNIGHT + day * DAY_S + ELEVEN)
    return hours


def at_ten(hours: Hours) -> Usual:
    return usual_at(hours, MIDNIGHT + 30 * DAY_S + TEN + 60)


def test_an_hour_is_compared_with_the_same_hour_of_other_days() -> None:
    assert at_ten(week(60.0, 40.0, 50.0)) == Usual(3, 50.0, 40.0)


def test_another_hour_has_a_past_of_its_own() -> None:
    assert usual_at(week(60.0, 40.0), MIDNIGHT + TEN - 3600) == Usual()


def test_only_the_last_seven_days_count() -> None:
    assert at_ten(week(1.0, *[60.0] * 7)) == Usual(7, 60.0, 60.0)


def test_an_hour_that_was_watched_in_part_says_nothing() -> None:
    assert at_ten(week(60.0, watched_s=1200.0)) == Usual()


def test_nothing_is_known_at_first() -> None:
    assert at_ten(Hours()) == Usual()
