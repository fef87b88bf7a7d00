"""Look-alikes of Mattermost's and Rocket.Chat's incoming webhooks: they enforce limits, answer in their words, and keep what they took.

As in the sources of Mattermost 10 (app/webhook.go) and Rocket.Chat 7 (integrations/server/api), with their default settings.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from tests.servers.receiver import Answer, RecordingReceiver, Request

__all__ = ["Mattermost", "RocketChat"]


class Mattermost(RecordingReceiver):
    """Answers `ok`, 404 once `deleted`, 403 for another channel while `locked`."""

    def __init__(self) -> None:
        super().__init__()
        self.posts: list[dict[str, Any]] = []
        self.deleted = self.locked = False

    def take(self, request: Request) -> Answer:
        programmed = super().take(request)
        if programmed != Answer():
            return programmed
        hook = request.path.rpartition("/")[2]
        general = f"Failed to handle the payload of media type application/json for incoming webhook {hook}."
        try:
            post = json.loads(request.body)
        except ValueError:
            return _of_mattermost(400, "web.incoming_webhook.parse.app_error", "Unable to parse incoming data.")
        if self.deleted:
            return _of_mattermost(404, "web.incoming_webhook.general.app_error", general)
        if self.locked and post.get("channel"):
            words = "This webhook is not permitted to post to the requested channel."
            return _of_mattermost(403, "web.incoming_webhook.channel_locked.app_error", words)
        if not post.get("text") and not post.get("attachments"):
            return _of_mattermost(400, "web.incoming_webhook.text.app_error", "No text specified.")
        if any(_faults(post, 16_383)):
            return _of_mattermost(400, "web.incoming_webhook.general.app_error", general)
        self.posts.append(post)
        return Answer(200, {"content-type": "text/plain"}, b"ok")


class RocketChat(RecordingReceiver):
    """Answers with `success`, 400 once `deleted`, 429 with the seconds in `busy`."""

    def __init__(self) -> None:
        super().__init__()
        self.posts: list[dict[str, Any]] = []
        self.deleted, self.busy = False, list[int]()

    def take(self, request: Request) -> Answer:
        programmed = super().take(request)
        if programmed != Answer():
            return programmed
        if self.busy:
            wait = (
                f"Error, too many requests. Please slow down. You must wait {self.busy.pop(0)} seconds before trying this endpoint again."
            )
            return _of_rocketchat(429, f"{wait} [error-too-many-requests]")
        if self.deleted:
            return _of_rocketchat(400, "Invalid integration id or token provided.")
        post = json.loads(request.body)
        if post.get("channel"):
            return _of_rocketchat(400, "overriding destination channel is disabled for this integration")
        if any(_faults(post, 5_000)):
            return _of_rocketchat(400, "error-message-size-exceeded")
        self.posts.append(post)
        return Answer(200, {"content-type": "application/json"}, b'{"success":true}')


def _of_mattermost(status: int, what: str, words: str) -> Answer:
    said = {"id": what, "message": words, "detailed_error": "", "request_id": "mf1sdf6kdbb1", "status_code": status}
    return Answer(status, {"content-type": "application/json"}, json.dumps(said).encode())


def _of_rocketchat(status: int, error: str) -> Answer:
    return Answer(status, {"content-type": "application/json"}, json.dumps({"success": False, "error": error}).encode())


def _faults(post: dict[str, Any], most: int) -> Iterator[str]:
    attachments = post.get("attachments", [])
    texts = [post.get("text", ""), *(one.get(name, "") for one in attachments for name in ("title", "text"))]
    if sum(len(text.encode("utf-16-le")) // 2 for text in texts) > most:
        yield "too long"
    for one in attachments:
        if "color" in one and not re.fullmatch("#[0-9a-f]{6}", one["color"]):
            yield "no colour"
        if "title_link" in one and not one["title_link"].startswith(("http://", "https://")):
            yield "no link"
