"""Pieces of panels as HTML: texts escaped, bars and sparklines as SVG.

In: cells and lines of a panel. Out: markup. Texts come from outside: control characters and marks of text direction are removed, secrets
masked. Styles are classes, since the page allows no style of its own in an element.
"""

from collections.abc import Callable

from flask import url_for
from markupsafe import Markup, escape

from watchdog.config.masking import MASKING
from watchdog.core.text.phrasing import format_value, tidy
from watchdog.status.numbers import NOTHING, percent, short
from watchdog.status.panel import Bar, Block, Cell, Course, HourChart, Ink, Line, More, Sheet, Tiles
from watchdog.web.pages.charts import chart_drawn, steps_drawn
from watchdog.web.pages.signs import badge, sign

__all__ = ["FILTERS", "printable"]

_BAR = Markup(
    '<svg class="bar bar-{}" role="img" aria-label="{}" viewBox="0 0 100 8" preserveAspectRatio="none">'
    '<rect class="rest" width="100" height="8"/><rect class="full" width="{}" height="8"/></svg>'
)
_COURSE = Markup('<svg class="course course-{}" viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true">{}</svg>')
_KINDS = {Line: "line", Sheet: "sheet", Tiles: "tiles", HourChart: "chart", More: "more"}


def printable(value: object) -> object:
    """What a template prints: a text from anywhere without control characters and secrets."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return MASKING(value if value.isprintable() else tidy(value))
    return "" if value is None else value


def drawn(cell: Cell) -> Markup:
    """A cell, or several."""
    match cell:
        case str():
            return escape(printable(cell))
        case Ink():
            return _ink(cell)
        case Bar():
            return _bar(cell)
        case Course():
            return _course(cell)
        case _:
            return Markup("").join(map(drawn, cell))


def drawn_line(line: Line) -> Markup:
    """The pieces of a line. What stands before a bar is as wide in each of them, so that bars begin below each other."""
    shown = [drawn(piece) for piece in line.pieces]
    if any(isinstance(piece, Bar) for piece in line.pieces[1:2]):
        shown[0] = Markup('<span class="before-bar">{}</span>').format(shown[0])
    return Markup("").join(shown)


def cell_text(cell: object) -> str:
    """A value of an incident; `?` for a gap."""
    return NOTHING if cell is None else format_value(cell)


def coded(text: str) -> Markup:
    """A text in which what stands between backticks is code."""
    parts = str(printable(text)).split("`")
    whole = len(parts) % 2 == 1
    marked = [Markup("<code>{}</code>").format(part) if nth % 2 and whole else escape(part) for nth, part in enumerate(parts)]
    return (Markup("") if whole else Markup("`")).join(marked)


def is_none(cell: Cell) -> bool:
    """Whether there is nothing to say; where there is little room, it is left out."""
    return cell in ("", Ink("", "faint"), Ink("-", "faint"))


def kind_of(block: Block) -> str:
    """Which part of the template draws a block."""
    return _KINDS[type(block)]


FILTERS: dict[str, Callable[..., object]] = {
    "drawn": drawn,
    "drawn_line": drawn_line,
    "kind": kind_of,
    "chart": chart_drawn,
    "short": short,
    "cell": cell_text,
    "coded": coded,
    "is_none": is_none,
    "sign": sign,
    "badge": badge,
}
"""What the templates use."""


def _ink(ink: Ink) -> Markup:
    if ink.text == ink.style:  # a severity
        return badge(ink.text)
    text = escape(printable(ink.text))
    if ink.incident:
        text = Markup('<a href="{}">{}</a>').format(url_for("pages.incident", named=ink.incident), text)
    return Markup('<span class="ink-{}">{}</span>').format(ink.style, text) if ink.style else text


def _bar(bar: Bar) -> Markup:
    """A bar; a share that nobody knows is said in words."""
    if bar.share is None:
        return Markup('<span class="ink-odd">?</span>')
    width = max(min(bar.share, 1.0) * 100, 1.0 if bar.share > 0 else 0.0)
    return _BAR.format(bar.style or "chart", percent(bar.share), f"{width:.1f}")


def _course(course: Course) -> Markup:
    steps = Markup("").join(
        Markup('<rect class="gap" x="{}" y="94" width="{}" height="6"/>').format(step.x, step.width)
        if step.height is None
        else Markup('<rect x="{}" y="{}" width="{}" height="{}"/>').format(step.x, round(100 - step.height, 2), step.width, step.height)
        for step in steps_drawn(course.values)
    )
    return _COURSE.format(course.style, steps)
