"""A Slack bot: what begins and what gets worse is a new message; what else happens to it changes that message, and adds to its thread.

The handle of a message (its channel and `ts`) is given to the outbox with its delivery, which gives it back with later news (`posts`). One
delivery first brings all posts up to date, which can be repeated, and then posts once: so whatever fails in between is sent again without
harm. A message that somebody deleted is replaced by a new one (docs.slack.dev/reference/methods/chat.postMessage, chat.update).
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace
from pydantic import SecretStr

from watchdog.core.history.chart import Chart
from watchdog.core.incidents.messages import Event, Message, Post
from watchdog.core.incidents.outcome import Delivered, Later, Outcome, Refused
from watchdog.core.text.sanitize import one_line
from watchdog.receivers.http.attempt import HttpAttempt
from watchdog.receivers.http.json_answer import json_object, retry_after_in
from watchdog.receivers.http.outcome import HttpAnswer, confirmed, outcome_of
from watchdog.receivers.http.receiver import HttpReceiver, json_bytes
from watchdog.receivers.pictures.frozen import frozen, thawed
from watchdog.receivers.pictures.picture import Pictures
from watchdog.receivers.slack.blocks import slack_body
from watchdog.receivers.slack.digest import digest_body
from watchdog.receivers.slack.settings import SlackSettings
from watchdog.receivers.slack.upload import REQUESTS, Upload

__all__ = ["SlackBot"]

_MOST_REQUESTS = 7
"""Of one delivery: five posts to change (`store.outbox.posts`), a reply, and a new message if its thread is gone."""

_AUTHORIZE = "check `token`: in Slack, your app, OAuth & Permissions shows it; install the app again if it is not there"
_SCOPE = "give the app the scope chat:write (OAuth & Permissions), and install it again"
_ARCHIVED = "the channel is archived; unarchive it, or set `channel` to another"
MEND: Mapping[str, tuple[str, bool]] = {
    **dict.fromkeys(("invalid_auth", "not_authed", "account_inactive", "token_revoked"), (_AUTHORIZE, True)),
    "token_expired": ("the token expires: switch token rotation off in a new app, and set `token`", True),
    "missing_scope": (_SCOPE, False),
    "not_in_channel": ("invite the bot: write `/invite @its-name` in the channel", False),
    "channel_not_found": ("check `channel`; a private one must have invited the bot (`/invite @its-name`)", True),
    "is_archived": (_ARCHIVED, False),
    "restricted_action": ("an admin of the workspace restricts who may post there; ask them to allow the app", False),
    "access_denied": ("an admin of the workspace restricts the app; ask them to allow it", False),
}
"""Slack's error -> what to fix, and whether every other message would get the same answer."""
_REPORT = "Slack did not take the form of this message; please report it"
_TOO_LARGE = frozenset({"msg_too_long", "msg_blocks_too_long"})
_AGAIN = frozenset({"ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable", "request_timeout"})
_BUSY = frozenset({"ratelimited", "rate_limited"})

_LOST = frozenset({"message_not_found", "channel_not_found", "thread_not_found", "is_archived", "not_in_channel", "is_inactive"})
"""Errors about one post, which can neither be changed nor answered any more."""
_UNCHANGED = frozenset({"cant_update_message", "edit_window_closed"})
"""Errors about one post, which keeps its words, and its thread."""

_CHANNEL, _TS = re.compile(r'"channel"\s*:\s*"(\w{1,40})"'), re.compile(r'"ts"\s*:\s*"(\d{1,20}\.\d{1,10})"')
_OK = re.compile(r'\s*\{\s*"ok"\s*:\s*true\b')


