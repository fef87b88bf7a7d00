"""Discord: one message per POST to a webhook of a channel, an embed for each incident, within Discord's limits.

Texts from outside are escaped, so that nothing in them is markup, and no message mentions anybody. Discord answers 204. Its refusals are
JSON with a `code` and a `message` (discord.com/developers/docs/resources/webhook).
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal

from msgspec.structs import replace
from pydantic import Field

from watchdog.core.incidents.messages import Message, Notice
from watchdog.core.incidents.outcome import Later, Outcome, Refused
from watchdog.core.incidents.payload import subject_of
from watchdog.core.incidents.quiet.flapping import flapping_note
from watchdog.core.report.chapters import chapters_of, lines_of
from watchdog.core.text.sanitize import one_line
from watchdog.core.text.timestamps import iso
from watchdog.receivers.colours import colour_of
from watchdog.receivers.http.json_answer import json_object, retry_after_in
from watchdog.receivers.http.outcome import HttpAnswer, outcome_of
from watchdog.receivers.http.receiver import HttpReceiver, json_bytes
from watchdog.receivers.http.settings import HttpSettings
from watchdog.receivers.notice_text import (
    facts_of,
    is_over,
    is_url,
    limited,
    runbook_lines,
    title_line,
    urgency,
    utf16_length,
    what_of,
)
from watchdog.receivers.pictures.form import form_with_file
from watchdog.receivers.pictures.frozen import frozen, thawed
from watchdog.receivers.pictures.picture import FILE_NAME, Picture, Pictures
from watchdog.receivers.pictures.settings import ChartSettings
from watchdog.receivers.settings import DigestSettings

__all__ = ["DiscordReceiver", "DiscordSettings"]

MOST_EMBEDS, LARGEST_MESSAGE = 10, 6_000
"""Discord's limits: embeds of a message, and the characters of all of them together."""
_CONTENT, _TITLE, _DESCRIPTION, _ROOM = 2_000, 256, 2_000, 5_700
_MOST_FACTS, _VALUE, _RUNBOOK = 8, 120, 300
_MARKUP = re.compile(r"([\\*_~`|>#\[\]()<@:-])")

_NEW = "make a new one in Discord (channel, Edit Channel, Integrations, Webhooks) and set `url`"
MEND: Mapping[int, tuple[str, bool]] = {
    10003: (f"the channel is gone; {_NEW}", True),
    10015: (f"the webhook was deleted; {_NEW}", True),
    50027: (f"`url` is incomplete, or the webhook was deleted; copy it again, or {_NEW}", True),
    50035: ("Discord did not take the form of this message; please report it", False),
    50006: ("Discord did not take the form of this message; please report it", False),
}
"""Discord's code -> what to fix, and whether every other message would get the same answer."""


class DiscordSettings(ChartSettings, DigestSettings, HttpSettings):
    """`type = "discord"`; `url` is a webhook of a channel, which determines name, picture and channel."""

    type: Literal["discord"]
    per_second: Annotated[float, Field(gt=0, le=1000)] = 0.5


