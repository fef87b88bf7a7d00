"""Mattermost: one message per POST to an incoming webhook, an attachment for each incident.

Mattermost answers `ok`. Its refusals are JSON with an `id`, a `message` and a `status_code`; since version 10 the `id` is a general one
and only the status says more (developers.mattermost.com/integrate/webhooks/incoming).
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Literal

from msgspec.structs import replace
from pydantic import Field, StrictStr

from watchdog.core.incidents.messages import Message
from watchdog.core.incidents.outcome import Later, Outcome, Refused
from watchdog.core.text.sanitize import one_line
from watchdog.receivers.chat.attachments import body_of
from watchdog.receivers.http.json_answer import json_object
from watchdog.receivers.http.outcome import HttpAnswer, confirmed, outcome_of
from watchdog.receivers.http.receiver import HttpReceiver, json_bytes
from watchdog.receivers.http.settings import HttpSettings
from watchdog.receivers.settings import DigestSettings

__all__ = ["MattermostReceiver", "MattermostSettings"]

LARGEST_POST = 16_383
"""Mattermost's limit of a post (characters)."""

_NEW = "make a new one in Mattermost (Integrations, Incoming Webhooks) and set `url`"
_LOCKED = "the webhook is locked to its own channel; leave out `channel`, or unlock it in Mattermost"
_NOT_THERE = "check `channel`, and that whoever made the webhook is a member of it"
MEND: Mapping[str, tuple[str, bool]] = {
    "web.incoming_webhook.invalid.app_error": (f"the webhook was deleted, or `url` is incomplete; copy it again, or {_NEW}", True),
    "web.incoming_webhook.user.app_error": (f"whoever made the webhook, or `channel` writes to, is gone; {_NEW}", False),
    "web.incoming_webhook.channel.app_error": ("there is no such channel; check `channel`", False),
    "app.channel.get.existing.app_error": (f"the webhook's channel is gone; {_NEW}", True),
    "web.incoming_webhook.channel_locked.app_error": (_LOCKED, False),
    "web.incoming_webhook.permissions.app_error": (_NOT_THERE, False),
}
"""Mattermost's id of an error -> what to fix, and whether every other message would get the same answer."""
_BY_STATUS: Mapping[int, str] = {
    HTTPStatus.BAD_REQUEST: f"the webhook was deleted, or `url` is incomplete; copy it again, or {_NEW}",
    HTTPStatus.FORBIDDEN: f"{_LOCKED}; else, {_NOT_THERE}",
    HTTPStatus.NOT_FOUND: f"the webhook or its channel is gone; check `channel`, or {_NEW}",
}
"""What to fix where the id says nothing."""


class MattermostSettings(DigestSettings, HttpSettings):
    """`type = "mattermost"`; `url` is an incoming webhook. `channel`: another one than the webhook's, by the name in its address."""

    type: Literal["mattermost"]
    channel: Annotated[StrictStr, Field(min_length=1, max_length=100)] | None = None
    per_second: Annotated[float, Field(gt=0, le=1000)] = 5.0


class MattermostReceiver(HttpReceiver):
    """Posts to one webhook."""

    def __init__(self, settings: MattermostSettings) -> None:
        joined = {"channel": settings.channel} if settings.channel else None
        super().__init__(settings, settings.attempt(), mattermost_outcome, joined=joined)

    def render(self, message: Message) -> bytes:
        """The JSON of a message with attachments."""
        return json_bytes(body_of(message, LARGEST_POST))


def mattermost_outcome(answer: HttpAnswer, now: float) -> Outcome:
    """Interpret Mattermost's answer, by the id of its error if it gives one. `now`: see `outcome_of`."""
    by_status, said = outcome_of(answer, now), json_object(answer.unsecret)
    words, what = said.get("message"), str(said.get("id"))
    if not isinstance(words, str) or "status_code" not in said:
        return confirmed(answer, by_status, worked=answer.text.strip() == "ok", expected="`ok`: check that `url` is an incoming webhook")
    told = f"{answer.answered}: {one_line(words)}"
    if isinstance(by_status, Later):
        return replace(by_status, reason=told)
    mend, gone = MEND.get(what, (_BY_STATUS.get(answer.status, "please report it"), False))
    return Refused(f"{told}; {mend}", gone=gone, too_large=isinstance(by_status, Refused) and by_status.too_large)
