"""A report as Markdown (GitHub's): headings, sentences, tables. Names from outside are shown as they are and interpreted as nothing."""

import re
from collections.abc import Iterable, Iterator

from watchdog.core.report.chapters import Chapter, chapters_of, headline_of
from watchdog.core.report.report import Report
from watchdog.core.text.sanitize import sanitize

__all__ = ["report_markdown"]

_MARKUP = re.compile(r"([\\`*_\[\]<>#|~&@!$]|(?<!\d):(?=\S)|(?<=www)\.)", re.IGNORECASE)
"""What could be markup, an emoji, a link or a mention; not the colon of a time, nor what only means something at the start of a line."""


def report_markdown(report: Report) -> str:
    """Return the page, which ends with a newline."""
    lines = [f"# {_escaped(headline_of(report))}"]
    for chapter in chapters_of(report):
        lines += ["", *_chapter(chapter)]
    return "\n".join(lines) + "\n"


def _chapter(chapter: Chapter) -> Iterator[str]:
    yield f"## {_escaped(chapter.title)}"
    yield ""
    yield from (f"- {_escaped(sentence)}" for sentence in chapter.sentences)
    if chapter.rows:
        if chapter.sentences:
            yield ""
        yield _row(column.name for column in chapter.columns)
        yield "|" + "|".join(" ---: " if column.right else " --- " for column in chapter.columns) + "|"
        yield from (_row(row) for row in chapter.rows)
    if chapter.more > 0:
        yield ""
        yield f"… and {chapter.more:,} more"


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(_escaped(cell) for cell in cells) + " |"


def _escaped(text: str) -> str:
    return _MARKUP.sub(r"\\\1", sanitize(text))
