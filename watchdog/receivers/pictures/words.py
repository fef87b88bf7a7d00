"""What a chart says, in words: its title, its numbers, and a sentence for those who do not see it.

In: a chart. Out: one printable line each; nothing in them is markup.
"""

from datetime import UTC, datetime

from watchdog.core.history.chart import Chart, Limit
from watchdog.core.text.durations import format_duration
from watchdog.core.text.phrasing import FILTERS, format_value
from watchdog.receivers.notice_text import limited

__all__ = ["amount", "chart_title", "chart_words", "clock", "gaps_of"]

LARGEST_WORDS = 1_000
"""Slack takes no more for a picture; others take more."""
LEAST_GAP_S = 600.0
"""At the edges of a chart, what is unknown for a shorter time is no gap: figures stand in the middle of five minutes."""
_NAME = 40


def chart_title(chart: Chart) -> str:
    """`length of indexing, prod`."""
    of = "" if chart.of == chart.target else f" of {limited(chart.of, _NAME)}"
    return f"{'Example: ' if chart.example else ''}{limited(chart.column, _NAME)}{of}, {limited(chart.target, _NAME)}"


def chart_words(chart: Chart) -> str:
    """The chart in one sentence, with its figures."""
    values = chart.values
    said = [
        f"{chart_title(chart)}, {clock(chart.since, dated=True)} to {clock(chart.until)} UTC: "
        f"last {amount(chart, values[-1])}, highest {amount(chart, max(values))}, lowest {amount(chart, min(values))}",
        *(limit_words(chart, limit) for limit in chart.limits),
    ]
    if unknown_s := sum(until - since for since, until in gaps_of(chart)):
        said.append(f"unknown for {format_duration(round(unknown_s))}")
    if chart.since <= chart.began_at < chart.until:
        said.append(f"incident since {clock(chart.began_at)}")
    said += [f"deploy {limited(one.version, _NAME)} at {clock(one.at)}" for one in chart.deploys]
    return limited("; ".join(said), LARGEST_WORDS)


def limit_words(chart: Chart, limit: Limit) -> str:
    """`warning above 50`."""
    return f"{limit.severity} {'above' if limit.above else 'below'} {amount(chart, limit.value)}"


def amount(chart: Chart, value: float) -> str:
    """A value in the unit of its column."""
    if chart.unit == "s":
        return format_duration(round(value))
    if chart.unit in ("bytes", "ratio"):
        return str(FILTERS["bytes" if chart.unit == "bytes" else "percent"](value))
    return f"{value:,.0f}" if abs(value) >= 100 else format_value(round(value, 1))


def clock(at: float, *, dated: bool = False) -> str:
    """`09:15`, or with its day `2026-11-22 09:15`; UTC."""
    return f"{datetime.fromtimestamp(at, UTC):{'%Y-%m-%d %H:%M' if dated else '%H:%M'}}"


def gaps_of(chart: Chart) -> list[tuple[float, float]]:
    """From when to when nothing is known."""
    inner = [(before[-1][0], after[0][0]) for before, after in zip(chart.lines, chart.lines[1:], strict=False)]
    if not chart.lines:
        return [(chart.since, chart.until)]
    edges = (chart.since, chart.lines[0][0][0]), (chart.lines[-1][-1][0], chart.until)
    return sorted([*inner, *(edge for edge in edges if edge[1] - edge[0] > LEAST_GAP_S)])
