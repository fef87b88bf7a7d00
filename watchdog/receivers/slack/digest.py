"""How Slack shows a digest: a line for the notification, and a section for each chapter beside a coloured bar.

In: a message with a report. Out: the body for an incoming webhook, as JSON values, within Slack's limits (see `blocks`). Rows and chapters
that do not fit are counted; `watchdog report` shows them all.
"""

import json
from collections.abc import Iterator
from typing import Any

from watchdog.core.incidents.messages import Message
from watchdog.core.model.severity import Severity, worst
from watchdog.core.report.chapters import Chapter, cells_of, chapters_of, headline_of
from watchdog.core.report.report import Report
from watchdog.receivers.colours import COLOURS, GOOD
from watchdog.receivers.slack.blocks import LARGEST_BODY, context, section
from watchdog.receivers.slack.text import bold, code, prose

__all__ = ["digest_body"]

MOST_CHAPTERS, MOST_ROWS, MOST_NAMES = 40, 10, 10
_NOTIFICATION, _TITLE, _SENTENCE, _NAME, _CELL, _SECTION = 300, 150, 600, 120, 200, 2_900
"""The most characters of each part."""
_LARGEST_BLOCKS = LARGEST_BODY - 5_000


def digest_body(message: Message, report: Report) -> dict[str, Any]:
    """The message as JSON values."""
    return {
        "text": prose(headline_of(report), _NOTIFICATION).replace("://", ":\u2044\u2044"),
        "unfurl_links": False,
        "unfurl_media": False,
        "attachments": [{"color": _colour(report), "blocks": list(_blocks(message, report))}],
    }


def _colour(report: Report) -> str:
    """That of the worst that still fires; else, what fired has ended, which is neither good nor bad, or nothing did."""
    burning = [Severity(one.severity) for one in report.incidents if one.burning]
    if burning:
        return COLOURS[worst(burning)]
    return COLOURS[Severity.INFO] if report.incidents_in_all else GOOD


def _blocks(message: Message, report: Report) -> Iterator[dict[str, Any]]:
    chapters, size = chapters_of(report, MOST_NAMES), 0
    for shown, chapter in enumerate(chapters):
        block = section(_fitting([bold(chapter.title, _TITLE), *_lines(chapter)]))
        size += len(json.dumps(block, ensure_ascii=False).encode())
        if shown == MOST_CHAPTERS or size > _LARGEST_BLOCKS:
            yield context([f"… and {len(chapters) - shown} more parts; `watchdog report` shows them"])
            break
        yield block
    yield context([prose(message.service, _NAME)])


def _lines(chapter: Chapter) -> Iterator[str]:
    yield from (prose(sentence, _SENTENCE) for sentence in chapter.sentences)
    for row in chapter.rows[:MOST_ROWS]:
        first, *rest = cells_of(chapter, row)
        yield " · ".join((code(first, _NAME), *(prose(cell, _CELL) for cell in rest)))
    more = chapter.more + max(len(chapter.rows) - MOST_ROWS, 0)
    if more:
        yield f"… and {more:,} more"


def _fitting(lines: list[str]) -> list[str]:
    """As many lines as a section holds; the others are counted. Characters above U+FFFF count twice, as they do in UTF-16."""
    kept, size = list[str](), 0
    for shown, line in enumerate(lines):
        size += len(line) + sum(letter > "\uffff" for letter in line) + 1
        if size > _SECTION:
            return [*kept, f"… and {len(lines) - shown} more lines"]
        kept.append(line)
    return kept
