"""Panels as a terminal shows them: bars, sparklines and charts of characters; in a pipe, tables.

In: a panel. Out: a panel of a page.
"""

from collections.abc import Iterator

from watchdog.cli.output.drawing import bar, columns, spark
from watchdog.cli.output.page import Block, ByMedium, Cell, Heading, Ink, Line, Panel, Piece, Plain, Sheet
from watchdog.status import panel as values
from watchdog.status.numbers import short, time_short

__all__ = ["on_terminal"]

CHART_HEIGHT = 5
AXIS = 5
"""The width of what stands left of the chart."""


def on_terminal(panel: values.Panel) -> Panel:
    """The panel, drawn."""
    return Panel(panel.title, tuple(block for one in panel.blocks for block in _blocks(one)), panel.note)


def _blocks(block: values.Block) -> Iterator[Block]:
    match block:
        case values.Line():
            yield Line(tuple(piece for part in block.pieces for piece in _pieces(part)), block.indent)
        case values.Sheet():
            yield Sheet(block.headings, tuple(tuple(map(_cell, row)) for row in block.rows))
            yield from _dots(block)
        case values.Tiles():
            yield _tiles(block)
        case values.HourChart():
            yield ByMedium((_listed(block),), tuple(_chart(block)))
            yield from _not_watched(block)
        case values.More():
            yield Line.of(Ink(f"and {block.count:,} more: watchdog status --panel {block.panel}", "faint"))


def _pieces(part: Piece | values.Bar | values.Course) -> tuple[Piece, ...]:
    if isinstance(part, values.Bar):
        return bar(part.share, part.width, part.style)
    return spark(part.values, part.style) if isinstance(part, values.Course) else (part,)


def _cell(cell: values.Cell) -> Cell:
    if isinstance(cell, str | Ink):
        return cell
    parts = cell if isinstance(cell, tuple) else (cell,)
    return tuple(piece for part in parts for piece in _pieces(part))


def _tiles(block: values.Tiles) -> ByMedium:
    headings, figures = tuple(Heading(tile.name) for tile in block.tiles), tuple(_cell(tile.value) for tile in block.tiles)
    courses = tuple("" if tile.course is None else _cell(tile.course) for tile in block.tiles)
    return ByMedium((Sheet(headings, (figures,)),), (Sheet(headings, (figures, courses)),))


def _listed(block: values.HourChart) -> Sheet:
    return Sheet(
        (Heading("hour"), Heading("succeeded", right=True), Heading("failed", right=True), Heading("watched", right=True)),
        tuple((hour.label, short(hour.succeeded), short(hour.failed), time_short(hour.watched_s)) for hour in block.hours),
    )


def _chart(block: values.HourChart) -> Iterator[Plain]:
    hours = block.hours
    top = max((hour.finished for hour in hours if hour.finished is not None), default=0.0)
    chart = columns([hour.finished for hour in hours], CHART_HEIGHT, 2, "chart")
    scale = [short(top, 1000), *[""] * (CHART_HEIGHT - 2), "0"]
    yield from (Line.of(Ink(f"{label:>{AXIS - 1}} ", "faint"), *pieces) for label, pieces in zip(scale, chart, strict=True))
    if any(hour.failed for hour in hours):
        failed = columns([hour.failed for hour in hours], 1, 2, "failed")[0]
        yield Line.of(Ink(f"{'fail':>{AXIS - 1}} ", "faint"), *failed)
    marks = "".join(f"{hour.label[:2]:<9}" for hour in hours[::3])
    yield Line.of(Ink(" " * AXIS + marks.rstrip(), "faint"))
    if block.named:
        marks = "".join("▲  " if hour.deploys else "   " for hour in hours)
        yield Line.of(" " * AXIS, Ink(marks.rstrip(), "odd"))
        yield Line.of(Ink("▲ ", "odd"), Ink(f"deploys: {', '.join(block.named)}", "faint"))


def _dots(block: values.Sheet) -> Iterator[Line]:
    """What the dots of courses mean, where there are any."""
    if any(isinstance(cell, values.Course) and None in cell.values for row in block.rows for cell in row):
        yield Line.of(Ink("· in 24 h: not watched", "faint"))


def _not_watched(block: values.HourChart) -> Iterator[Line]:
    gaps = sum(1 for hour in block.hours if hour.finished is None)
    if gaps:
        yield Line.of(Ink(f"·· not watched ({gaps} h)", "faint"))
