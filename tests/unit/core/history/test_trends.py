"""A day in hours: counts spread over the time they cover, gaps where nobody could look."""

from watchdog.core.history.series import Part, Slice, Value
from watchdog.core.history.trends import HOUR_S, Hour, day_of, runtimes_of
from watchdog.core.model.sketch import Sketch, mean_of, quantile_of, sketch_of
from watchdog.tables.history.kept import KEPT

NOON = 1_800_000_000.0 // 86400 * 86400 + 12 * HOUR_S


def tasks(since: float, until: float, succeeded: float, failed: float = 0.0, sketch: Sketch | None = None) -> Slice:
    values: tuple[Value, ...] = (succeeded, failed, 0.0, sketch or Sketch(), Sketch())
    return Slice(until, {"tasks": Part(since, until, {("shop.pay",): values})})


def hours(*slices: Slice, now: float = NOON + 1800) -> dict[float, Hour]:
    """Hours before noon -> the hour."""
    return {(NOON - hour.begin) / HOUR_S: hour for hour in day_of(slices, KEPT, now).hours}


def test_a_day_is_24_hours_by_the_clock_and_the_current_one_is_last() -> None:
    found = hours()
    assert list(found) == [float(n) for n in range(23, -1, -1)]
    assert found[0].succeeded is None


def test_counts_stand_in_the_hour_in_which_they_happened() -> None:
    found = hours(tasks(NOON - 7000, NOON - 6700, 5.0, 1.0), tasks(NOON, NOON + 300, 2.0))
    assert (found[2].succeeded, found[2].failed, found[2].finished, found[2].watched_s) == (5.0, 1.0, 6.0, 300.0)
    assert (found[0].succeeded, found[1].succeeded) == (2.0, None)


def test_a_count_over_an_hour_in_which_nobody_looked_is_spread_over_it() -> None:
    found = hours(tasks(NOON - 5400, NOON - 1800, 60.0))
    assert (found[2].succeeded, found[1].succeeded) == (30.0, 30.0)


def test_an_hour_with_nothing_but_silence_is_zero_and_not_a_gap() -> None:
    quiet = Slice(NOON - 3000, {"tasks": Part(NOON - 3300, NOON - 3000, {})})
    assert hours(quiet)[1].succeeded == 0.0


def test_the_totals_are_those_of_24_hours() -> None:
    day = day_of([tasks(NOON - 90000, NOON - 89700, 100.0), tasks(NOON - 300, NOON, 7.0)], KEPT, NOON)
    assert day.totals["tasks"].rows["shop.pay",][0] == 7.0


def test_gauges_show_the_worst_of_an_hour() -> None:
    slices = []
    for nth, (online, backlog) in enumerate(((4.0, 10.0), (2.0, 90.0), (None, None))):
        cluster = (4.0, online, 4.0, 1.0, 8.0, 5.0, backlog, 0.0)
        queue = (1.0, backlog, 1.0, 0.0)
        until = NOON - 3000 + 300 * nth
        slices.append(
            Slice(until, {"cluster": Part(until - 300, until, {(): cluster}), "queues": Part(until - 300, until, {("a",): queue})})
        )
    hour = hours(*slices)[1]
    assert (hour.workers_min, hour.backlog_max, hour.lengths) == (2.0, 90.0, {"a": 90.0})


def test_a_task_of_which_few_runs_are_listed_counts_as_often_as_it_ran() -> None:
    busy = (300.0, 0.0, 0.0, sketch_of([1.0] * 3), Sketch())
    rare = (3.0, 0.0, 0.0, sketch_of([100.0] * 3), Sketch())
    weighted = runtimes_of(Part(0.0, 1.0, {("busy",): busy, ("rare",): rare}), KEPT["tasks"])
    assert (quantile_of(weighted, 0.95) or 0.0) < 1.1
    assert round(mean_of(weighted) or 0.0, 2) == round(600 / 303, 2)


def test_nothing_measured_has_no_average() -> None:
    assert mean_of([]) is None
