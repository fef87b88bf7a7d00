"""A look-alike of a Discord webhook: enforces Discord's documented limits, answers in its words, and keeps what it took.

Limits as in Discord's documentation of webhooks and embeds; characters are UTF-16 units, as Discord's clients count them.
"""

import json
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from tests.servers.forms import File, form_in, png_size
from tests.servers.receiver import Answer, RecordingReceiver, Request

LARGEST_REQUEST = 10 * 1024 * 1024
__all__ = ["Discord"]


class Discord(RecordingReceiver):
    """Answers 204 for what Discord takes, 400 for what it does not, 404 once `deleted`, 429 with the seconds in `busy`. `small`: it
    takes no files.
    """

    def __init__(self) -> None:
        super().__init__()
        self.posts: list[dict[str, Any]] = []
        self.files: list[dict[str, File]] = []
        self.deleted, self.busy = False, list[float]()
        self.small = False

    def take(self, request: Request) -> Answer:
        programmed = super().take(request)
        if programmed != Answer():
            return programmed
        if self.deleted:
            return _said(404, {"message": "Unknown Webhook", "code": 10015})
        if self.busy:
            return _said(429, {"message": "You are being rate limited.", "retry_after": self.busy.pop(0), "global": False})
        if len(request.body) > LARGEST_REQUEST or (self.small and form_in(request) is not None):
            return _said(413, {"message": "Request entity too large", "code": 40005})
        return self._taken(request)

    def _taken(self, request: Request) -> Answer:
        try:
            form = form_in(request)
            post = json.loads(request.body if form is None else form[0]["payload_json"])
        except (ValueError, KeyError):
            return _said(400, {"message": "The request body contains invalid JSON.", "code": 50109})
        files = {} if form is None else form[1]
        faults = [*_faults(post), *_file_faults(post, files)]
        if faults:
            return _said(400, {"message": "Invalid Form Body", "code": 50035, "errors": {"_errors": faults}})
        self.posts.append(post)
        self.files.append(files)
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


def _file_faults(post: Any, files: dict[str, File]) -> Iterator[str]:
    """What Discord says of files and of what refers to them."""
    names = {file.name for file in files.values()}
    for field, file in files.items():
        if not re.fullmatch(r"files\[\d+\]", field):
            yield f"{field}: not the name of a file"
        if png_size(file.content) is None or file.kind != "image/png":
            yield f"{field}: not a PNG"
    for attachment in post.get("attachments", []):
        if f"files[{attachment['id']}]" not in files:
            yield f"attachments: {attachment['id']} is no file"
        if _units(attachment.get("description", "")) > 1024:
            yield "attachments.description: Must be 1024 or fewer in length."
    for number, embed in enumerate(post.get("embeds", [])):
        url = embed.get("image", {}).get("url", "")
        if url and url.removeprefix("attachment://") not in names:
            yield f"embeds.{number}.image.url: Not a well formed URL."
