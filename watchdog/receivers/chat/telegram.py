"""Telegram: a bot writes one message per POST to one chat, in Telegram's HTML, within its limits.

Texts from outside are escaped; in what is not code, characters that Telegram would turn into links or mentions are replaced by lookalikes.
The token is part of the address and therefore a secret. Refusals are JSON with a `description` (core.telegram.org/bots/api).
"""

import json
import re
from collections.abc import Iterator, Mapping
from html import escape, unescape
from typing import Annotated, Any, Literal

from msgspec.structs import replace
from pydantic import AfterValidator, Field, SecretStr, StrictInt, StrictStr

from watchdog.core.incidents.messages import Message, Notice
from watchdog.core.incidents.outcome import Delivered, Later, Outcome, Refused
from watchdog.core.incidents.payload import headline, subject_of
from watchdog.core.incidents.quiet.flapping import flapping_note
from watchdog.core.model.severity import Severity
from watchdog.core.report.chapters import chapters_of, lines_of
from watchdog.core.text.sanitize import one_line
from watchdog.receivers.http.attempt import HttpAttempt
from watchdog.receivers.http.json_answer import json_object, retry_after_in
from watchdog.receivers.http.outcome import HttpAnswer, outcome_of
from watchdog.receivers.http.receiver import HttpReceiver, json_bytes
from watchdog.receivers.http.settings import HttpSettings, HttpUrl
from watchdog.receivers.notice_text import facts_of, is_over, is_url, limited, recovered, runbook_lines, urgency, utf16_length, what_of
from watchdog.receivers.pictures.form import form_with_file
from watchdog.receivers.pictures.frozen import frozen, thawed
from watchdog.receivers.pictures.picture import FILE_NAME, Picture, Pictures
from watchdog.receivers.pictures.settings import ChartSettings
from watchdog.receivers.settings import DigestSettings

__all__ = ["LARGEST_TEXT", "TelegramReceiver", "TelegramSettings"]

LARGEST_TEXT = 4_096
"""Telegram's limit, in UTF-16 units; ours counts the markup, too, which Telegram does not."""
LARGEST_CAPTION = 1_024
"""Telegram's limit of a text beside a picture, without its markup."""
_ROOM = LARGEST_TEXT - 120
_SUBJECT, _NAME, _LINE, _MOST_FACTS = 300, 120, 300, 8
_MARKS = {Severity.CRITICAL: "🔴", Severity.ERROR: "🟠", Severity.WARNING: "🟡", Severity.INFO: "🔵"}
_GOOD, _OVER = "🟢", "⚪"
_TOKEN = re.compile(r"\d{1,20}:[A-Za-z0-9_-]{20,100}", re.ASCII)
_CHANNEL = re.compile(r"@[A-Za-z]\w{3,60}|-?\d{1,20}", re.ASCII)
_INERT = str.maketrans({"@": "\uff20", "#": "\uff03"})
_LINKS = re.compile(r"(?<=\w)\.(?=\w)")
_TAG = re.compile(r"<[^>]*>")
_COMMAND = re.compile(r"(?<!\S)/(?=\w)")


def _checked_token(token: SecretStr) -> SecretStr:
    if not _TOKEN.fullmatch(token.get_secret_value()):
        raise ValueError("expected the token of a bot as @BotFather gives it, such as 123456:ABC-DEF… (digits, a colon, letters)")
    return token


def _checked_chat(chat: int | str) -> int | str:
    if isinstance(chat, str) and not _CHANNEL.fullmatch(chat):
        raise ValueError('expected the number of a chat, such as -1001234567890, or the name of a public channel, such as "@alerts"')
    return chat


class TelegramSettings(ChartSettings, DigestSettings, HttpSettings):
    """`type = "telegram"`; `url` is another one for a Bot API server of your own. `thread`: a topic of a group that has topics."""

    type: Literal["telegram"]
    url: HttpUrl = SecretStr("https://api.telegram.org")
    token: Annotated[SecretStr, AfterValidator(_checked_token)]
    chat: Annotated[StrictInt | StrictStr, AfterValidator(_checked_chat)]
    thread: Annotated[StrictInt, Field(ge=1)] | None = None
    per_second: Annotated[float, Field(gt=0, le=1000)] = 0.3

    @property
    def address(self) -> str:
        """Telegram limits the messages to each chat."""
        return self.address_of(self.token, self.chat)

    def method(self, name: str) -> HttpAttempt:
        """A client for one of the bot's methods."""
        token = self.token.get_secret_value()
        url = SecretStr(f"{self.url.get_secret_value().rstrip('/')}/bot{token}/{name}")
        return self.model_copy(update={"url": url}).attempt(secrets=[token, token.partition(":")[2]])


