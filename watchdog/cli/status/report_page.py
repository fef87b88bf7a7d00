"""A report for the terminal: its headline, and a panel for each chapter.

In: a `Report`, the database's path. Out: a page. Pure.
"""

from collections.abc import Iterator

from watchdog.cli.output.page import Block, ByMedium, Heading, Ink, Line, Panel, Piece, Sheet
from watchdog.core.report.chapters import Chapter, cells_of, chapters_of, headline_of
from watchdog.core.report.report import Report

__all__ = ["report_page"]


def report_page(report: Report, database: str) -> list[Block]:
    """The page."""
    chapters = [_panel(chapter) for chapter in chapters_of(report)]
    return [Line.of(Ink(headline_of(report), "strong")), *chapters, Line.of(Ink(f"database {database}", "faint"))]


def _panel(chapter: Chapter) -> Panel:
    blocks: list[Block] = [Line.of(sentence) for sentence in chapter.sentences]
    if chapter.rows:
        headings = tuple(Heading(column.name, right=column.right, elastic=column.elastic) for column in chapter.columns)
        sheet = Sheet(headings, tuple(tuple(map(_cell, row)) for row in chapter.rows))
        wordy = sum(column.elastic for column in chapter.columns) > 1
        blocks.append(ByMedium((sheet,), tuple(_two_lines(chapter))) if wordy else sheet)
    if chapter.more > 0:
        blocks.append(Line.of(Ink(f"… and {chapter.more:,} more", "faint")))
    return Panel(chapter.title, tuple(blocks))


def _two_lines(chapter: Chapter) -> Iterator[Line]:
    """Two lines a row: several columns of sentences would be too narrow to read."""
    for row in chapter.rows:
        first, what, *rest = cells_of(chapter, row)
        yield Line.of(_cell(first), " ", what)
        pieces = [piece for cell in rest for piece in (" · ", _cell(cell))]
        yield Line.of(*pieces[1:], indent=INDENT)


INDENT = 2
_STYLES = {"critical": "critical", "error": "error", "warning": "warning", "info": "info", "nobody acted": "odd", "?": "odd"}
"""Cells of our own that have a style."""


def _cell(cell: str) -> Piece:
    return Ink(cell, _STYLES[cell]) if cell in _STYLES else cell
