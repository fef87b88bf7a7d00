"""How often something went well: what a month of counts is kept as, and what its windows hold."""

from hypothesis import given
from hypothesis import strategies as st

from watchdog.core.history.tally import Tally, added, counted

NOW = 1_800_000_000.0
MONTH_S = 30 * 86400.0


def of(*counts: tuple[float, float, float], until: float = NOW) -> Tally:
    """`counts`: (seconds ago, well, missed), in the order in which they came."""
    tally = Tally()
    for ago, well, missed in counts:
        tally = added(tally, well, missed, NOW - ago, MONTH_S)
    return added(tally, 0.0, 0.0, until, MONTH_S)


def test_a_window_of_minutes_holds_what_came_within_it() -> None:
    assert counted(of((400, 5, 1), (200, 3, 2), (10, 1, 1)), NOW, 300.0) == (4.0, 3.0)


def test_what_is_older_than_the_promise_is_dropped() -> None:
    assert counted(of((31 * 86400, 5, 1), (10, 1, 0)), NOW, MONTH_S) == (1.0, 0.0)


def test_a_clock_that_was_set_back_does_not_bring_back_what_lay_ahead() -> None:
    assert counted(added(of((0, 5, 1)), 1.0, 0.0, NOW - 86400, MONTH_S), NOW - 86400, MONTH_S) == (1.0, 0.0)


def test_nothing_is_no_bucket() -> None:
    assert added(Tally(), 0.0, 0.0, NOW, MONTH_S).buckets == ()


def test_a_month_of_minutes_is_a_few_hundred_buckets() -> None:
    tally = Tally()
    for minute in range(0, 30 * 24 * 60, 7):
        tally = added(tally, 1.0, 0.0, NOW + minute * 60, MONTH_S)
    assert len(tally.buckets) < 320


@given(st.lists(st.tuples(st.floats(0, 29 * 86400), st.integers(0, 9), st.integers(0, 9)), max_size=40))
def test_no_count_is_lost_or_invented_however_old_it_grows(counts: list[tuple[float, int, int]]) -> None:
    in_turn = sorted(((ago, float(well), float(missed)) for ago, well, missed in counts), reverse=True)
    assert counted(of(*in_turn), NOW, MONTH_S) == (sum(well for _, well, _ in in_turn), sum(missed for _, _, missed in in_turn))


@given(st.floats(0, 86400), st.sampled_from([300.0, 1800.0, 3600.0, 6 * 3600.0]))
def test_a_window_errs_by_a_bucket_at_most(ago: float, window_s: float) -> None:
    well, _ = counted(of((ago, 1, 0)), NOW, window_s)
    width = 60.0 if window_s <= 3600 else 3600.0
    assert well == 1.0 if ago <= window_s else well == 0.0 or ago <= window_s + width
