"""A look-alike of a Discord webhook: enforces Discord's documented limits, answers in its words, and keeps what it took.

Limits as in Discord's documentation of webhooks and embeds; characters are UTF-16 units, as Discord's clients count them.
"""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from tests.servers.receiver import Answer, RecordingReceiver, Request

__all__ = ["Discord"]


class Discord(RecordingReceiver):
    """Answers 204 for what Discord takes, 400 for what it does not, 404 once `deleted`, 429 with the seconds in `busy`."""

    def __init__(self) -> None:
        super().__init__()
        self.posts: list[dict[str, Any]] = []
        self.deleted, self.busy = False, list[float]()

    def take(self, request: Request) -> Answer:
        programmed = super().take(request)
        if programmed != Answer():
            return programmed
        if self.deleted:
            return _said(404, {"message": "Unknown Webhook", "code": 10015})
        if self.busy:
            return _said(429, {"message": "You are being rate limited.", "retry_after": self.busy.pop(0), "global": False})
        try:
            post = json.loads(request.body)
        except ValueError:
            return _said(400, {"message": "The request body contains invalid JSON.", "code": 50109})
        faults = list(_faults(post))
        if faults:
            return _said(400, {"message": "Invalid Form Body", "code": 50035, "errors": {"_errors": faults}})
        self.posts.append(post)
        return Answer(204)


def _said(status: int, body: dict[str, Any]) -> Answer:
    return Answer(status, {"content-type": "application/json"}, json.dumps(body).encode())


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def _faults(post: Any) -> Iterator[str]:  # noqa: C901 - a list of rules
    embeds = post.get("embeds", [])
    if not post.get("content") and not embeds:
        yield "Cannot send an empty message"
    if _units(post.get("content", "")) > 2000:
        yield "content: Must be 2000 or fewer in length."
    if len(embeds) > 10:
        yield "embeds: Must be 10 or fewer in length."
    total = 0
    for number, embed in enumerate(embeds):
        for name, most in (("title", 256), ("description", 4096)):
            total += _units(embed.get(name, ""))
            if _units(embed.get(name, "")) > most:
                yield f"embeds.{number}.{name}: Must be {most} or fewer in length."
        if not embed.get("title") and not embed.get("description"):
            yield f"embeds.{number}: is empty"
        if "url" in embed and not embed["url"].startswith(("http://", "https://")):
            yield f"embeds.{number}.url: Not a well formed URL."
        if "timestamp" in embed:
            datetime.fromisoformat(embed["timestamp"])
    if total > 6000:
        yield "embeds: Embed size exceeds maximum size of 6000"
