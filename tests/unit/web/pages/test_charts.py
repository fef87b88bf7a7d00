"""Figures as rectangles: as high as they are, and a gap where nobody looked."""

import pytest

from tests.unit.cli.status.builders import NOON, a_day, shown_of
from watchdog.core.incidents.quiet.deploys import Deploy
from watchdog.status.panel import HourChart
from watchdog.status.panels.trend import trend
from watchdog.web.pages.charts import PLOT_HEIGHT, ChartDrawn, chart_drawn, steps_drawn


def of_a_day(*missing: int, deploys: tuple[Deploy, ...] = ()) -> ChartDrawn:
    [chart, *_] = trend(shown_of(day=a_day(*missing), deploys=deploys)).blocks
    assert isinstance(chart, HourChart)
    return chart_drawn(chart)


def test_a_sparkline_is_as_high_as_its_values() -> None:
    assert [step.height for step in steps_drawn([0.0, 50.0, 100.0])] == [0.0, 50.0, 100.0]


def test_a_gap_has_no_height() -> None:
    assert [step.height for step in steps_drawn([None, 4.0])] == [None, 100.0]


def test_what_is_more_than_nothing_is_seen() -> None:
    assert steps_drawn([0.001, 1000.0])[0].height == 6.0


def test_a_sparkline_fills_its_box() -> None:
    steps = steps_drawn([1.0] * 7)
    assert steps[0].x >= 0
    assert 95 < steps[-1].x + steps[-1].width <= 100


def test_columns_are_as_high_as_the_tasks_of_their_hour() -> None:
    column = of_a_day().columns[5]
    assert (column.succeeded, column.failed) == pytest.approx((11 / 20 * PLOT_HEIGHT, 1 / 20 * PLOT_HEIGHT))


def test_an_hour_in_which_nobody_looked_has_no_column_and_says_so() -> None:
    chart = of_a_day(5, 6)
    gaps = [column for column in chart.columns if column.succeeded is None]
    assert {column.words.partition(": ")[2] for column in gaps} == {"nobody looked"}
    assert f"In {len(gaps)} of them nobody looked." in chart.words


def test_the_highest_tick_is_easy_to_halve() -> None:
    assert [label for _, label in of_a_day().ticks] == ["20", "10", "0"]


def test_a_deploy_is_named_in_its_hour() -> None:
    chart = of_a_day(deploys=(Deploy("d", "2.0", ("prod",), NOON - 3 * 3600 + 600, NOON),))
    assert [column.label for column in chart.columns if column.deploys == ("2.0",)] == ["09:00"]
