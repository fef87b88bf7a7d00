"""Panels and sheets on a terminal: a frame with a title, columns whose rows stay on one line each.

Only `screen` imports it, where rich is imported anyway.
"""

from collections.abc import Sequence
from itertools import chain

from rich import box
from rich.cells import cell_len
from rich.console import Console, Group, RenderableType
from rich.panel import Panel as Frame
from rich.table import Table
from rich.text import Text

from watchdog.cli.output.ink import inked
from watchdog.cli.output.page import ByMedium, Heading, Line, Panel, Plain, Sheet, clean, text_of

__all__ = ["panel", "sheet", "side_by_side"]

WIDEST = 110
"""A frame does not get wider: the eye loses the line."""
FRAME = 4
GAP = 2
NARROWEST = 6
"""The least to which a column is cut."""
READABLE = 12
"""Columns are left out before an elastic one is cut to less."""


def panel(block: Panel, width: int) -> RenderableType:
    """A frame around the blocks of a panel."""
    outer = min(width, WIDEST)
    title = Text(clean(block.title), style="bold")
    note = Text(clean(block.note), style="dim") if block.note else None
    blocks = [one for block in block.blocks for one in (block.on_screen if isinstance(block, ByMedium) else (block,))]
    inside = Group(*(_inside(one, outer - FRAME) for one in blocks))
    return Frame(inside, title=_heading(title, note, outer), title_align="left", box=box.ROUNDED, border_style="dim", width=outer)


def side_by_side(blocks: Sequence[Panel], console: Console) -> RenderableType:
    """Two columns of panels, in reading order: each panel goes below the shorter column."""
    width = min((console.width - 1) // 2, WIDEST)
    columns: tuple[list[RenderableType], list[RenderableType]] = ([], [])
    heights = [0, 0]
    for block in blocks:
        shown = panel(block, width)
        nth = 0 if heights[0] <= heights[1] else 1
        columns[nth].append(shown)
        heights[nth] += len(console.render_lines(shown, console.options.update(width=width), pad=False))
    grid = Table.grid(padding=(0, 1, 0, 0))
    grid.add_row(*(Group(*column) for column in columns))
    return grid


def _heading(title: Text, note: Text | None, width: int) -> Text:
    """The title at the left end of the frame's upper line, the note at its right end."""
    if note is None or title.cell_len + note.cell_len + FRAME + 6 > width:
        return title
    line = Text(f" {'─' * (width - title.cell_len - note.cell_len - FRAME - 4)} ", style="dim")
    return Text.assemble(title, line, note)


def _inside(block: Plain, width: int) -> RenderableType:
    if isinstance(block, Sheet):
        return sheet(block, width)
    if isinstance(block, Line):
        text = Text(" " * block.indent).append_text(Text.assemble(*map(inked, block.pieces)))
        if len(block.pieces) > 1:  # a line that is composed must keep its shape; a sentence is folded
            text.no_wrap, text.overflow = True, "ellipsis"
        return text
    return Text("")


def sheet(block: Sheet, width: int) -> RenderableType:
    """Columns without a frame, fitted to the width."""
    block = _without_spare(block, width)
    widths = _fitted(block, width)
    table = Table(box=None, header_style="dim", pad_edge=False, padding=(0, GAP, 0, 0), collapse_padding=True)
    for heading, cells in zip(block.headings, widths, strict=True):
        table.add_column(clean(heading.text), justify="right" if heading.right else "left", width=cells, no_wrap=True, overflow="ellipsis")
    for row in block.rows:
        table.add_row(*map(inked, row))
    return table


def _without_spare(block: Sheet, width: int) -> Sheet:
    """The columns that can be shown: where even cut ones need too much, those that can be spared are left out, one after the other."""
    left, widths = list(range(len(block.headings))), _widths(block)
    while True:
        least = [min(widths[nth], READABLE) if block.headings[nth].elastic else widths[nth] for nth in left]
        spare = max(left, key=lambda nth: block.headings[nth].spare, default=None)
        if spare is None or not block.headings[spare].spare or sum(least) + GAP * (len(left) - 1) <= width:
            return Sheet(tuple(block.headings[nth] for nth in left), tuple(tuple(row[nth] for nth in left) for row in block.rows))
        left.remove(spare)


def _widths(block: Sheet) -> list[int]:
    """How wide the cells of each column are."""
    return [
        max(chain([cell_len(clean(heading.text))], (cell_len(clean(text_of(row[nth]))) for row in block.rows)))
        for nth, heading in enumerate(block.headings)
    ]


def _fitted(block: Sheet, width: int) -> list[int]:
    """The width of each column: as wide as its cells; where that is too much, the widest elastic ones give way."""
    widths = _widths(block)
    too_much = sum(widths) + GAP * (len(widths) - 1) - width
    while too_much > 0 and (widest := _widest(block.headings, widths)) is not None:
        widths[widest] -= 1
        too_much -= 1
    return widths


def _widest(headings: Sequence[Heading], widths: Sequence[int]) -> int | None:
    """The elastic column that can give most."""
    elastic = [nth for nth, heading in enumerate(headings) if heading.elastic and widths[nth] > NARROWEST]
    return max(elastic, key=lambda nth: widths[nth], default=None)
