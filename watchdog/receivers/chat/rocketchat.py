"""Rocket.Chat: one message per POST to an incoming webhook (an integration), an attachment for each incident.

Rocket.Chat answers `{"success": true}`; its refusals are JSON with an `error`, mostly with status 400. It takes ten messages a minute from
an integration, unless its administrator changed that (docs.rocket.chat, Integrations).
"""

import re
from collections.abc import Sequence
from typing import Annotated, Literal

from msgspec.structs import replace
from pydantic import AfterValidator, Field, StrictStr

from watchdog.core.incidents.messages import Message
from watchdog.core.incidents.outcome import Later, Outcome, Refused
from watchdog.core.text.sanitize import one_line
from watchdog.receivers.chat.attachments import body_of
from watchdog.receivers.http.json_answer import json_object
from watchdog.receivers.http.outcome import HttpAnswer, confirmed, outcome_of
from watchdog.receivers.http.receiver import HttpReceiver, json_bytes
from watchdog.receivers.http.settings import HttpSettings
from watchdog.receivers.settings import DigestSettings

__all__ = ["LARGEST_MESSAGE", "RocketchatReceiver", "RocketchatSettings"]

LARGEST_MESSAGE = 5_000
"""Rocket.Chat's limit of a message (characters), unless its administrator changed it."""

_NEW = "make a new one in Rocket.Chat (Workspace, Integrations, New, Incoming) and set `url`"
_MEND: Sequence[tuple[re.Pattern[str], str, bool]] = (
    (re.compile("integration id or token"), f"the integration was deleted, or `url` is incomplete; copy it again, or {_NEW}", True),
    (re.compile("overriding destination channel"), "let the integration override its channel, or leave out `channel`", False),
    (re.compile("invalid-channel|error-(room|invalid)"), "check `channel`, or the channel of the integration", False),
    (re.compile("script"), "the integration has a script, which failed; switch the script off: watchdog needs none", False),
)
"""In Rocket.Chat's words -> what to fix, and whether every other message would get the same answer."""
_WAIT = re.compile(r"wait (\d{1,6}) seconds")


def _channel(name: str) -> str:
    if name[0] not in "#@":
        raise ValueError('expected "#" and the name of a channel, or "@" and that of somebody, found neither sign')
    return name


class RocketchatSettings(DigestSettings, HttpSettings):
    """`type = "rocketchat"`; `url` is that of an incoming integration. `channel`: another one than its own: `#alerts`, or `@somebody`."""

    type: Literal["rocketchat"]
    channel: Annotated[StrictStr, Field(min_length=2, max_length=100), AfterValidator(_channel)] | None = None
    per_second: Annotated[float, Field(gt=0, le=1000)] = 0.16


class RocketchatReceiver(HttpReceiver):
    """Posts to one integration."""

    def __init__(self, settings: RocketchatSettings) -> None:
        joined = {"channel": settings.channel} if settings.channel else None
        super().__init__(settings, settings.attempt(), rocketchat_outcome, joined=joined)

    def render(self, message: Message) -> bytes:
        """The JSON of a message with attachments."""
        return json_bytes(body_of(message, LARGEST_MESSAGE))


def rocketchat_outcome(answer: HttpAnswer, now: float) -> Outcome:
    """Interpret Rocket.Chat's answer, by its `error` if it gives one. `now`: see `outcome_of`."""
    by_status, said = outcome_of(answer, now), json_object(answer.unsecret)
    words = said.get("error")
    if said.get("success") is not False or not isinstance(words, str):
        expected = '`{"success": true}`: check that `url` is an incoming integration'
        return confirmed(answer, by_status, worked=said.get("success") is True, expected=expected)
    told = f"{answer.answered}: {one_line(words)}"
    if isinstance(by_status, Later):
        asked = _WAIT.search(words) if by_status.retry_after_s is None else None
        return replace(by_status, reason=told, **({"retry_after_s": float(asked[1])} if asked else {}))
    mend, gone = next(((mend, gone) for pattern, mend, gone in _MEND if pattern.search(words)), ("please report it", False))
    return Refused(f"{told}; {mend}", gone=gone, too_large=isinstance(by_status, Refused) and by_status.too_large)
