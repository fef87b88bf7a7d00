"""A look-alike of Telegram's Bot API: enforces the rules of `sendMessage` and `sendPhoto`, answers in its words, and keeps what it took.

Limits, HTML and answers as in core.telegram.org/bots/api.
"""

import json
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

from tests.servers.forms import form_in, png_size
from tests.servers.receiver import Answer, RecordingReceiver, Request

__all__ = ["CHAT", "TOKEN", "Telegram", "shown"]

TOKEN = "123456:s3cretT0ken-ABCDEFGHIJKLMNOPQRSTUV"
CHAT = -1001234567890
LARGEST_PHOTO = 10 * 1024 * 1024
TAGS = ("b", "i", "u", "s", "a", "code", "pre")


class Telegram(RecordingReceiver):
    """Answers `{"ok": true}` for what Telegram takes; for the rest a status with a description. `busy`: seconds of the next 429s."""

    def __init__(self) -> None:
        super().__init__()
        self.posts: list[dict[str, Any]] = []
        self.takes_photos = True
        self.busy, self.refuses = list[int](), list[tuple[int, str, dict[str, Any]]]()

    def take(self, request: Request) -> Answer:
        programmed = super().take(request)
        if programmed != Answer():
            return programmed
        if request.path not in (f"/bot{TOKEN}/sendMessage", f"/bot{TOKEN}/sendPhoto"):
            return _said(401, "Unauthorized")
        if self.busy:
            seconds = self.busy.pop(0)
            return _said(429, f"Too Many Requests: retry after {seconds}", {"retry_after": seconds})
        if self.refuses:
            return _said(*self.refuses.pop(0))
        if request.path.endswith("/sendPhoto"):
            return self._photo(request)
        post = json.loads(request.body)
        if post.get("chat_id") != CHAT:
            return _said(400, "Bad Request: chat not found")
        faults = list(_faults(post))
        if faults:
            return _said(400, f"Bad Request: {faults[0]}")
        return self._taken(post)

    def _photo(self, request: Request) -> Answer:
        form = form_in(request)
        if form is None or "photo" not in form[1]:
            return _said(400, "Bad Request: there is no photo in the request")
        fields, picture = form[0], form[1]["photo"]
        if fields.get("chat_id") != str(CHAT):
            return _said(400, "Bad Request: chat not found")
        if not self.takes_photos:
            return _said(400, "Bad Request: not enough rights to send photos to the chat")
        size = png_size(picture.content)
        if size is None or len(picture.content) > LARGEST_PHOTO:
            return _said(400, "Bad Request: IMAGE_PROCESS_FAILED")
        if sum(size) > 10_000 or max(size) > 20 * min(size):
            return _said(400, "Bad Request: PHOTO_INVALID_DIMENSIONS")
        caption = _read({"text": fields.get("caption", "")} if fields.get("parse_mode") == "HTML" else {})
        if caption.faults or caption.open:
            return _said(400, "Bad Request: can't parse entities")
        if len(caption.text.encode("utf-16-le")) // 2 > 1024:
            return _said(400, "Bad Request: message caption is too long")
        return self._taken({**fields, "photo": picture})

    def _taken(self, post: dict[str, Any]) -> Answer:
        self.posts.append(post)
        return Answer(200, {}, json.dumps({"ok": True, "result": {"message_id": len(self.posts)}}).encode())


def _said(status: int, description: str, parameters: dict[str, Any] | None = None) -> Answer:
    said = {"ok": False, "error_code": status, "description": description, **({"parameters": parameters} if parameters else {})}
    return Answer(status, {"content-type": "application/json"}, json.dumps(said).encode())


class _Reader(HTMLParser):
    """The text, and the text outside of code and links; a fault for each tag that Telegram does not take."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.text, self.prose, self.open, self.faults = "", "", list[str](), list[str]()

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.open.append(tag)
        if tag not in TAGS or (attrs and tag != "a"):
            self.faults.append(f'can\'t parse entities: Unsupported start tag "{tag}"')

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.faults.append(f'can\'t parse entities: Unmatched end tag "{tag}"')

    def handle_data(self, data: str) -> None:
        self.text += data
        if not {"code", "pre", "a"} & set(self.open):
            self.prose += data


def shown(post: dict[str, Any]) -> tuple[str, str]:
    """What people read of a message, and the part of it in which Telegram looks for links, mentions and commands."""
    reader = _read(post)
    return reader.text, reader.prose


def _read(post: dict[str, Any]) -> _Reader:
    reader = _Reader()
    reader.feed(post.get("text", ""))
    reader.close()
    return reader


def _faults(post: dict[str, Any]) -> Iterator[str]:
    reader = _read(post)
    yield from reader.faults
    if reader.open:
        yield f"can't parse entities: Can't find end tag corresponding to start tag \"{reader.open[-1]}\""
    if not reader.text.strip():
        yield "message text is empty"
    if len(reader.text.encode("utf-16-le")) // 2 > 4096:
        yield "message is too long"