class SlackBot(HttpReceiver):
    """Writes to one channel, and changes what it wrote."""

    def __init__(self, settings: SlackSettings) -> None:
        token = settings.token.get_secret_value() if settings.token else ""
        headers = {"content-type": "application/json; charset=utf-8", "authorization": f"Bearer {token}"}

        def method(name: str) -> HttpAttempt:
            url = SecretStr(f"{settings.url.get_secret_value().rstrip('/')}/{name}")
            return settings.model_copy(update={"url": url}).attempt(secrets=[token])

        super().__init__(settings, method("chat.postMessage"), headers=headers)
        self._update = method("chat.update")
        self._channel = settings.channel
        self._pictures = Pictures(settings.name) if settings.chart else None
        self._upload = Upload(settings)

    @property
    def longest_s(self) -> float:
        """The longest that one delivery takes (seconds)."""
        picture_s = 0.0 if self._pictures is None else self._pictures.longest_s + REQUESTS * super().longest_s
        return _MOST_REQUESTS * super().longest_s + picture_s

    def render(self, message: Message) -> bytes:
        """What to change, and what to post then: to the thread of the newest post, if there is nothing new in it."""
        shown = slack_body(message) if message.digest is None else digest_body(message, message.digest)
        changes = [{**_handle(post), **_changed(slack_body(replace(message, notices=post.notices)))} for post in message.posts]
        reply = {} if _is_new(message) else {"thread": _thread(message.posts[0], message)}
        return frozen(json_bytes({"changes": changes, **reply, "message": shown}), message.chart)

    def send(self, body: bytes, message_id: str, now: float) -> Outcome:
        """One attempt. Slack does not know the message's id: only its last request is shown twice if it is repeated."""
        plain, chart = thawed(body)
        todo = json.loads(plain)
        lost = set[str]()
        for change in todo["changes"]:
            outcome, error = self._request(self._update, change, now)
            if error in _LOST:
                lost.add(change["ts"])
            elif error not in _UNCHANGED and not isinstance(outcome, Delivered):
                return outcome
        thread = todo.get("thread")
        if thread and thread["thread_ts"] not in lost:
            outcome, error = self._request(self._attempt, {**thread, **todo["message"]}, now)
            if isinstance(outcome, Delivered):
                self._illustrate(chart, thread["channel"], thread["thread_ts"], now)
            if error not in _LOST:
                return replace(outcome, handle="") if isinstance(outcome, Delivered) else outcome
        outcome = self._request(self._attempt, {"channel": self._channel, **todo["message"]}, now)[0]
        if isinstance(outcome, Delivered) and outcome.handle:
            channel, _, ts = outcome.handle.partition(" ")
            self._illustrate(chart, channel, ts, now)
        return outcome

    def _illustrate(self, chart: Chart | None, channel: str, thread: str, now: float) -> None:
        """Put the chart into the thread of a message that has arrived; if that fails, the log says why."""
        if self._pictures is None or (picture := self._pictures.of(chart)) is None:
            return
        if why_not := self._upload.share(picture, channel, thread, now):
            self._pictures.left_out(why_not)

    def _request(self, method: HttpAttempt, document: Mapping[str, Any], now: float) -> tuple[Outcome, str]:
        """The outcome of one request, and Slack's error, if it gives one."""
        errors = [""]

        def understood(answer: HttpAnswer, now: float) -> Outcome:
            errors.append(_error_in(answer))
            return bot_outcome(answer, now)

        outcome = method.post(json_bytes(document), self._headers, now, understood)
        return outcome, errors[-1]

    def close(self) -> None:
        """Close the connections."""
        super().close()
        self._update.close()
        self._upload.close()


def _is_new(message: Message) -> bool:
    """Whether it is a message of its own: something begins or gets worse in it, or no post shows what it is about."""
    known = {notice.incident for post in message.posts for notice in post.notices}
    return not message.notices or any(
        notice.event in (Event.FIRST, Event.ESCALATED) or notice.incident not in known for notice in message.notices
    )


def _handle(post: Post) -> dict[str, str]:
    channel, _, ts = post.handle.partition(" ")
    return {"channel": channel, "ts": ts}


def _thread(post: Post, message: Message) -> dict[str, Any]:
    """Where a reply goes. A reminder is shown in the channel, too: nobody would see it otherwise."""
    reminds = any(notice.event is Event.REMINDER for notice in message.notices)
    handle = _handle(post)
    return {"channel": handle["channel"], "thread_ts": handle["ts"], **({"reply_broadcast": True} if reminds else {})}


def _changed(body: dict[str, Any]) -> dict[str, Any]:
    """What `chat.update` takes of a message."""
    return {name: body[name] for name in ("text", "attachments")}


def _error_in(answer: HttpAnswer) -> str:
    said = json_object(answer.unsecret)
    return str(said.get("error", "")) if said.get("ok") is False else ""


def bot_outcome(answer: HttpAnswer, now: float) -> Outcome:
    """Interpret an answer of Slack's API: errors come with status 200, too. `now`: see `outcome_of`."""
    by_status, error = outcome_of(answer, now), one_line(_error_in(answer))
    if isinstance(by_status, Later):
        asked_s = retry_after_in(json_object(answer.text)) if by_status.retry_after_s is None else by_status.retry_after_s
        return replace(by_status, retry_after_s=asked_s)
    told = f"{answer.answered}: {error}"
    if error in _AGAIN:
        return Later(told, never_arrived=error in _BUSY)
    if error in _TOO_LARGE:
        return Refused(f"{told}; {_REPORT}", too_large=True)
    if error:
        mend, gone = MEND.get(error, (_REPORT, False))
        return Refused(f"{told}: {mend}", gone=gone)
    worked = _OK.match(answer.text) is not None
    channel, ts = _CHANNEL.search(answer.text), _TS.search(answer.text)
    if isinstance(by_status, Delivered) and worked and channel and ts:
        return replace(by_status, handle=f"{channel[1]} {ts[1]}")
    return confirmed(answer, by_status, worked=worked, expected='`"ok": true`: check that `url` is that of Slack\'s API')
