"""How Slack shows one message: a line for the notification, and a few lines per incident beside a coloured bar.

In: a `Message`. Out: the body for an incoming webhook, as JSON values, within Slack's limits (50 blocks, 3,000 characters a section,
10 elements a context of 2,000 each; docs.slack.dev/reference/block-kit/blocks). Incidents that do not fit are counted: the most severe come
first, ended ones last.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from msgspec.structs import replace

from watchdog.core.incidents.messages import Message, Notice
from watchdog.core.incidents.payload import headline, subject_of
from watchdog.core.incidents.quiet.flapping import flapping_note
from watchdog.core.model.rows import Cell
from watchdog.core.model.severity import worst
from watchdog.core.text.phrasing import format_value, worth_showing
from watchdog.receivers.colours import colour_of
from watchdog.receivers.notice_text import is_over, urgency, what_of
from watchdog.receivers.slack.text import bold, code, date, is_link, link, prose, prose_with_code

__all__ = ["LARGEST_BODY", "context", "section", "slack_body"]

LARGEST_BODY = 40_000
"""Bytes; our own limit, well below what Slack was seen to accept."""
MOST_INCIDENTS = 20
_LARGEST_BLOCKS = LARGEST_BODY - 5_000
_MOST_KEYS, _MOST_VALUES, _MOST_TARGETS, _MOST_RUNBOOK_LINES = 5, 8, 5, 3
_NOTIFICATION, _SUBJECT, _LINE, _NAME, _COLUMN = 300, 500, 300, 120, 40
"""The most characters of each part."""

"""Everything has ended, but not only by recovery: neither good news nor an alert."""


def slack_body(message: Message) -> dict[str, Any]:
    """The message as JSON values."""
    notices = sorted(message.notices, key=urgency)
    blocks, shown = _blocks(notices, message)
    if shown < len(notices):
        blocks.append(context([_and_more(notices[shown:])]))
    return {
        "text": _notification(message, notices),
        "unfurl_links": False,
        "unfurl_media": False,
        "attachments": [{"color": colour_of(notices), "blocks": blocks}],
    }


def _blocks(notices: Sequence[Notice], message: Message) -> tuple[list[dict[str, Any]], int]:
    """The blocks of as many incidents as fit, and their number; each runbook is shown once."""
    blocks: list[dict[str, Any]] = []
    runbooks: set[str] = set()
    size = 0
    for shown, notice in enumerate(notices[:MOST_INCIDENTS]):
        runbook = [] if is_over(notice) or notice.runbook in runbooks else list(_runbook(notice))
        said = f"{_what_and_subject(notice, message.created_at)}{flapping_note(notice)}"
        both = [section([said, *_closing(notice), *_remedy(notice), *runbook, *_link(notice)])]
        both.append(context([_where(notice), _values(notice), _why(notice), _when(notice, message.service)]))
        size += len(json.dumps(both, ensure_ascii=False).encode())
        if size > _LARGEST_BLOCKS:
            return blocks, shown
        blocks += both
        runbooks.add(notice.runbook)
    return blocks, min(len(notices), MOST_INCIDENTS)


def _notification(message: Message, notices: Sequence[Notice]) -> str:
    """The text of the push notification. Slack would turn URLs in it into links, so they are altered."""
    burning = [notice.severity for notice in notices if not is_over(notice)]
    if len(notices) == 1:
        said = f"{what_of(notices[0], message.created_at)} in {message.target}: {subject_of(notices[0])}{flapping_note(notices[0])}"
    else:
        listed = headline(replace(message, notices=tuple(notices)))
        said = f"{worst(burning).capitalize()} in {message.target}: {listed}" if burning else f"{message.target}: {listed}"
    return prose(said, _NOTIFICATION).replace("://", ":\u2044\u2044")


def _what_and_subject(notice: Notice, now: float) -> str:
    return f"{prose(what_of(notice, now), 100)}: {bold(subject_of(notice), _SUBJECT)}"


def _runbook(notice: Notice) -> Iterator[str]:
    """Its first lines, or a link; if there is more, the command that shows the rest."""
    runbook = notice.runbook.strip()
    if is_link(runbook):
        yield link(runbook, "Runbook")
        return
    lines = [line for line in runbook[: 10 * _LINE].splitlines() if line.strip()]
    yield from (prose_with_code(line, _LINE) for line in lines[:_MOST_RUNBOOK_LINES])
    if len(lines) > _MOST_RUNBOOK_LINES or len(runbook) > 10 * _LINE:
        yield f"… the rest: {code(f'watchdog incidents show {notice.incident}', 2 * _NAME)}"


def _closing(notice: Notice) -> Iterator[str]:
    """Who closed it by hand, and why."""
    if notice.closed_because:
        yield prose(f"Closed{f' by {notice.closed_by}' if notice.closed_by else ''}: {notice.closed_because}", _LINE)


def _remedy(notice: Notice) -> Iterator[str]:
    """What was done about it by itself."""
    if notice.remedy:
        yield prose(f"By itself: {notice.remedy}", 2 * _LINE)


def _link(notice: Notice) -> Iterator[str]:
    """A link to Flower, also for ended incidents: it shows the current state."""
    if is_link(notice.link):
        yield link(notice.link, "Open in Flower")


def _where(notice: Notice) -> str:
    """Rule, targets, key."""
    targets = notice.targets or (notice.target,)
    keys = [f"{prose(name, _COLUMN)} {code(value, _NAME)}" for name, value in list(notice.key.items())[:_MOST_KEYS]]
    named = [code(target, _NAME) for target in targets[:_MOST_TARGETS]] + _more(len(targets) - _MOST_TARGETS, "targets")
    return " · ".join([code(notice.rule, _NAME), ", ".join(named), *keys, *_more(len(notice.key) - _MOST_KEYS, "key columns")])


def _values(notice: Notice) -> str:
    """`length=60, consumers=2`, without the columns of the key; for an ended incident, the values of the last breach."""
    values = [(name, cell) for name, cell in worth_showing(notice.values).items() if name not in notice.key]
    shown = [f"{prose(name, _COLUMN)}={_cell(cell)}" for name, cell in values[:_MOST_VALUES]]
    listed = ", ".join(shown + _more(len(values) - _MOST_VALUES, "values"))
    return f"last {listed}" if listed and is_over(notice) else listed


def _cell(cell: Cell) -> str:
    if cell is None:
        return "?"
    return prose(format_value(cell), _NAME)


def _why(notice: Notice) -> str:
    """What explains it, a deploy nearby, and how its figure went."""
    said = [f"because of {prose(cause, _LINE)}" for cause in notice.because] + ([prose(notice.deploy, _LINE)] if notice.deploy else [])
    return " · ".join(said + ([prose(notice.trend, _LINE)] if notice.trend else []))


def _when(notice: Notice, service: str) -> str:
    ended = [f"ended {date(notice.resolved_at)}"] if notice.resolved_at is not None else []
    return " · ".join([f"began {date(notice.started_at)}", *ended, prose(service, _NAME)])


def _and_more(unshown: Sequence[Notice]) -> str:
    command = "watchdog incidents --all" if any(map(is_over, unshown)) else "watchdog incidents"
    return f"… and {len(unshown)} more; `{command}` lists them"


def _more(count: int, of_what: str) -> list[str]:
    return [f"and {count} more {of_what}"] if count > 0 else []


def section(lines: Sequence[str]) -> dict[str, Any]:
    """A section of these lines, which must be escaped."""
    return {"type": "section", "text": _mrkdwn("\n".join(lines))}


def context(texts: Sequence[str]) -> dict[str, Any]:
    """A context of these texts, which must be escaped."""
    return {"type": "context", "elements": [_mrkdwn(text) for text in texts if text]}


def _mrkdwn(text: str) -> dict[str, Any]:
    """A text object; `verbatim` stops Slack from converting URLs, channel names and @mentions in it."""
    return {"type": "mrkdwn", "text": text, "verbatim": True}
