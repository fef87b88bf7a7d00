"""A chart as a picture, by matplotlib (the extra `charts`): imported here alone, as the first chart is drawn.

In: a `Chart`. Out: a PNG; the same chart gives the same bytes. Its ground is white in every mail program and chat, dark or light; colours
are told apart by people who are colour-blind, and every mark has its own form and its words. Letters that the font lacks become `?`, and no
text from outside is read as a formula.
"""

import logging
import threading
from collections.abc import Mapping
from datetime import UTC
from functools import lru_cache
from io import BytesIO
from typing import TYPE_CHECKING, Any

from watchdog.core.history.chart import Chart
from watchdog.core.model.severity import Severity
from watchdog.receivers.notice_text import limited
from watchdog.receivers.pictures.words import amount, chart_title, clock, gaps_of, limit_words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["PIXELS", "png_of"]

PIXELS = (1050, 476)
_DPI, _TITLE = 140, 72
_INK, _SOFT, _GROUND = "#1f2328", "#6a737d", "#ffffff"
_LINE, _DEPLOY, _BEGAN, _INCIDENT = "#0072b2", "#6f4fa3", "#f4e3d7", "#7a4a2b"
_PLATE: Mapping[str, Any] = {"facecolor": _GROUND, "edgecolor": "none", "alpha": 0.8, "pad": 1}
"""What letters stand on, so that no line crosses them."""
_LIMITS: Mapping[Severity, tuple[str, Any]] = {
    Severity.CRITICAL: ("#b3261e", "-"),
    Severity.ERROR: ("#d55e00", "--"),
    Severity.WARNING: ("#a06a00", (0, (5, 3))),
    Severity.INFO: ("#4d4d4d", ":"),
}
"""Severity -> the colour and the dashes of its limit."""
_ONE_AT_A_TIME = threading.Lock()


def png_of(chart: Chart) -> bytes:
    """Draw a chart; once, where several receivers show it. ImportError if the extra is not installed."""
    with _ONE_AT_A_TIME:
        return _drawn(chart)


@lru_cache(maxsize=4)
def _drawn(chart: Chart) -> bytes:
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    import matplotlib as mpl  # noqa: PLC0415 - 0.4 s and 57 MiB, for those alone who asked for charts
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415
    from matplotlib.figure import Figure  # noqa: PLC0415

    mpl.rcdefaults()  # whatever a matplotlibrc of this machine says
    mpl.rcParams.update({"font.family": ["DejaVu Sans"], "font.size": 10, "hatch.linewidth": 0.6})
    figure = Figure(figsize=(PIXELS[0] / _DPI, PIXELS[1] / _DPI), dpi=_DPI, facecolor=_GROUND, layout="constrained")
    FigureCanvasAgg(figure)
    _draw(figure.add_subplot(), chart)
    picture = BytesIO()
    figure.savefig(picture, format="png", metadata={"Software": None})
    return picture.getvalue()


def _draw(axes: "Axes", chart: Chart) -> None:
    axes.set_title(
        _text(limited(chart_title(chart), _TITLE)), loc="left", fontsize=12, fontweight="bold", color=_INK, pad=18, parse_math=False
    )
    axes.set_xlim(_time(chart.since), _time(chart.until))
    axes.set_ylim(0, _top(chart))
    _draw_background(axes, chart)
    for line in chart.lines:
        times, values = [_time(at) for at, _ in line], [value for _, value in line]
        axes.plot(times, values, color=_LINE, linewidth=1.8, marker="o" if len(line) == 1 else None, markersize=3, zorder=4)
        axes.fill_between(times, values, color=_LINE, alpha=0.10, linewidth=0, zorder=2)
    _draw_limits(axes, chart)
    _draw_deploys(axes, chart)
    _draw_last(axes, chart)
    _draw_scales(axes, chart)


def _top(chart: Chart) -> float:
    """Where the scale ends: above all values and the nearest limit; a limit far above is named in words alone."""
    highest = max(chart.values, default=0.0)
    shown = [limit.value for limit in chart.limits if limit.value <= max(highest * 2.5, 0.0)] or [one.value for one in chart.limits[:1]]
    return max(highest, *shown, 0.0) * 1.18 or 1.0


