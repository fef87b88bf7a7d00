"""The styles of a terminal: pieces of a page as rich shows them."""

from typing import TYPE_CHECKING

from watchdog.cli.output.page import Cell, clean, text_of

if TYPE_CHECKING:
    from rich.text import Text

__all__ = ["inked"]

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
    "chart": "cyan",
    "failed": "red",
}


def inked(cell: Cell) -> "Text":
    """A piece, or several, in their styles."""
    from rich.text import Text  # noqa: PLC0415

    if isinstance(cell, tuple):
        return Text.assemble(*map(inked, cell))
    style = "" if isinstance(cell, str) else STYLES.get(cell.style, "")
    return Text(clean(text_of(cell)), style=style)
