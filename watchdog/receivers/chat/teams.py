"""Microsoft Teams: one Adaptive Card per POST to the URL of a workflow (Power Automate) that posts it to a channel or a chat.

Texts from outside are `TextRun`s, which Teams shows as they are: it looks for markup in `TextBlock`s and facts only. A card is at most 28
KB (learn.microsoft.com, "Create incoming webhooks with Workflows"). A workflow answers 202 before Teams has the card.
"""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from watchdog.core.incidents.messages import Message, Notice
from watchdog.core.incidents.outcome import Outcome, Refused
from watchdog.core.incidents.payload import headline, subject_of
from watchdog.core.incidents.quiet.flapping import flapping_note
from watchdog.core.model.severity import Severity
from watchdog.core.report.chapters import chapters_of, lines_of
from watchdog.core.text.sanitize import one_line
from watchdog.receivers.http.json_answer import json_object
from watchdog.receivers.http.outcome import HttpAnswer, outcome_of
from watchdog.receivers.http.receiver import HttpReceiver, json_bytes
from watchdog.receivers.http.settings import HttpSettings
from watchdog.receivers.notice_text import facts_of, is_over, is_url, limited, recovered, runbook_lines, urgency, what_of
from watchdog.receivers.settings import DigestSettings

__all__ = ["LARGEST_BODY", "TeamsReceiver", "TeamsSettings"]

LARGEST_BODY = 28 * 1024
"""Teams' limit (bytes)."""
_ROOM = LARGEST_BODY - 3_000
_LINE, _NAME, _VALUE, _MOST_FACTS, _MOST_LINKS = 300, 60, 150, 10, 4
_COLOURS = {Severity.CRITICAL: "attention", Severity.ERROR: "attention", Severity.WARNING: "warning", Severity.INFO: "accent"}

_AGAIN = 'make a new one in Teams (channel, Workflows, "Send webhook alerts to a channel") and set `url`'
MEND: Mapping[str, tuple[str, bool]] = {
    "WorkflowNotFound": (f"the workflow was deleted; {_AGAIN}", True),
    "WorkflowTriggerIsNotEnabled": ("the workflow is switched off; switch it on in Power Automate", True),
    "WorkflowTriggerNotFound": (f"`url` is incomplete; copy it again, or {_AGAIN}", True),
    "AuthorizationFailed": (f"`url` is incomplete, or its signature is no longer valid; copy it again, or {_AGAIN}", True),
    "DirectApiAuthorizationRequired": ("`url` lacks its signature (`sig=…`), or the workflow wants a login; let anyone trigger it", True),
    "TriggerInputSchemaMismatch": ("the workflow expects another form; make it from the template for webhook alerts", False),
}
"""Power Automate's code -> what to fix, and whether every other message would get the same answer."""


class TeamsSettings(DigestSettings, HttpSettings):
    """`type = "teams"`; `url` is that of a workflow, which determines where it posts."""

    type: Literal["teams"]
    per_second: Annotated[float, Field(gt=0, le=1000)] = 1.0


class TeamsReceiver(HttpReceiver):
    """Posts to one workflow."""

    def __init__(self, settings: TeamsSettings) -> None:
        super().__init__(settings, settings.attempt(), teams_outcome)

    def render(self, message: Message) -> bytes:
        """The JSON of a message with one card."""
        blocks = list(_fitting(_report(message) if message.digest is not None else _incidents(message)))
        links = list(_links(message))
        card = {
            "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
            "type": "AdaptiveCard",
            "version": "1.4",
            "msteams": {"width": "Full"},
            "body": [_text([_run(_title(message), weight="bolder", size="medium")]), *blocks],
            **({"actions": links} if links else {}),
        }
        attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
        return json_bytes({"type": "message", "attachments": [attachment]})


def _run(text: str, **style: Any) -> dict[str, Any]:
    return {"type": "TextRun", "text": text, **style}