def _draw_background(axes: "Axes", chart: Chart) -> None:
    began = max(chart.began_at, chart.since)
    if chart.since <= began < chart.until:
        axes.axvspan(_time(began), _time(chart.until), color=_BEGAN, alpha=0.6, linewidth=0, zorder=0)
        if chart.began_at >= chart.since and (chart.until - began) / (chart.until - chart.since) > 0.13:
            place = (_time(began), 1.0)
            _annotate(axes, f"since {clock(began)}", place, axes.get_xaxis_transform(), (3, -10), color=_INCIDENT)
    for since, until in gaps_of(chart):
        axes.axvspan(_time(since), _time(until), facecolor="#f0f1f2", edgecolor="#c3c8cd", hatch="///", linewidth=0, zorder=1)
        if until - since > (chart.until - chart.since) / 12:
            middle, within = (_time((since + until) / 2), 0.08), axes.get_xaxis_transform()
            _annotate(axes, "unknown", middle, within, (0, 0), color=_SOFT, ha="center", va="center", bbox=_PLATE)


def _draw_limits(axes: "Axes", chart: Chart) -> None:
    top, labelled = axes.get_ylim()[1], list[float]()
    for limit in chart.limits:
        if not 0 <= limit.value < top:
            continue
        colour, dashes = _LIMITS[limit.severity]
        axes.axhline(limit.value, color=colour, linestyle=dashes, linewidth=1.3, zorder=3)
        if all(abs(limit.value - other) > top * 0.07 for other in labelled):
            labelled.append(limit.value)
            _annotate(axes, limit_words(chart, limit), (0.006, limit.value), axes.get_yaxis_transform(), (2, 4), color=colour, bbox=_PLATE)


def _draw_deploys(axes: "Axes", chart: Chart) -> None:
    labelled = -1.0
    for deploy in sorted(chart.deploys, key=lambda one: one.at):
        axes.axvline(_time(deploy.at), color=_DEPLOY, linestyle=(0, (1, 2)), linewidth=1.4, zorder=3)
        share = (deploy.at - chart.since) / (chart.until - chart.since)
        if share - labelled > 0.25:
            labelled, words = share, f"deploy {limited(deploy.version, 14)}"
            place, within = (_time(deploy.at), 1.0), axes.get_xaxis_transform()
            if share > 0.8:
                _annotate(axes, f"{words} ▼", place, within, (4.5, 3), color=_DEPLOY, ha="right")
            else:
                _annotate(axes, f"▼ {words}", place, within, (-4.5, 3), color=_DEPLOY)


def _draw_last(axes: "Axes", chart: Chart) -> None:
    """The last value that is known, at its place."""
    at, value = chart.lines[-1][-1]
    axes.plot([_time(at)], [value], marker="o", color=_LINE, markersize=4.5, zorder=5, clip_on=False)
    look = {"color": _LINE, "ha": "right", "fontweight": "bold", "bbox": _PLATE}
    _annotate(axes, amount(chart, value), (_time(at), value), axes.transData, (-6, 5), **look)


def _draw_scales(axes: "Axes", chart: Chart) -> None:
    from matplotlib.dates import AutoDateLocator, DateFormatter  # noqa: PLC0415
    from matplotlib.ticker import FuncFormatter, MaxNLocator  # noqa: PLC0415

    axes.xaxis.set_major_locator(AutoDateLocator(tz=UTC, minticks=4, maxticks=8))  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_formatter(DateFormatter("%H:%M", tz=UTC))  # type: ignore[no-untyped-call]
    axes.yaxis.set_major_locator(MaxNLocator(nbins=4, steps=[1, 2, 3, 6, 10] if chart.unit == "s" else [1, 2, 5, 10]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: amount(chart, value)))
    axes.set_xlabel(f"UTC, to {clock(chart.until, dated=True)}", loc="right", fontsize=9, color=_SOFT)
    unit = "" if chart.unit in ("s", "bytes", "ratio") else chart.unit
    axes.set_ylabel(_text(unit), fontsize=9, color=_SOFT, parse_math=False)
    axes.tick_params(colors=_SOFT, length=3, labelsize=9.5)
    axes.grid(visible=True, axis="y", color="#e3e6e8", linewidth=0.8, zorder=0)
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color("#b9bfc5")


def _annotate(axes: "Axes", words: str, place: tuple[float, float], within: Any, offset: tuple[float, float], **look: Any) -> None:
    axes.annotate(
        _text(words), place, xycoords=within, xytext=offset, textcoords="offset points", fontsize=9, zorder=6, parse_math=False,
        annotation_clip=False, **look,
    )  # fmt: skip


def _text(words: str) -> str:
    """The words in letters that the font has."""
    from matplotlib.font_manager import findfont, get_font  # noqa: PLC0415

    has = get_font(findfont("DejaVu Sans")).get_charmap()
    return "".join(letter if ord(letter) in has else "?" for letter in words)


def _time(at: float) -> float:
    """Epoch seconds as matplotlib counts time: in days."""
    return at / 86_400.0
