"""ntfy: a push notification per POST to a topic, on ntfy.sh or on a server of your own.

The message is plain text of at most 4,096 bytes: ntfy makes an attachment of a longer one. Refusals are JSON with a `code` and an `error`
(docs.ntfy.sh/publish).
"""

import re
from collections.abc import Iterator
from http import HTTPStatus
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr, StrictStr

from watchdog.core.incidents.messages import Event, Message, Notice
from watchdog.core.incidents.outcome import Outcome, Refused
from watchdog.core.incidents.payload import subject_of
from watchdog.core.incidents.quiet.flapping import flapping_note
from watchdog.core.model.severity import Severity, worst
from watchdog.core.report.chapters import chapters_of, lines_of
from watchdog.core.text.sanitize import one_line
from watchdog.receivers.http.json_answer import json_object
from watchdog.receivers.http.outcome import HttpAnswer, outcome_of
from watchdog.receivers.http.receiver import JSON, HttpReceiver, json_bytes
from watchdog.receivers.http.settings import HttpSettings, HttpUrl
from watchdog.receivers.notice_text import facts_of, is_over, is_url, limited, recovered, runbook_lines, title_line, urgency, what_of
from watchdog.receivers.settings import DigestSettings

__all__ = ["LARGEST_TEXT", "NtfyReceiver", "NtfySettings"]

LARGEST_TEXT = 4_096
"""ntfy's limit (bytes)."""
_ROOM = LARGEST_TEXT - 100
_TITLE, _LINE, _FACT, _MOST_FACTS = 200, 300, 100, 8
_PRIORITIES = {Severity.CRITICAL: 5, Severity.ERROR: 4, Severity.WARNING: 3, Severity.INFO: 2}
_LOW = 2
_TAGS = {
    Severity.CRITICAL: "rotating_light",
    Severity.ERROR: "red_circle",
    Severity.WARNING: "warning",
    Severity.INFO: "information_source",
}
_TOPIC = re.compile(r"[-_A-Za-z0-9]{1,64}", re.ASCII)


def _checked_topic(topic: SecretStr) -> SecretStr:
    if not _TOPIC.fullmatch(topic.get_secret_value()):
        raise ValueError("expected a topic of 1 to 64 letters, digits, - and _")
    return topic


def _checked_token(token: SecretStr) -> SecretStr:
    if not re.fullmatch(r"[!-~]+", token.get_secret_value()):
        raise ValueError("expected an access token of printable characters, such as tk_…")
    return token


class NtfySettings(DigestSettings, HttpSettings):
    """`type = "ntfy"`. Whoever knows a topic of ntfy.sh can read and write it: it is a secret. `token`: for protected topics."""

    type: Literal["ntfy"]
    url: HttpUrl = SecretStr("https://ntfy.sh")
    topic: Annotated[SecretStr, AfterValidator(_checked_topic)]
    token: Annotated[SecretStr, AfterValidator(_checked_token)] | None = None
    click: Annotated[StrictStr, Field(max_length=500)] | None = None
    per_second: Annotated[float, Field(gt=0, le=1000)] = 0.2

    @property
    def address(self) -> str:
        """Topics of one server share its limits."""
        return self.address_of(self.token)


class NtfyReceiver(HttpReceiver):
    """Publishes to one topic."""

    def __init__(self, settings: NtfySettings) -> None:
        topic = settings.topic.get_secret_value()
        token = settings.token.get_secret_value() if settings.token else ""
        headers = {**JSON, "authorization": f"Bearer {token}"} if token else JSON
        attempt = settings.attempt(secrets=[topic, token])
        super().__init__(settings, attempt, ntfy_outcome, headers=headers, joined={"topic": topic})
        self._click = settings.click

    def render(self, message: Message) -> bytes:
        """The JSON of a notification, without its topic."""
        notices = sorted(message.notices, key=urgency)
        burning = [notice.severity for notice in notices if not is_over(notice)]
        link = self._click or next((notice.link for notice in notices if is_url(notice.link)), "")
        body = {
            "title": limited(title_line(message), _TITLE),
            "message": "\n".join(_fitting(_report(message) if message.digest is not None else _incidents(message, notices))),
            "priority": _PRIORITIES[worst(burning)] if burning else _LOW,
            "tags": [_tag(message, notices)],
            **({"click": link} if link else {}),
        }
        return json_bytes(body)


def _tag(message: Message, notices: list[Notice]) -> str:
    if message.digest is not None:
        return "bar_chart"
    if burning := [notice.severity for notice in notices if not is_over(notice)]:
        return _TAGS[worst(burning)]
    return "white_check_mark" if all(map(recovered, notices)) else "white_circle"


def _incidents(message: Message, notices: list[Notice]) -> Iterator[tuple[str, str]]:
    """For each incident: the line if it and those after it do not fit, and its lines."""
    for shown, notice in enumerate(notices):
        title = limited(f"{what_of(notice, message.created_at)}: {subject_of(notice)}{flapping_note(notice)}", _LINE)
        facts = [(name, value) for name, value in facts_of(notice) if name not in ("target", "began", "ended")][:_MOST_FACTS]
        known = " · ".join(f"{limited(name, 40)} {limited(value, _FACT)}" for name, value in facts)
        runbook = [] if notice.event is Event.RESOLVED else [limited(line, _LINE) for line in runbook_lines(notice, _LINE)[:2]]
        command = "watchdog incidents --all" if any(map(is_over, notices[shown:])) else "watchdog incidents"
        yield f"… and {len(notices) - shown} more; {command} lists them", "\n".join([title, known, *runbook])


def _report(message: Message) -> Iterator[tuple[str, str]]:
    for chapter in chapters_of(message.digest, 10) if message.digest is not None else ():
        lines = [limited(chapter.title, _LINE), *(f"  {limited(line, _LINE)}" for line in lines_of(chapter))]
        yield "… the rest: watchdog report", "\n".join(lines)


def _fitting(parts: Iterator[tuple[str, str]]) -> Iterator[str]:
    """As many parts as fit; then the line in place of the others. What does not fit alone is cut."""
    size = 0
    for instead, text in parts:
        taken = len(text.encode()) + 1
        if size + taken > _ROOM:
            if not size:
                yield text.encode()[: _ROOM - len(instead.encode()) - 8].decode("utf-8", "ignore") + "…"
            else:
                yield instead
            return
        size += taken
        yield text


def ntfy_outcome(answer: HttpAnswer, now: float) -> Outcome:
    """Interpret ntfy's answer, by its `error` if it gives one. `now`: see `outcome_of`."""
    by_status, words = outcome_of(answer, now), json_object(answer.unsecret).get("error")
    if not isinstance(by_status, Refused) or not isinstance(words, str):
        return by_status
    if answer.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return Refused(f"{answer.answered}: {one_line(words)}; check `token`, and that it may write to the topic")
    return Refused(f"{answer.answered}: {one_line(words)}; check `url` and `topic`", too_large=by_status.too_large)
