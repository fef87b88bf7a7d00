"""A look-alike of Slack's Web API for bots: enforces its documented limits, answers in its words, and keeps its channels.

As in docs.slack.dev/reference/methods (chat.postMessage, chat.update, files.getUploadURLExternal, files.completeUploadExternal): errors
come with status 200, `ratelimited` with 429 and Retry-After.
"""

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from tests.builders.slack_limits import beyond_slacks_limits
from tests.servers.receiver import Answer, RecordingReceiver, Request

__all__ = ["CHANNEL", "TOKEN", "Shown", "SlackApi", "Upload"]

TOKEN = "xoxb-1234567890-s3cretb0t"
CHANNEL = "C0123456789"


@dataclass
class Shown:
    """One message of a channel: what it says now, how often it was changed, and its thread."""

    ts: str
    body: dict[str, Any]
    changes: int = 0
    thread: list[dict[str, Any]] = field(default_factory=list)

    @property
    def text(self) -> str:
        return str(self.body["text"])

    @property
    def colour(self) -> str:
        return str(self.body["attachments"][0]["color"])


@dataclass
class Upload:
    """One file: what was said of it, its bytes, and the thread that it was shared in."""

    length: int
    alt: str
    content: bytes = b""
    thread: str = ""
    title: str = ""


class SlackApi(RecordingReceiver):
    """One channel, `CHANNEL` (`#alerts`), that the bot is in unless `invited` is false. `busy`: seconds of the next 429s."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: dict[str, Shown] = {}
        self.broadcast: list[dict[str, Any]] = []
        self.scopes = {"chat:write", "files:write"}
        self.uploads: dict[str, Upload] = {}
        self.invited, self.busy, self.errors = True, list[int](), list[str]()
        self._number = 0

    @property
    def api(self) -> str:
        return f"http://127.0.0.1:{self.port}/api"

    @property
    def methods(self) -> list[str]:
        return [request.path.rpartition("/")[2] for request in self.requests]

    def take(self, request: Request) -> Answer:
        programmed = super().take(request)
        if programmed != Answer():
            return programmed
        if request.path.startswith("/upload/v1/"):
            return self._put(request)
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return _error("invalid_auth")
        if self.busy:
            return Answer(429, {"retry-after": str(self.busy.pop(0))}, b'{"ok":false,"error":"ratelimited"}')
        if self.errors:
            return _error(self.errors.pop(0))
        if request.path.endswith("/files.getUploadURLExternal"):
            return self._address(dict(parse_qsl(request.body.decode(), strict_parsing=True)))
        if request.path.endswith("/files.completeUploadExternal"):
            return self._shared(json.loads(request.body))
        return self._written(request)

    def _written(self, request: Request) -> Answer:
        body = json.loads(request.body)
        if body["channel"] not in (CHANNEL, "#alerts", "alerts"):
            return _error("channel_not_found")
        if not self.invited:
            return _error("not_in_channel")
        if beyond_slacks_limits(request.body):
            return _error("msg_too_long")
        return self._changed(body) if request.path.endswith("/chat.update") else self._posted(body)

    def _posted(self, body: dict[str, Any]) -> Answer:
        self._number += 1
        ts = f"1795338900.{self._number:06}"
        if parent := body.get("thread_ts"):
            if parent not in self.shown:
                return _error("thread_not_found")
            self.shown[parent].thread.append(body)
            self.broadcast += [body] if body.get("reply_broadcast") else []
        else:
            self.shown[ts] = Shown(ts, body)
        return _ok(ts, body)

    def _address(self, asked: dict[str, str]) -> Answer:
        if "files:write" not in self.scopes:
            return _error("missing_scope")
        if not asked.get("filename") or int(asked["length"]) <= 0:
            return _error("invalid_arguments")
        if len(asked.get("alt_txt", "")) > 1000:
            return _error("alt_txt_too_large")
        number = f"F{len(self.uploads):09}"
        self.uploads[number] = Upload(int(asked["length"]), asked.get("alt_txt", ""))
        url = f"http://127.0.0.1:{self.port}/upload/v1/{number}"
        return Answer(200, {}, json.dumps({"ok": True, "upload_url": url, "file_id": number}).encode())

    def _put(self, request: Request) -> Answer:
        """What has the token with it, or another length, is not taken."""
        upload = self.uploads.get(request.path.rpartition("/")[2])
        if upload is None or "authorization" in request.headers or len(request.body) != upload.length:
            return Answer(400, {}, b"wrong")
        upload.content = request.body
        return Answer(200, {}, b"OK - %d" % upload.length)

    def _shared(self, body: dict[str, Any]) -> Answer:
        if body.get("channel_id") != CHANNEL:
            return _error("invalid_channel")
        if body.get("thread_ts") not in self.shown:
            return _error("thread_not_found")
        [file] = body["files"]
        upload = self.uploads.get(file["id"])
        if upload is None or not upload.content or upload.thread:
            return _error("file_not_found")
        upload.thread, upload.title = body["thread_ts"], file["title"]
        return Answer(200, {}, json.dumps({"ok": True, "files": [{"id": file["id"]}]}).encode())

    def _changed(self, body: dict[str, Any]) -> Answer:
        if body["channel"] != CHANNEL:  # a name does not do
            return _error("channel_not_found")
        if body["ts"] not in self.shown:
            return _error("message_not_found")
        shown = self.shown[body["ts"]]
        shown.body, shown.changes = body, shown.changes + 1
        return _ok(body["ts"], body)


def _ok(ts: str, body: dict[str, Any]) -> Answer:
    """The whole message comes back, as Slack sends it."""
    said = {"ok": True, "channel": CHANNEL, "ts": ts, "message": {"type": "message", "ts": "1.5", "channel": "C9", **body}}
    return Answer(200, {"content-type": "application/json"}, json.dumps(said).encode())


def _error(error: str) -> Answer:
    return Answer(200, {"content-type": "application/json"}, json.dumps({"ok": False, "error": error}).encode())
