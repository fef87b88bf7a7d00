"""A day that is read again and again is the same as one that is read at once, however much of it is known already."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.unit.cli.status.builders import NOON, bucket
from watchdog.core.history.series import Keeping, Slice
from watchdog.core.history.trends import HOUR_S, OF_DAY, Day, day_of
from watchdog.core.model.last_look import LastLook
from watchdog.status.days import AGAIN_S, DAY_S, Days
from watchdog.store import Looked, Store
from watchdog.tables.history.kept import KEPT

MINUTES = 60.0


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path / "watchdog.db")


def keep(store: Store, *slices: Slice) -> None:
    keeping, before = Keeping(KEPT, 7200.0, 14 * DAY_S), None
    for one in slices:
        with store.cycle() as transaction:
            transaction.record(Looked("prod", one, LastLook(one.at, 10.0, {}), before), keeping)
        before = one.at


def read_at_once(store: Store, now: float) -> Day:
    return day_of(store.history("prod", now - DAY_S, now, OF_DAY), KEPT, now)


def looks(begin: float, end: float) -> list[Slice]:
    """A look every five minutes, in each of which two tasks ended."""
    return [bucket(begin + 300 * nth, 1.0, 1.0) for nth in range(1, int((end - begin) // 300) + 1)]


def test_hours_that_are_known_already_and_new_ones_make_the_same_day(store: Store) -> None:
    days = Days()
    keep(store, *looks(NOON - 26 * HOUR_S, NOON))
    days.of(store, "prod", NOON)
    keep(store, *looks(NOON, NOON + 2.5 * HOUR_S))
    later = NOON + 2.5 * HOUR_S
    again, at_once = days.of(store, "prod", later), read_at_once(store, later)
    assert again.hours == at_once.hours
    assert again.totals["tasks"].rows == at_once.totals["tasks"].rows
    assert again.totals["errors"].rows == at_once.totals["errors"].rows


def test_a_count_that_comes_after_a_pause_is_spread_over_hours_that_were_read_before(store: Store) -> None:
    days = Days()
    keep(store, *looks(NOON - 3 * HOUR_S, NOON - 2 * HOUR_S - 10 * MINUTES))
    days.of(store, "prod", NOON - 30 * MINUTES)
    late = bucket(NOON, 60.0)
    parts = {name: replace(part, since=NOON - 2 * HOUR_S - 10 * MINUTES) for name, part in late.parts.items()}
    keep(store, replace(late, parts=parts))
    assert days.of(store, "prod", NOON + 1).hours == read_at_once(store, NOON + 1).hours


def test_a_day_is_not_read_again_within_half_a_minute(store: Store) -> None:
    days = Days()
    before = days.of(store, "prod", NOON)
    keep(store, bucket(NOON - 1, 5.0))
    assert days.of(store, "prod", NOON + AGAIN_S - 1) is before
    assert days.of(store, "prod", NOON + AGAIN_S + 1).totals["tasks"].rows


def test_a_clock_that_was_set_back_forgets_what_is_known(store: Store) -> None:
    days = Days()
    keep(store, *looks(NOON - 3 * HOUR_S, NOON))
    days.of(store, "prod", NOON + HOUR_S)
    assert days.of(store, "prod", NOON).hours == read_at_once(store, NOON).hours