class DiscordReceiver(HttpReceiver):
    """Posts to one webhook."""

    def __init__(self, settings: DiscordSettings) -> None:
        super().__init__(settings, settings.attempt(), discord_outcome)
        self._pictures = Pictures(settings.name) if settings.chart else None

    @property
    def longest_s(self) -> float:
        """The longest that one delivery takes (seconds): with a picture, and without it if that is refused."""
        return super().longest_s if self._pictures is None else self._pictures.longest_s + 2 * super().longest_s

    def render(self, message: Message) -> bytes:
        """The JSON of a message with embeds."""
        embeds = list(_report(message) if message.digest is not None else _incidents(message))
        content = limited_markdown(title_line(message), _CONTENT // 4)
        body = {"content": content, "embeds": embeds, "allowed_mentions": {"parse": []}}
        return frozen(json_bytes(body), message.chart if embeds else None)

    def send(self, body: bytes, message_id: str, now: float) -> Outcome:
        """One attempt. What Discord refuses with its picture is sent without it."""
        plain, chart = thawed(body)

        def with_picture(picture: Picture) -> Outcome:
            form, kind = _form(plain, picture)
            return self._attempt.post(form, {"content-type": kind}, now, self._sort)

        outcome = self._pictures.sent(chart, with_picture) if self._pictures is not None else None
        return outcome if outcome is not None else super().send(plain, message_id, now)


def _form(plain: bytes, picture: Picture) -> tuple[bytes, str]:
    """The message with a picture in its first embed, which is that of the most urgent incident."""
    body = json.loads(plain)
    first, *others = body["embeds"]
    body["embeds"] = [{**first, "image": {"url": f"attachment://{FILE_NAME}"}}, *others]
    body["attachments"] = [{"id": 0, "filename": FILE_NAME, "description": picture.words}]
    return form_with_file({"payload_json": json_bytes(body).decode()}, ("files[0]", FILE_NAME, picture.png))


def limited_markdown(text: str, longest: int) -> str:
    """One line of at most `longest` characters, in which nothing is markup or a link."""
    line = limited(text, longest).replace("://", ":\u2044\u2044")
    whole = _MARKUP.sub(r"\\\1", line)
    if utf16_length(whole) < longest:
        return whole
    shown, size = list[str](), 0
    for letter in line:
        escaped = _MARKUP.sub(r"\\\1", letter)
        size += utf16_length(escaped)
        if size >= longest:
            return "".join(shown) + "…"
        shown.append(escaped)
    return "".join(shown)


def _incidents(message: Message) -> Iterator[dict[str, Any]]:
    """An embed for each, as many as fit; the last one counts the others."""
    notices, size = sorted(message.notices, key=urgency), 0
    for shown, notice in enumerate(notices):
        embed = _embed(notice, message)
        size += sum(utf16_length(text) for text in (embed["title"], embed["description"]))
        left = len(notices) - shown
        if size > _ROOM or (shown == MOST_EMBEDS - 1 and left > 1):
            yield {"description": f"… and {left} more; `watchdog incidents{' --all' if any(map(is_over, notices)) else ''}` lists them"}
            return
        yield embed


def _embed(notice: Notice, message: Message) -> dict[str, Any]:
    title = f"{what_of(notice, message.created_at)}: {subject_of(notice)}{flapping_note(notice)}"
    facts = [(name, value) for name, value in facts_of(notice) if name not in ("began", "ended")][:_MOST_FACTS]
    lines = [f"{limited_markdown(name, 60)}: **{limited_markdown(value, _VALUE)}**" for name, value in facts]
    if not is_over(notice):
        lines += [limited_markdown(line, _RUNBOOK) for line in runbook_lines(notice, _RUNBOOK)[:3] if not is_url(line)]
    link = {"url": notice.link} if is_url(notice.link) else {}
    return {
        "title": limited_markdown(title, _TITLE),
        "description": _fitting(lines, _DESCRIPTION),
        "color": int(colour_of([notice])[1:], 16),
        "timestamp": iso(notice.resolved_at or notice.started_at),
        **link,
    }


def _fitting(lines: Sequence[str], longest: int) -> str:
    kept, size = list[str](), 0
    for shown, line in enumerate(lines):
        size += utf16_length(line) + 1
        if size > longest - 40:
            return "\n".join([*kept, f"… and {len(lines) - shown} more lines"])
        kept.append(line)
    return "\n".join(kept)


def _report(message: Message) -> Iterator[dict[str, Any]]:
    """An embed for each chapter, as many as fit."""
    chapters = chapters_of(message.digest, 10) if message.digest is not None else ()
    size = 0
    for shown, chapter in enumerate(chapters):
        lines = [limited_markdown(line, 200) for line in lines_of(chapter)]
        embed = {"title": limited_markdown(chapter.title, _TITLE), "description": _fitting(lines, _DESCRIPTION)}
        size += sum(map(utf16_length, embed.values()))
        left = len(chapters) - shown
        if size > _ROOM or (shown == MOST_EMBEDS - 1 and left > 1):
            yield {"description": f"… and {left} more parts; `watchdog report` shows them"}
            return
        yield embed


def discord_outcome(answer: HttpAnswer, now: float) -> Outcome:
    """Interpret Discord's answer, by its code if it gives one. `now`: see `outcome_of`."""
    by_status, said = outcome_of(answer, now), json_object(answer.unsecret)
    if isinstance(by_status, Later):
        asked_s = retry_after_in(json_object(answer.text)) if by_status.retry_after_s is None else by_status.retry_after_s
        return replace(by_status, retry_after_s=asked_s)
    code, words = said.get("code"), said.get("message")
    if not isinstance(by_status, Refused) or not isinstance(code, int) or code not in MEND:
        return by_status
    mend, gone = MEND[code]
    return Refused(f"{answer.answered}: {one_line(str(words))} (code {code}); {mend}", gone=gone)