class TelegramReceiver(HttpReceiver):
    """Writes to one chat."""

    def __init__(self, settings: TelegramSettings) -> None:
        self._chat = {"chat_id": settings.chat, **({"message_thread_id": settings.thread} if settings.thread else {})}
        super().__init__(settings, settings.method("sendMessage"), telegram_outcome, joined=self._chat)
        self._pictures = Pictures(settings.name) if settings.chart else None
        self._photo = settings.method("sendPhoto")

    @property
    def longest_s(self) -> float:
        """The longest that one delivery takes (seconds): a picture, and a message beside it."""
        return super().longest_s if self._pictures is None else self._pictures.longest_s + 2 * super().longest_s

    def render(self, message: Message) -> bytes:
        """The JSON for `sendMessage`, without the chat. What tells only of ends makes no sound."""
        quiet = message.digest is not None or all(map(is_over, message.notices))
        lines = _report(message) if message.digest is not None else _incidents(message)
        body = {
            "text": "\n".join(lines),
            "parse_mode": "HTML",
            "link_preview_options": {"is_disabled": True},
            "disable_notification": quiet,
        }
        return frozen(json_bytes(body), message.chart)

    def send(self, body: bytes, message_id: str, now: float) -> Outcome:
        """One attempt. A short text is the caption of its picture; a longer one is a message, which the picture follows."""
        plain, chart = thawed(body)
        document = json.loads(plain)
        if self._pictures is None or chart is None:
            return super().send(plain, message_id, now)
        if _length_shown(document["text"]) <= LARGEST_CAPTION:
            caption = {"caption": document["text"], "parse_mode": "HTML", "disable_notification": document["disable_notification"]}
            outcome = self._pictures.sent(chart, lambda picture: self._post_photo(picture, caption, now))
            return outcome if outcome is not None else super().send(plain, message_id, now)
        outcome = super().send(plain, message_id, now)
        if isinstance(outcome, Delivered) and (picture := self._pictures.of(chart)) is not None:
            follows = self._post_photo(picture, {"caption": picture.title, "disable_notification": True}, now)
            if not isinstance(follows, Delivered):
                self._pictures.left_out(follows.reason)
        return outcome

    def _post_photo(self, picture: Picture, more: Mapping[str, Any], now: float) -> Outcome:
        fields = {name: text if isinstance(text, str) else json.dumps(text) for name, text in {**self._chat, **more}.items()}
        form, kind = form_with_file(fields, ("photo", FILE_NAME, picture.png))
        return self._photo.post(form, {"content-type": kind}, now, self._sort)

    def close(self) -> None:
        """Close the connections."""
        super().close()
        self._photo.close()


def _length_shown(text: str) -> int:
    """The length of a text as Telegram counts it: without markup, which alone is written in angle brackets."""
    return utf16_length(unescape(_TAG.sub("", text)))


def _prose(text: str, longest: int) -> str:
    """One line, in which nothing is markup, a link, a mention or a command."""
    inert = limited(text, longest).translate(_INERT).replace("://", ":\u2044\u2044")
    return escape(_COMMAND.sub("\u2044", _LINKS.sub(".\u2060", inert)), quote=False)


def _code(text: str, longest: int = _NAME) -> str:
    """A name to be copied: Telegram changes nothing in it."""
    return f"<code>{escape(limited(text, longest), quote=False)}</code>"


