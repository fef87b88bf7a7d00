"""The console receiver: prints each message as a few lines of plain text, or as one line of JSON, on standard output.

2026-11-22T09:15:00Z prod: 2 incidents: indexing holds 60 messages; celery@gpu-1 was lost
  warning   first      QueueBacklogHigh prod: indexing holds 60 messages  https://flower.example.com/broker#indexing
  error     escalated  WorkerLost prod: celery@gpu-1 was lost  https://flower.example.com/worker/celery@gpu-1
"""

import math
import sys
from collections.abc import Iterator
from typing import Literal, TextIO

from watchdog.core.incidents.messages import Message, Notice
from watchdog.core.incidents.outcome import Delivered, Later, Outcome
from watchdog.core.incidents.payload import encode, headline, iso, title_of
from watchdog.core.report.chapters import Chapter, chapters_of, lines_of
from watchdog.core.text.sanitize import sanitize
from watchdog.net.unread_output import written
from watchdog.receivers.settings import DigestSettings

__all__ = ["ConsoleReceiver", "ConsoleSettings"]

MOST_SHOWN = 20


class ConsoleSettings(DigestSettings):
    """`type = "console"`."""

    type: Literal["console"]
    format: Literal["text", "json"] = "text"


class ConsoleReceiver:
    """Prints messages. `stream` defaults to the standard output at the time of each attempt."""

    longest_s = 1.0
    address = "standard output"
    per_second = math.inf

    def __init__(self, settings: ConsoleSettings, stream: TextIO | None = None) -> None:
        self.name = settings.name
        self.human = settings.format == "text"
        self.settings = settings.fingerprint()
        self._stream = stream

    def render(self, message: Message) -> bytes:
        """The lines to print."""
        if not self.human:
            return encode(message) + b"\n"
        lines = [f"{iso(message.created_at)} {message.target}: {headline(message)}"]
        if message.digest is not None:
            lines += [f"  {line}" for chapter in chapters_of(message.digest) for line in (chapter.title, *_indented(chapter))]
        lines += [_line(notice) for notice in message.notices[:MOST_SHOWN]]
        if len(message.notices) > MOST_SHOWN:
            lines.append(f"  … and {len(message.notices) - MOST_SHOWN} more; `watchdog incidents` lists them all")
        return ("\n".join(map(sanitize, lines)) + "\n").encode()

    def send(self, body: bytes, message_id: str, now: float) -> Outcome:
        """Print the body."""
        stream = self._stream or sys.stdout
        text = body.decode("utf-8", "backslashreplace")
        text = text.encode(stream.encoding or "utf-8", "backslashreplace").decode(stream.encoding or "utf-8")
        try:
            if not written(stream, text, self.longest_s):
                return Later("standard output is full: nobody reads it")
        except (OSError, ValueError) as error:  # ValueError: the stream is closed
            return Later(f"standard output cannot be written ({type(error).__name__})")
        return Delivered("printed")

    def close(self) -> None:
        """Standard output stays open: others print there too."""


def _indented(chapter: Chapter) -> Iterator[str]:
    return (f"  {line}" for line in lines_of(chapter))


def _line(notice: Notice) -> str:
    link = f"  {notice.link}" if notice.link else ""
    remedy = f"  [{notice.remedy}]" if notice.remedy else ""
    targets = ", ".join([*notice.targets[:MOST_SHOWN], *(["…"] if len(notice.targets) > MOST_SHOWN else [])]) or notice.target
    return f"  {notice.severity:<8}  {notice.event:<9}  {notice.rule} {targets}: {title_of(notice)}{remedy}{link}"
