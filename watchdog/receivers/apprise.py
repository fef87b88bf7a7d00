"""Apprise: whatever it can notify (a hundred services), by its URL for the service. An optional extra: `celery-watchdog[apprise]`.

In: a message. Out: a title, lines and a kind, frozen; as it is sent, as many lines as the service takes. Apprise says only whether it
worked; why it did not is in its log, from which a reason is taken without any part of the URL, which is full of secrets. Its own limits and
timeouts hold, and a limit for the whole attempt, which runs in its own thread and is abandoned when time is up.
"""

import json
import logging
import re
import threading
import warnings
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr

from watchdog.core.incidents.messages import Message, Notice
from watchdog.core.incidents.outcome import Delivered, Later, Outcome, Refused
from watchdog.core.incidents.payload import subject_of
from watchdog.core.incidents.quiet.flapping import flapping_note
from watchdog.core.model.severity import Severity
from watchdog.core.report.chapters import chapters_of, lines_of
from watchdog.core.text.sanitize import one_line
from watchdog.core.text.secrets import pieces_of_token_url
from watchdog.net.bounded_thread import MOST_LEFT_ALONE, BoundedThread
from watchdog.net.settings_types import PositiveDuration
from watchdog.receivers.http.receiver import json_bytes
from watchdog.receivers.notice_text import facts_of, is_over, is_url, limited, recovered, runbook_lines, title_line, urgency, what_of
from watchdog.receivers.settings import DigestSettings, address_of

__all__ = ["AppriseReceiver", "AppriseSettings", "apprise_outcome"]

_TITLE, _LINE, _FACT, _MOST_FACTS, _MOST_LINES = 200, 300, 100, 8, 400
_SHORTEST_TITLE, _SHORTEST_BODY = 20, 100
_MENTION = re.compile(r"(?<!\w)@|<(?=[!@#])")
_STATUS = re.compile(r"(?:error|status|code)\W{1,3}(\d{3})\b", re.IGNORECASE)
_AGAIN = (408, 425, 429)

MISSING = "apprise is not installed; `pip install 'celery-watchdog[apprise]'` into watchdog's environment"


def _checked_url(url: SecretStr) -> SecretStr:
    """ValueError says what is expected, and never what was found."""
    if find_spec("apprise") is None:
        raise ValueError(MISSING)
    if _plugin_of(url.get_secret_value()) is None:
        raise ValueError("expected a URL of a service that apprise knows, such as gotify://host/token (appriseit.com/services)")
    return url


@cache
def _loaded() -> Any:
    """Apprise with its plugins, which it imports at its first question; what these warn of concerns nobody here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from apprise import Apprise  # noqa: PLC0415 - an extra; slow to import

        log = logging.getLogger("apprise")  # its warnings become reasons, from which secrets are taken out; nobody else gets them
        log.propagate = False
        log.setLevel(logging.WARNING)
        log.addHandler(logging.NullHandler())
        Apprise.instantiate("json://localhost")
    return Apprise


def _plugin_of(url: str) -> Any:
    """Apprise's plugin for a URL; None if there is none, or the URL lacks something that it needs."""
    return _loaded().instantiate(url)


class AppriseSettings(DigestSettings):
    """`type = "apprise"`; `url`: Apprise's for the service, which is a secret as a whole. `timeout` limits one attempt (seconds)."""

    type: Literal["apprise"]
    url: Annotated[SecretStr, AfterValidator(_checked_url)]
    timeout: PositiveDuration = 30.0
    per_second: Annotated[float, Field(gt=0, le=1000)] = 1.0


class AppriseReceiver:
    """Notifies one service."""

    human = True

    def __init__(self, settings: AppriseSettings) -> None:
        self.name = settings.name
        self.settings = settings.fingerprint()
        self.address, self.per_second = address_of(settings.url), settings.per_second
        self._url, self._timeout_s = settings.url.get_secret_value(), settings.timeout
        self._service = urlsplit(self._url).scheme
        self._hidden = sorted(pieces_of_token_url(self._url), key=len, reverse=True)
        self._plugin: Any = None
        self._thread = BoundedThread("apprise-attempt")

    @property
    def longest_s(self) -> float:
        """The longest that one attempt takes (seconds)."""
        return self._timeout_s + 1.0

    def render(self, message: Message) -> bytes:
        """Title, lines and kind as JSON."""
        lines = _report(message) if message.digest is not None else _incidents(message)
        return json_bytes({"kind": _kind(message), "title": _inert(title_line(message), _TITLE), "lines": list(lines)[:_MOST_LINES]})

    def send(self, body: bytes, message_id: str, now: float) -> Outcome:
        """One attempt. Services do not know the message's id: a repeat is shown twice."""
        if self._thread.full:
            return Later(f"{self._service}: {MOST_LEFT_ALONE} earlier attempts still hang", never_arrived=True)
        try:
            self._plugin = self._plugin or _plugin_of(self._url)
        except ImportError:
            return Later(MISSING, never_arrived=True)
        attempt = _Attempt(self._plugin, json.loads(body))
        if not self._thread.ends_within(self._timeout_s, attempt.run):
            self._plugin = None
            return Later(f"{self._service} did not answer within {self._timeout_s:g}s")
        return apprise_outcome(self._service, attempt.worked, [self._without_secrets(line) for line in attempt.said])

    def _without_secrets(self, text: str) -> str:
        for secret in self._hidden:
            text = text.replace(secret, "***")
        return one_line(text)

    def close(self) -> None:
        """End the thread; no connection stays open."""
        self._thread.close()


