"""Prints a page: with colours and frames to a terminal, as plain text to a pipe or a file."""

import sys
from itertools import groupby
from typing import TYPE_CHECKING, TextIO

import click

from watchdog.cli.output.ink import inked
from watchdog.cli.output.page import ByMedium, Entries, Entry, Grid, Line, Page, Panel, Plain, Sheet, clean, plain, text_of
from watchdog.cli.output.terminal import console_on

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.text import Text

__all__ = ["rendered", "show", "show_json"]

TWO_COLUMNS = 161
"""The width from which on panels stand side by side: each is as wide as a usual terminal."""
LEAST_FOLDED = 30
"""The narrowest width, in cells, at which a folded column of sentences is readable."""
FRAME = 3
"""The width that a table's frame adds to each cell."""


def show(page: Page, stream: TextIO | None = None) -> None:
    """Print a page to standard output, or to `stream`."""
    out = stream or sys.stdout
    if not out.isatty():
        click.echo(plain(page), file=out, nl=False)
        return
    console = console_on(out)
    for shown in rendered(page, console):
        console.print(shown)


def rendered(page: Page, console: "Console") -> "list[RenderableType]":
    """The blocks of a page as rich shows them on this terminal."""
    blocks = [shown for block in page for shown in (block.on_screen if isinstance(block, ByMedium) else (block,))]
    if console.width < TWO_COLUMNS:
        return [_rendered(shown, console) for shown in blocks]
    from watchdog.cli.output.panels import side_by_side  # noqa: PLC0415

    found: list[RenderableType] = []
    for is_panel, group in groupby(blocks, key=lambda block: isinstance(block, Panel)):
        together = list(group)
        if is_panel and len(together) > 1:
            found.append(side_by_side([block for block in together if isinstance(block, Panel)], console))
        else:
            found += [_rendered(shown, console) for shown in together]
    return found


def show_json(document: object) -> None:
    """Print one JSON document on one line."""
    from watchdog.status.documents.text import json_text  # noqa: PLC0415

    click.echo(json_text(document))


def _rendered(block: Plain, console: "Console") -> "RenderableType":
    from rich.padding import Padding  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    match block:
        case Panel() | Sheet():
            from watchdog.cli.output.panels import panel, sheet  # noqa: PLC0415

            return panel(block, console.width) if isinstance(block, Panel) else sheet(block, console.width)
        case Grid():
            return _grid(block) if _fits(block, console.width) else _records(block, console)
        case Entries():
            return _entries(block, console)
        case Line(pieces, indent):
            return Padding(Text.assemble(*map(inked, pieces)), (0, 0, 0, indent))


def _fits(grid: Grid, width: int) -> bool:
    """Whether a table is readable: every cell on one line, except for the widest column, which may be folded to `LEAST_FOLDED`."""
    from rich.cells import cell_len  # noqa: PLC0415

    widths = sorted(max(cell_len(clean(text_of(piece))) for piece in column) for column in zip(grid.headers, *grid.rows, strict=True))
    needed = [*widths[:-1], min(widths[-1], LEAST_FOLDED)] if widths else []
    return sum(cells + FRAME for cells in needed) + 1 <= width


def _records(grid: Grid, console: "Console") -> "RenderableType":
    """Rows one below the other, with a line per column, for tables that are too wide. Columns without a value are omitted."""
    from rich import box  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(box=box.ROUNDED, border_style="dim", show_header=False, width=console.width)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold", ratio=1)
    for row in grid.rows:
        told = [(clean(header), piece) for header, piece in zip(grid.headers, row, strict=True) if text_of(piece)]
        for header, piece in told:
            table.add_row(Text(header, style="bold"), inked(piece))
        table.add_section()
    return table


def _grid(grid: Grid) -> "RenderableType":
    from rich import box  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    table = Table(box=box.ROUNDED, header_style="bold", border_style="dim")
    for header in grid.headers:
        table.add_column(clean(header), overflow="fold")
    for row in grid.rows:
        table.add_row(*map(inked, row))
    return table


def _entries(block: Entries, console: "Console") -> "RenderableType":
    """A frame around all entries: on the left the first piece of each head, on the right the rest and its lines."""
    from rich import box  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    table = Table(box=box.ROUNDED, border_style="dim", show_header=False, show_lines=True, width=min(console.width, 120))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold", ratio=1)
    for entry in block.entries:
        table.add_row(inked(entry.head[0]), _content(entry))
    return table


def _content(entry: Entry) -> "Text":
    from rich.text import Text  # noqa: PLC0415

    head = [piece for piece in entry.head[1:] if text_of(piece)]
    content = Text("  ").join(map(inked, head))
    for line in entry.lines:
        content.append("\n").append_text(inked(line))
    return content
