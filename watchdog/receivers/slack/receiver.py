"""Slack and compatible servers: one message per POST to an incoming webhook, for people to read.

Slack answers `ok`; any other word is an error, even with status 200 (docs.slack.dev/messaging/sending-messages-using-incoming-webhooks).
Compatible servers have their own answers: Rocket.Chat `{"success": true}`, Zulip `{"result": "success"}`, Discord 204 without a body. Slack
accepts one message per second for each URL (`per_second`); a client that keeps sending after a 429 may be disabled.
"""

from collections.abc import Mapping
from http import HTTPStatus

from msgspec.structs import replace

from watchdog.core.incidents.messages import Message
from watchdog.core.incidents.outcome import Later, Outcome, Refused
from watchdog.receivers.http.json_answer import json_object, retry_after_in
from watchdog.receivers.http.outcome import HttpAnswer, confirmed, outcome_of
from watchdog.receivers.http.receiver import HttpReceiver, json_bytes
from watchdog.receivers.slack.blocks import slack_body
from watchdog.receivers.slack.bot import SlackBot
from watchdog.receivers.slack.digest import digest_body
from watchdog.receivers.slack.settings import SlackSettings

__all__ = ["SlackReceiver", "slack_receiver"]

_VERDICTS = ("ok", "success", "result", "status")
"""Keys under which Slack-compatible servers report success."""
_GOOD_WORDS = frozenset({"ok", "success", "true"})

_FORM = "Slack did not take the form of this message; check that `url` is an incoming webhook of Slack, and report it if so"
_NEW_WEBHOOK = "make a new webhook in Slack (Apps, your app, Incoming Webhooks) and set `url`"
MEND: Mapping[str, str] = {
    "invalid_payload": _FORM,
    "invalid_blocks": _FORM,
    "invalid_blocks_format": _FORM,
    "invalid_attachments": _FORM,
    "too_many_attachments": _FORM,
    "no_text": _FORM,
    "missing_text_or_fallback_or_attachments": _FORM,
    "channel_not_found": f"the webhook's channel is gone; {_NEW_WEBHOOK}",
    "channel_is_archived": "the webhook's channel is archived; unarchive it, or make a webhook for another and set `url`",
    "action_prohibited": "an admin of the workspace restricts who may post there; ask them to allow the webhook's app",
    "posting_to_general_channel_denied": "only some may post in that general channel; make a webhook for another and set `url`",
    "user_not_found": f"whom the webhook wrote to is gone; {_NEW_WEBHOOK}",
    "invalid_token": "`url` is incomplete, or the webhook was revoked; copy its URL again, or make a new one",
    "no_service": f"the webhook was removed or switched off; {_NEW_WEBHOOK}",
    "no_service_id": f"`url` is incomplete; copy it again, or {_NEW_WEBHOOK}",
    "no_active_hooks": f"the webhook was switched off; {_NEW_WEBHOOK}",
    "no_team": f"the workspace is gone, or `url` is incomplete; copy it again, or {_NEW_WEBHOOK}",
    "team_disabled": "the workspace is switched off; ask its owner, or make a webhook in another and set `url`",
}
"""Slack's error -> what to fix."""

GONE = frozenset({"channel_not_found", "invalid_token", "no_service", "no_service_id", "no_active_hooks", "no_team"})
"""Errors that every other message would get as well: the webhook is gone, or never existed."""


class SlackReceiver(HttpReceiver):
    """Posts to one webhook."""

    def __init__(self, settings: SlackSettings) -> None:
        super().__init__(settings, settings.attempt(), slack_outcome, headers={"content-type": "application/json; charset=utf-8"})

    def render(self, message: Message) -> bytes:
        """The JSON of `blocks.slack_body`, or of `digest.digest_body`."""
        body = slack_body(message) if message.digest is None else digest_body(message, message.digest)
        return json_bytes(body)


def slack_receiver(settings: SlackSettings) -> HttpReceiver:
    """A receiver for a webhook, or a bot."""
    return SlackBot(settings) if settings.token else SlackReceiver(settings)


def slack_outcome(answer: HttpAnswer, now: float) -> Outcome:
    """Interpret Slack's answer: by its error code if it gives one, otherwise by its status. `now`: see `outcome_of`."""
    by_status = outcome_of(answer, now)
    if isinstance(by_status, Later):
        told_s = by_status.retry_after_s
        return replace(by_status, retry_after_s=retry_after_in(json_object(answer.text)) if told_s is None else told_s)
    word = answer.text.strip()
    if word in MEND:
        return Refused(f"{answer.answered}: {word}: {MEND[word]}", gone=word in GONE or answer.status == HTTPStatus.GONE)
    expected = "`ok`: check that `url` is an incoming webhook of Slack or of a server like it"
    return confirmed(answer, by_status, worked=_says_it_worked(word, whole=answer.whole), expected=expected)


def _says_it_worked(word: str, *, whole: bool) -> bool:
    """Whether the body of a 2xx answer means success: empty, `ok`, or JSON that says so."""
    if not word:
        return whole
    if word.strip('"').lower() == "ok":
        return True
    said = json_object(word)
    told = [said[name] for name in _VERDICTS if name in said]
    return bool(told) and all(verdict is True or str(verdict).lower() in _GOOD_WORDS for verdict in told)
