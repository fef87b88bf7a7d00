"""Figures over time as geometry: where each rectangle of an inline SVG stands. A gap is drawn as a gap, never as a zero.

Pure: values in, numbers out. Across, everything is in percent: a chart is as wide as its place, and its letters stay as large as they are.
"""

from collections.abc import Sequence
from math import ceil, floor, log10

from msgspec import Struct

from watchdog.status.numbers import short, time_short
from watchdog.status.panel import HourChart, HourColumn

__all__ = ["ChartDrawn", "ColumnDrawn", "Step", "chart_drawn", "steps_drawn"]

PLOT_TOP, PLOT_HEIGHT = 18, 180
"""In pixels; deploys are marked above the plot."""
GAP_SHARE = 0.22
"""How much of a column's place is left empty."""


class Step(Struct, frozen=True):
    """One step of a sparkline, in a box of 100 by 100. `height` is None in a gap."""

    x: float
    width: float
    height: float | None


class ColumnDrawn(Struct, frozen=True):
    """One hour: its failures stand upon its successes. `heights` are None where nobody looked."""

    x: float
    middle: float
    width: float
    succeeded: float | None
    failed: float | None
    words: str
    label: str
    deploys: tuple[str, ...]

    @property
    def top_of_succeeded(self) -> float:
        """Where its successes begin, from above."""
        return PLOT_TOP + PLOT_HEIGHT - (self.succeeded or 0.0)

    @property
    def top_of_failed(self) -> float:
        """Where its failures begin, from above."""
        return self.top_of_succeeded - (self.failed or 0.0)


class ChartDrawn(Struct, frozen=True):
    """A chart of columns. `ticks`: (how far from above, label), the highest first. `words`: what it shows, for those who do not see it."""

    columns: tuple[ColumnDrawn, ...]
    ticks: tuple[tuple[float, str], ...]
    words: str
    any_failed: bool
    any_gap: bool

    @property
    def base(self) -> int:
        """The line on which the columns stand, from above."""
        return PLOT_TOP + PLOT_HEIGHT


def steps_drawn(values: Sequence[float | None]) -> tuple[Step, ...]:
    """A sparkline of columns; what is more than nothing is seen."""
    top = max((value for value in values if value is not None), default=0.0)
    place = 100.0 / max(len(values), 1)
    return tuple(
        Step(
            round(nth * place + place * GAP_SHARE / 2, 2),
            round(place * (1 - GAP_SHARE), 2),
            None if value is None else _height(value, top, 100.0, 6.0),
        )
        for nth, value in enumerate(values)
    )


def chart_drawn(chart: HourChart) -> ChartDrawn:
    """The columns of 24 hours."""
    finished = [hour.finished for hour in chart.hours]
    top = _nice_top(max((value for value in finished if value is not None), default=0.0))
    columns = tuple(_column(nth, hour, len(chart.hours), top) for nth, hour in enumerate(chart.hours))
    ticks = tuple((round(PLOT_TOP + PLOT_HEIGHT * (1 - share), 1), short(top * share, 10_000)) for share in (1.0, 0.5, 0.0))
    most = max((value for value in finished if value is not None), default=None)
    words = f"Tasks an hour over {len(chart.hours)} hours, at most {short(most)}. {_gaps(finished)}"
    return ChartDrawn(columns, ticks, words, any(hour.failed for hour in chart.hours), None in finished)


def _gaps(finished: Sequence[float | None]) -> str:
    gaps = finished.count(None)
    return f"In {gaps} of them nobody looked." if gaps else "All of them were watched."


def _column(nth: int, hour: HourColumn, count: int, top: float) -> ColumnDrawn:
    place = 100.0 / count
    return ColumnDrawn(
        round(nth * place + place * GAP_SHARE / 2, 3),
        round((nth + 0.5) * place, 3),
        round(place * (1 - GAP_SHARE), 3),
        None if hour.succeeded is None else _height(hour.succeeded, top, PLOT_HEIGHT, 1.0),
        None if hour.failed is None else _height(hour.failed, top, PLOT_HEIGHT, 2.0),
        _words(hour),
        hour.label,
        hour.deploys,
    )


def _words(hour: HourColumn) -> str:
    if hour.finished is None:
        return f"{hour.label}: nobody looked"
    deploys = f"; deploy of {', '.join(hour.deploys)}" if hour.deploys else ""
    counts = f"{short(hour.succeeded)} succeeded, {short(hour.failed)} failed"
    return f"{hour.label}: {counts}, watched for {time_short(hour.watched_s)}{deploys}"


def _height(value: float, top: float, most: float, least: float) -> float:
    if value <= 0 or top <= 0:
        return 0.0
    return round(max(value / top * most, least), 2)


def _nice_top(most: float) -> float:
    """The next number above that is easy to halve."""
    if most <= 0:
        return 1.0
    power = 10.0 ** floor(log10(most))
    step = next(step for step in (1, 2, 4, 6, 8, 10) if most <= step * power)
    return float(ceil(step * power)) if power >= 1 else step * power
