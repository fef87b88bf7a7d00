"""Markdown that the references are made of. In: plain text and cells. Out: lines."""

import re
from collections.abc import Iterable, Iterator, Sequence

__all__ = ["GENERATED_BY", "code", "escaped", "table"]

GENERATED_BY = "This page is made of the code by `make docs-reference`."
_CODE = re.compile(r"(`[^`]*`)")
_SPECIAL = re.compile(r"([\\*<>\[\]]|(?<!\w)_|_(?!\w))")


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """The lines of a table; the cells are Markdown."""
    yield _row(header)
    yield _row(["---"] * len(header))
    yield from map(_row, rows)


def code(text: str) -> str:
    """A text as code; nothing stays nothing."""
    return f"`{text}`" if text else ""


def escaped(text: str) -> str:
    """A plain text, in which nothing but `code` has a meaning."""
    return "".join(part if nth % 2 else _SPECIAL.sub(r"\\\1", part) for nth, part in enumerate(_CODE.split(text)))


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
