"""Messages of Mattermost and Rocket.Chat: a line of text, and an attachment for each incident beside its colour.

Texts from outside are shown as they are: the two read Markdown differently, and neither has an escape that the other knows, so characters
that either would take for markup, a link, a mention or an emoji are replaced by lookalikes. Names stand in code spans, to be copied.
"""

import re
from collections.abc import Iterator
from typing import Any

from watchdog.core.incidents.messages import Message, Notice
from watchdog.core.incidents.payload import subject_of
from watchdog.core.incidents.quiet.flapping import flapping_note
from watchdog.core.report.chapters import chapters_of, lines_of
from watchdog.receivers.colours import colour_of
from watchdog.receivers.notice_text import (
    facts_of,
    is_over,
    is_url,
    limited,
    runbook_lines,
    title_line,
    urgency,
    utf16_length,
    what_of,
)

__all__ = ["body_of"]

_MOST_ATTACHMENTS = 20
_TEXT, _TITLE, _LINE, _NAME, _MOST_FACTS = 300, 250, 300, 120, 8

_LOOKALIKES = str.maketrans(
    {
        "*": "\u2217",
        "~": "\u223c",
        "`": "\u02cb",
        "@": "\uff20",
        "#": "\uff03",
        "<": "\u2039",
        ">": "\u203a",
        "[": "\uff3b",
        "]": "\uff3d",
        "|": "\u2223",
        "\\": "\u2216",
        "$": "\uff04",
    }
)
_EDGE_UNDERSCORE = re.compile(r"(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
_EMOJI_COLON = re.compile(r":(?!\d\d:)(?=[\w+'-]+:)")
_DOMAIN_DOT = re.compile(r"(?<=\w)\.(?=\w)")
_LIST = re.compile(r"^([-+]|\d+[.)])(?=\s|$)")


def body_of(message: Message, room: int) -> dict[str, Any]:
    """The message: texts and titles together have at most `room` characters. What does not fit is counted."""
    parts = _report(message) if message.digest is not None else _incidents(message)
    text = prose(title_line(message), _TEXT)
    return {"text": text, "attachments": list(_fitting(parts, room - utf16_length(text)))}


def prose(text: str, longest: int) -> str:
    """One line of at most `longest` characters, in which nothing is markup."""
    inert = _EDGE_UNDERSCORE.sub("\u02cd", limited(text, longest).translate(_LOOKALIKES)).replace("://", ":\u2044\u2044")
    return _LIST.sub("\\1\u2060", _DOMAIN_DOT.sub(".\u2060", _EMOJI_COLON.sub("\u2236", inert)))


def code(text: str) -> str:
    """A name as a code span, to be copied."""
    return f"`{limited(text, _NAME).replace('`', chr(0x2CB)) or chr(0x2205)}`"


def _fitting(parts: Iterator[tuple[str, dict[str, Any]]], room: int) -> Iterator[dict[str, Any]]:
    """As many attachments as fit; then one with the sentence that counts the others."""
    size = 0
    for shown, (counted, attachment) in enumerate(parts):
        size += utf16_length(attachment["title"]) + utf16_length(attachment["text"])
        if size > room - len(counted) or shown == _MOST_ATTACHMENTS:
            yield {"fallback": counted, "text": counted}
            return
        yield attachment


def _incidents(message: Message) -> Iterator[tuple[str, dict[str, Any]]]:
    """For each incident, the most urgent first: the sentence if it and those after it do not fit, and its attachment."""
    notices = sorted(message.notices, key=urgency)
    for shown, notice in enumerate(notices):
        command = "watchdog incidents --all" if any(map(is_over, notices[shown:])) else "watchdog incidents"
        yield f"… and {len(notices) - shown} more; `{command}` lists them", _attachment(notice, message)


def _attachment(notice: Notice, message: Message) -> dict[str, Any]:
    title = prose(f"{what_of(notice, message.created_at)}: {subject_of(notice)}{flapping_note(notice)}", _TITLE)
    return {
        "fallback": title,
        "color": colour_of([notice]),
        "title": title,
        **({"title_link": notice.link} if is_url(notice.link) else {}),
        "text": "\n".join(_lines(notice)),
    }


def _lines(notice: Notice) -> Iterator[str]:
    facts = [(name, value) for name, value in facts_of(notice) if name not in ("began", "ended")][:_MOST_FACTS]
    yield " · ".join(f"{prose(name, 40)} {code(value)}" for name, value in facts)
    if is_over(notice):
        return
    runbook = notice.runbook.strip()
    if is_url(runbook) and not set("()") & set(runbook):
        yield f"[Runbook]({runbook})"
    else:
        yield from (prose(line, _LINE) for line in runbook_lines(notice, _LINE)[:3])


def _report(message: Message) -> Iterator[tuple[str, dict[str, Any]]]:
    chapters = chapters_of(message.digest, 10) if message.digest is not None else ()
    for shown, chapter in enumerate(chapters):
        title, text = prose(chapter.title, _TITLE), "\n".join(prose(line, _LINE) for line in lines_of(chapter))
        yield f"… and {len(chapters) - shown} more parts; `watchdog report` shows them", {"fallback": title, "title": title, "text": text}