def _text(runs: list[dict[str, Any]], **style: Any) -> dict[str, Any]:
    """A paragraph of texts that are shown as they are."""
    return {"type": "RichTextBlock", "inlines": runs, **style}


def _title(message: Message) -> str:
    if message.digest is not None or len(message.notices) > 1:
        return limited(headline(message) if message.digest is not None else f"{message.target}: {headline(message)}", _LINE)
    return limited(f"{message.target}: {what_of(message.notices[0], message.created_at)}", _LINE)


def _fitting(parts: Iterator[tuple[str, list[dict[str, Any]]]]) -> Iterator[dict[str, Any]]:
    """The blocks of as many parts as fit; then the sentence that counts the others."""
    size = 0
    for counted, blocks in parts:
        size += len(json_bytes(blocks))
        if size > _ROOM:
            yield _text([_run(counted, isSubtle=True)])
            return
        yield from blocks


def _incidents(message: Message) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """For each incident, the most urgent first: the sentence if it and those after it do not fit, and its blocks."""
    notices = sorted(message.notices, key=urgency)
    for shown, notice in enumerate(notices):
        command = "watchdog incidents --all" if any(map(is_over, notices[shown:])) else "watchdog incidents"
        yield f"… and {len(notices) - shown} more; {command} lists them", list(_blocks(notice, message))


def _blocks(notice: Notice, message: Message) -> Iterator[dict[str, Any]]:
    what = limited(what_of(notice, message.created_at), 100)
    said = limited(f"{subject_of(notice)}{flapping_note(notice)}", _LINE)
    yield _text(
        [_run(f"{what}: ", weight="bolder", color=_colour(notice)), _run(said or "?", weight="bolder")], separator=True, spacing="medium"
    )
    facts = [(name, value) for name, value in facts_of(notice) if name != "target"][:_MOST_FACTS]
    yield _text(
        [_run(" · ".join(f"{limited(name, _NAME)} {limited(value, _VALUE)}" for name, value in facts), isSubtle=True)], spacing="none"
    )
    if not is_over(notice):
        yield from (_text([_run(line)], spacing="none") for line in runbook_lines(notice, _LINE)[:3] if not is_url(line))


def _colour(notice: Notice) -> str:
    if not is_over(notice):
        return _COLOURS[notice.severity]
    return "good" if recovered(notice) else "default"


def _links(message: Message) -> Iterator[dict[str, Any]]:
    """Buttons: runbooks of what fires, and Flower."""
    notices = sorted(message.notices, key=urgency)
    pairs = [(one.runbook.strip(), "Runbook") for one in notices if not is_over(one)] + [(one.link, "Open in Flower") for one in notices]
    shown = [(url, label) for url, label in dict.fromkeys(pairs) if is_url(url) and len(url) <= _LINE][:_MOST_LINKS]
    yield from ({"type": "Action.OpenUrl", "title": label, "url": url} for url, label in shown)


def _report(message: Message) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    chapters = chapters_of(message.digest, 10) if message.digest is not None else ()
    for shown, chapter in enumerate(chapters):
        lines = [_text([_run(limited(line, _LINE))], spacing="none") for line in lines_of(chapter)]
        title = _text([_run(limited(chapter.title, _LINE), weight="bolder")], separator=True, spacing="medium")
        yield f"… and {len(chapters) - shown} more parts; watchdog report shows them", [title, *lines]


def teams_outcome(answer: HttpAnswer, now: float) -> Outcome:
    """Interpret the workflow's answer, by the code of its error if it gives one. `now`: see `outcome_of`."""
    by_status, error = outcome_of(answer, now), json_object(answer.unsecret).get("error")
    if not isinstance(by_status, Refused) or not isinstance(error, dict) or error.get("code") not in MEND:
        return by_status
    mend, gone = MEND[str(error["code"])]
    return Refused(f"{answer.answered}: {error['code']}: {one_line(str(error.get('message', '')))}; {mend}", gone=gone)
