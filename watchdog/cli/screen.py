"""Where a page goes: with colours and frames to a terminal, as plain text into a pipe or a file."""

import sys
from typing import TYPE_CHECKING, TextIO

import click

from watchdog.cli.page import Block, Entries, Entry, Grid, Page, Piece, clean, plain, text_of
from watchdog.core.harmless import harmless_json

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.text import Text

__all__ = ["show", "show_json"]

STYLES = {
    "critical": "bold white on red",
    "error": "bold red",
    "warning": "bold yellow",
    "info": "cyan",
    "bad": "bold red",
    "odd": "yellow",
    "good": "bold green",
    "strong": "bold",
    "faint": "dim",
}


def show(page: Page, stream: TextIO | None = None) -> None:
    """Print a page to standard output, or to `stream`."""
    out = stream or sys.stdout
    if not out.isatty():
        click.echo(plain(page), file=out, nl=False)
        return
    from rich.console import Console  # noqa: PLC0415 - 40 ms, for terminals alone; it knows NO_COLOR

    console = Console(file=out, highlight=False, markup=False, emoji=False)
    for block in page:
        console.print(_rendered(block, console))


def show_json(document: object) -> None:
    """Print one JSON document on one line."""
    import json  # noqa: PLC0415

    click.echo(harmless_json(json.dumps(document, ensure_ascii=False, allow_nan=False)))


def _rendered(block: Block, console: "Console") -> "RenderableType":
    from rich.padding import Padding  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    if isinstance(block, Grid):
        return _grid(block)
    if isinstance(block, Entries):
        return _entries(block, console)
    return Padding(Text.assemble(*map(_inked, block.pieces)), (0, 0, 0, block.indent))


def _grid(grid: Grid) -> "RenderableType":
    from rich import box  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    table = Table(box=box.ROUNDED, header_style="bold", border_style="dim")
    for header in grid.headers:
        table.add_column(clean(header), overflow="fold")
    for row in grid.rows:
        table.add_row(*map(_inked, row))
    return table


def _entries(block: Entries, console: "Console") -> "RenderableType":
    """A frame around all of them: on the left what they are (the first piece of each head), on the right the rest and its lines."""
    from rich import box  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    table = Table(box=box.ROUNDED, border_style="dim", show_header=False, show_lines=True, width=min(console.width, 120))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold", ratio=1)
    for entry in block.entries:
        table.add_row(_inked(entry.head[0]), _content(entry))
    return table


def _content(entry: Entry) -> "Text":
    from rich.text import Text  # noqa: PLC0415

    head = [piece for piece in entry.head[1:] if text_of(piece)]
    content = Text("  ").join(map(_inked, head))
    for line in entry.lines:
        content.append("\n").append_text(_inked(line))
    return content


def _inked(piece: Piece) -> "Text":
    from rich.text import Text  # noqa: PLC0415

    style = "" if isinstance(piece, str) else STYLES.get(piece.style, "")
    return Text(clean(text_of(piece)), style=style)
