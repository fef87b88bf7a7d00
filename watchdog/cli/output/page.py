"""The output of a command as values: lines, entries and grids. If pipes and terminals should differ, a block contains both.

`plain` renders a page as stable text for pipes; `screen` renders it on a terminal. Pages are built by pure functions, which tests check.
"""

from collections.abc import Sequence

from msgspec import Struct

from watchdog.core.text.phrasing import tidy

__all__ = ["Block", "ByMedium", "Entries", "Entry", "Grid", "Ink", "Line", "Page", "Piece", "Plain", "clean", "plain", "text_of"]


class Ink(Struct, frozen=True):
    """A text with its style: a severity, or `good`, `bad`, `odd`, `faint`, `strong`."""

    text: str
    style: str


Piece = str | Ink


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


class ByMedium(Struct, frozen=True):
    """The same content in two forms: `piped` is a stable interface for scripts; `on_screen` is for people."""

    piped: tuple["Plain", ...]
    on_screen: tuple["Plain", ...]


Plain = Line | Entries | Grid
Block = Plain | ByMedium
Page = Sequence[Block]


def text_of(piece: Piece) -> str:
    """A piece without its style."""
    return piece if isinstance(piece, str) else piece.text


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
    if isinstance(block, Grid):
        return _aligned([block.headers, *block.rows])
    heads = _aligned([entry.head for entry in block.entries])
    return [line for head, entry in zip(heads, block.entries, strict=True) for line in (head, *_below(entry))]


def _below(entry: Entry) -> list[str]:
    return ["    " + clean(text_of(line)) for line in entry.lines]


def _aligned(rows: Sequence[Sequence[Piece]]) -> list[str]:
    """The cells of each row, separated by two spaces and padded to the width of their column."""
    texts = [[clean(text_of(piece)) for piece in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)] if texts else []
    return ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)) for row in texts]