def _incidents(message: Message) -> Iterator[str]:
    """A few lines for each, as many as fit, the most urgent first; the others are counted."""
    notices, size = sorted(message.notices, key=urgency), 0
    if len(notices) > 1:
        first = f"<b>{_prose(f'{message.target}: {headline(message)}', _LINE)}</b>\n"
        size += utf16_length(first) + 1
        yield first
    for shown, notice in enumerate(notices):
        text = "\n".join(_lines(notice, message))
        size += utf16_length(text) + 1
        if size > _ROOM:
            command = "watchdog incidents --all" if any(map(is_over, notices[shown:])) else "watchdog incidents"
            yield f"… and {len(notices) - shown} more; {_code(command)} lists them"
            return
        yield text


def _lines(notice: Notice, message: Message) -> Iterator[str]:
    what = _prose(f"{what_of(notice, message.created_at)} in {message.target}", _LINE)
    yield f"{_mark(notice)} <b>{what}</b>: {_prose(f'{subject_of(notice)}{flapping_note(notice)}', _SUBJECT)}"
    facts = [(name, value) for name, value in facts_of(notice) if name not in ("target", "began", "ended")][:_MOST_FACTS]
    yield " · ".join(f"{_prose(name, 40)} {_code(value)}" for name, value in facts)
    if not is_over(notice):
        yield from (_prose(line, _LINE) for line in runbook_lines(notice, _LINE)[:2] if not is_url(line))
    links = [(notice.link, "Open in Flower"), *([] if is_over(notice) else [(notice.runbook.strip(), "Runbook")])]
    shown = " · ".join(f'<a href="{escape(url)}">{label}</a>' for url, label in links if is_url(url) and len(url) <= 1_000)
    if shown:
        yield shown


def _mark(notice: Notice) -> str:
    if not is_over(notice):
        return _MARKS[notice.severity]
    return _GOOD if recovered(notice) else _OVER


def _report(message: Message) -> Iterator[str]:
    """A report's chapters, as many lines as fit."""
    chapters = chapters_of(message.digest, 10) if message.digest is not None else ()
    lines = [f"<b>{_prose(headline(message), _LINE)}</b>"]
    for chapter in chapters:
        lines += ["", f"<b>{_prose(chapter.title, _LINE)}</b>", *(_prose(line, _LINE) for line in lines_of(chapter))]
    size = 0
    for line in lines:
        size += utf16_length(line) + 1
        if size > _ROOM:
            yield f"… the rest: {_code('watchdog report')}"
            return
        yield line


_MEND = (
    (
        re.compile("chat not found", re.IGNORECASE),
        "check `chat`: the bot must be a member of it",
        True,
    ),
    (re.compile("unauthorized|not found$", re.IGNORECASE), "check `token`: @BotFather shows it, and makes a new one", True),
    (re.compile("upgraded to a supergroup", re.IGNORECASE), "the group has a new number: set `chat` to it", True),
    (re.compile("blocked|kicked|deactivated|not a member", re.IGNORECASE), "add the bot to the chat again, or set `chat`", True),
    (
        re.compile("rights|CHAT_WRITE_FORBIDDEN", re.IGNORECASE),
        "let the bot write there (in a channel: as an administrator)",
        False,
    ),
    (re.compile("thread not found", re.IGNORECASE), "check `thread`: the topic is gone", False),
)
"""In Telegram's words -> what to fix, and whether every other message would get the same answer."""


def telegram_outcome(answer: HttpAnswer, now: float) -> Outcome:
    """Interpret Telegram's answer, by its `description` if it gives one. `now`: see `outcome_of`."""
    by_status, said = outcome_of(answer, now), json_object(answer.unsecret)
    if isinstance(by_status, Later):
        parameters = json_object(answer.text).get("parameters")
        asked_s = retry_after_in(parameters) if isinstance(parameters, dict) else None
        return replace(by_status, retry_after_s=asked_s if by_status.retry_after_s is None else by_status.retry_after_s)
    words = said.get("description")
    if not isinstance(by_status, Refused) or not isinstance(words, str):
        return by_status
    told, moved = one_line(words), json_object(answer.text).get("parameters")
    found = next(((mend, gone) for pattern, mend, gone in _MEND if pattern.search(told)), ("please report it", False))
    number = moved.get("migrate_to_chat_id") if isinstance(moved, dict) else None
    now_called = f" ({number})" if isinstance(number, int) else ""
    return Refused(f"{answer.answered}: {told}; {found[0]}{now_called}", gone=found[1])