class _Attempt(logging.Handler):
    """One notification in its own thread; what apprise logs there, from warnings on."""

    def __init__(self, plugin: Any, told: dict[str, Any]) -> None:
        super().__init__(logging.WARNING)
        self._plugin, self._told = plugin, told
        self.said: list[str] = []
        self.worked = False
        self._thread: int | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Keep what this thread is told."""
        if record.thread == self._thread:
            self.said.append(record.getMessage())

    def run(self) -> None:
        """Notify the service; raises nothing."""
        self._thread = threading.get_ident()
        log = logging.getLogger("apprise")
        log.addHandler(self)
        try:
            title, body = _fitting(self._told, self._plugin.title_maxlen, self._plugin.body_maxlen)
            self.worked = bool(self._plugin.notify(body=body, title=title, notify_type=self._told["kind"], body_format="text"))
        except Exception as error:  # noqa: BLE001 - any of a hundred plugins; its text may hold a secret
            self.said.append(f"it failed ({type(error).__name__})")
        finally:
            log.removeHandler(self)


def apprise_outcome(service: str, worked: bool, said: list[str]) -> Outcome:  # noqa: FBT001 - the answer of apprise
    """Interpret what apprise says, and what it logged: a status that it names counts as that of any other receiver."""
    if worked:
        return Delivered(service)
    reason = f"{service}: {'; '.join(dict.fromkeys(said)) or 'apprise could not notify it, and does not say why'}"
    found = _STATUS.search(reason)
    status = int(found[1]) if found else 0
    if 400 <= status < 500 and status not in _AGAIN:
        return Refused(f"{reason}; check `url` (appriseit.com/services)", gone=status == 410, too_large=status == 413)
    return Later(reason, never_arrived=status in (425, 429))


def _kind(message: Message) -> str:
    """Apprise's kind of notification, which many services show as a colour or a priority."""
    if message.digest is not None:
        return "info"
    burning = [notice.severity for notice in message.notices if not is_over(notice)]
    if burning:
        worst_rank = max(severity.rank for severity in burning)
        return "failure" if worst_rank >= Severity.ERROR.rank else "warning" if worst_rank >= Severity.WARNING.rank else "info"
    return "success" if all(map(recovered, message.notices)) else "info"


def _inert(text: str, longest: int) -> str:
    """One line, in which nobody is mentioned."""
    return _MENTION.sub(lambda found: "\uff20" if found[0] == "@" else "\u2039", limited(text, longest))


def _incidents(message: Message) -> Iterator[str]:
    notices = sorted(message.notices, key=urgency)
    for notice in notices:
        if len(notices) > 1:
            yield _inert(f"{what_of(notice, message.created_at)}: {subject_of(notice)}{flapping_note(notice)}", _LINE)
        yield from _lines(notice)


def _lines(notice: Notice) -> Iterator[str]:
    facts = [(name, value) for name, value in facts_of(notice) if name not in ("target", "began", "ended")][:_MOST_FACTS]
    yield " · ".join(f"{_inert(name, 40)} {_inert(value, _FACT)}" for name, value in facts)
    if not is_over(notice):
        yield from (_inert(line, _LINE) for line in runbook_lines(notice, _LINE)[:2])
    if is_url(notice.link):
        yield notice.link


def _report(message: Message) -> Iterator[str]:
    for chapter in chapters_of(message.digest, 10) if message.digest is not None else ():
        yield _inert(chapter.title, _LINE)
        yield from (f"  {_inert(line, _LINE)}" for line in lines_of(chapter))


def _fitting(told: dict[str, Any], title_most: int, body_most: int) -> tuple[str, str]:
    """Title and body within the service's limits: as many lines as fit; then how many there are more."""
    lines: list[str] = told["lines"]
    has_title = title_most >= _SHORTEST_TITLE
    title = limited(told["title"], min(title_most, _TITLE)) if has_title else ""
    lines = lines if has_title else [told["title"], *lines]
    room, kept = max(body_most, _SHORTEST_BODY) - 60, list[str]()
    for shown, line in enumerate(lines):
        room -= len(line) + 1
        if room < 0:
            kept.append(limited(line, max(room + len(line), 40)) if not kept else f"… and {len(lines) - shown} more lines")
            break
        kept.append(line)
    return title, "\n".join(kept)
