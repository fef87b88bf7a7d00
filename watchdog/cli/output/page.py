"""The output of a command as values: lines, entries and grids. If pipes and terminals should differ, a block contains both.

`plain` renders a page as stable text for pipes; `screen` renders it on a terminal. Pages are built by pure functions, which tests check.
"""

from collections.abc import Sequence

from msgspec import Struct

from watchdog.core.text.phrasing import tidy
from watchdog.status.panel import Heading, Ink, Piece

__all__ = [
    "Block", "ByMedium", "Cell", "Entries", "Entry", "Grid", "Heading", "Ink", "Line", "Page", "Panel", "Piece", "Plain", "Sheet",
    "clean", "plain", "text_of",
]  # fmt: skip


Cell = Piece | tuple[Piece, ...]
"""The content of a cell of a sheet: a piece, or several that are joined without separators."""


class Line(Struct, frozen=True):
    """One line; its pieces are joined without separators."""

    pieces: tuple[Piece, ...] = ()
    indent: int = 0

    @classmethod
    def of(cls, *pieces: Piece, indent: int = 0) -> "Line":
        """A line of these pieces."""
        return cls(pieces, indent)


class Entry(Struct, frozen=True):
    """An item that needs more than one line: its head, in columns, and the lines below."""

    head: tuple[Piece, ...]
    lines: tuple[Piece, ...] = ()


class Entries(Struct, frozen=True):
    """Several entries with aligned heads."""

    entries: tuple[Entry, ...]


class Grid(Struct, frozen=True):
    """A table: a header for each column, and rows."""

    headers: tuple[str, ...]
    rows: tuple[tuple[Piece, ...], ...]


class Sheet(Struct, frozen=True):
    """A table without a frame, each row of which stays on one line of a terminal."""

    headings: tuple[Heading, ...]
    rows: tuple[tuple[Cell, ...], ...]


class Panel(Struct, frozen=True):
    """A titled part of a page; on a terminal with a frame around it. `note`: what stands at the right end of its title."""

    title: str
    blocks: tuple["Block", ...]
    note: str = ""


class ByMedium(Struct, frozen=True):
    """The same content in two forms: `piped` is a stable interface for scripts; `on_screen` is for people."""

    piped: tuple["Plain", ...]
    on_screen: tuple["Plain", ...]


Plain = Line | Entries | Grid | Sheet | Panel
Block = Plain | ByMedium
Page = Sequence[Block]


def text_of(cell: Cell) -> str:
    """A piece, or several, without their styles."""
    if isinstance(cell, tuple):
        return "".join(map(text_of, cell))
    return cell if isinstance(cell, str) else cell.text


def clean(text: str) -> str:
    """Text from outside on one line, without control characters."""
    return " ".join(tidy(text).split("\n")) if not text.isprintable() else text


def plain(page: Page) -> str:
    """The page as text that is the same everywhere: no colours, no frames, nothing cut."""
    lines = [line for block in page for line in _lines(block)]
    return "\n".join(line.rstrip() for line in lines) + "\n" if lines else ""


def _lines(block: Block) -> list[str]:
    if isinstance(block, ByMedium):
        return [line for piped in block.piped for line in _lines(piped)]
    if isinstance(block, Line):
        return [" " * block.indent + "".join(clean(text_of(piece)) for piece in block.pieces)]
    if isinstance(block, Panel):
        title = f"{clean(block.title)} ({clean(block.note)})" if block.note else clean(block.title)
        return [title, *("  " + line for inner in block.blocks for line in _lines(inner)), ""]
    if isinstance(block, Sheet):
        return _aligned([[heading.text for heading in block.headings], *block.rows], [heading.right for heading in block.headings])
    if isinstance(block, Grid):
        return _aligned([block.headers, *block.rows])
    heads = _aligned([entry.head for entry in block.entries])
    return [line for head, entry in zip(heads, block.entries, strict=True) for line in (head, *_below(entry))]


def _below(entry: Entry) -> list[str]:
    return ["    " + clean(text_of(line)) for line in entry.lines]


def _aligned(rows: Sequence[Sequence[Cell]], right: Sequence[bool] = ()) -> list[str]:
    """The cells of each row, separated by two spaces and padded to the width of their column; `right`: which columns on the left."""
    texts = [[clean(text_of(piece)) for piece in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)] if texts else []
    aside = right or [False] * len(widths)
    return [
        "  ".join(text.rjust(width) if left else text.ljust(width) for text, width, left in zip(row, widths, aside, strict=True))
        for row in texts
    ]
