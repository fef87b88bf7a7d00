"""A look-alike of a workflow that posts to Teams: enforces the size and the form of Adaptive Cards, answers in Power Automate's words.

Size and form as in learn.microsoft.com ("Create incoming webhooks with Workflows") and the schema of Adaptive Cards 1.4.
"""

import json
from collections.abc import Iterator
from typing import Any

from tests.servers.receiver import Answer, RecordingReceiver, Request

__all__ = ["Teams"]

COLOURS = {"default", "dark", "light", "accent", "good", "warning", "attention"}


class Teams(RecordingReceiver):
    """Answers 202 for what a workflow takes, else an error; `refuses`: status, code and message of the next answers."""

    def __init__(self) -> None:
        super().__init__()
        self.cards: list[dict[str, Any]] = []
        self.refuses: list[tuple[int, str, str]] = []

    def take(self, request: Request) -> Answer:
        programmed = super().take(request)
        if programmed != Answer():
            return programmed
        if self.refuses:
            return _error(*self.refuses.pop(0))
        if len(request.body) > 28 * 1024:
            return _error(413, "RequestEntityTooLarge", "The message is larger than 28 KB.")
        post = json.loads(request.body)
        [attachment] = post["attachments"]
        faults = list(_faults(attachment["content"]))
        if post["type"] != "message" or attachment["contentType"] != "application/vnd.microsoft.card.adaptive" or faults:
            return _error(400, "TriggerInputSchemaMismatch", "; ".join(faults))
        self.cards.append(attachment["content"])
        return Answer(202)

    @property
    def texts(self) -> list[str]:
        """The paragraphs of the last card."""
        return ["".join(run["text"] for run in block["inlines"]) for block in self.cards[-1]["body"]]


def _error(status: int, code: str, message: str) -> Answer:
    return Answer(status, {"content-type": "application/json"}, json.dumps({"error": {"code": code, "message": message}}).encode())


def _faults(card: dict[str, Any]) -> Iterator[str]:
    if card.get("type") != "AdaptiveCard" or card.get("version") not in ("1.2", "1.3", "1.4", "1.5"):
        yield "not an Adaptive Card"
    for block in card["body"]:
        if block["type"] != "RichTextBlock" or not block["inlines"]:
            yield "an unknown block, or an empty one"
        for run in block["inlines"]:
            if run["type"] != "TextRun" or not run["text"] or run.get("color", "default") not in COLOURS:
                yield "an unknown run, or an empty one"
    actions = card.get("actions", [])
    if len(actions) > 6:
        yield "more than six actions"
    for action in actions:
        if action["type"] != "Action.OpenUrl" or not action["url"].startswith(("https://", "http://")):
            yield "an action that opens nothing"
