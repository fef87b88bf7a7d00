"""The last line of defence: masks the secrets of the configuration in everything that is printed or logged.

watchdog's own messages contain no secrets; this is for texts from elsewhere: exceptions of libraries, their tracebacks, warnings. In:
secrets, as found by `core.text.secrets`, and those that are obtained later (`net.obtained_secrets`). Out: texts with `***` in their place.
All output uses the process's single `MASKING`, which learns the secrets when the configuration is read, before it is validated. Words of
fewer than 6 letters are not masked.
"""

import codecs
import io
import re
import sys
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any, TextIO

from watchdog.core.text.ci_commands import without_commands
from watchdog.net.obtained_secrets import on_obtained

__all__ = ["MASK", "MASKING", "Masking", "masked_stream", "print_commands"]

MASK = "***"
_SHORTEST = 6
_MOST_OBTAINED = 100
"""How many of the secrets obtained last are masked: a token that is renewed each hour would otherwise make the pattern longer for ever."""
_SEEN = 200
"""Characters kept of an unfinished line: enough to know whether it is blank."""
_USERINFO = re.compile(r"\b([a-zA-Z][a-zA-Z0-9+.-]{0,20}://)(?!user:password@)(?![^\s@]*\$\{)[^\s/?#\"'<>]+@")
"""Excludes examples in watchdog's own messages, and references such as `${PASSWORD}`."""


class Masking:
    """The secrets to mask. Thread-safe; it never forgets a secret of the configuration."""

    def __init__(self) -> None:
        self._secrets: frozenset[str] = frozenset()
        self._obtained: deque[str] = deque(maxlen=_MOST_OBTAINED)
        self._pattern: re.Pattern[str] | None = None

    def learn(self, secrets: Iterable[str]) -> None:
        """Add these secrets, in every spelling that a library may give them."""
        known = self._secrets | _spelt(secrets)
        if known != self._secrets:
            self._secrets = known
            self._compile()

    def learn_obtained(self, secret: str) -> None:
        """Add a secret that is used for a while, such as a token."""
        if secret not in self._obtained:
            self._obtained.append(secret)
            self._compile()

    def _compile(self) -> None:
        known = self._secrets | _spelt(list(self._obtained))
        if known:
            self._pattern = re.compile("|".join(re.escape(secret) for secret in sorted(known, key=len, reverse=True)))

    def __call__(self, text: str) -> str:
        """The text without the secrets, and without the userinfo of any URL."""
        if self._pattern is not None:
            text = self._pattern.sub(MASK, text)
        return _USERINFO.sub(rf"\1{MASK}@", text) if "@" in text else text

    def event(self, _logger: object, _method: str, event: Mapping[str, Any]) -> dict[str, Any]:
        """The same for the fields of a log line, before they are quoted and escaped: a structlog processor."""
        return {name: self._field(value) for name, value in event.items()}

    def _field(self, value: Any) -> Any:
        if value is None or isinstance(value, bool | int | float):
            return value
        if isinstance(value, list | tuple | set | frozenset):
            return [self._field(item) for item in value]
        if isinstance(value, Mapping):
            return {self(str(name)): self._field(item) for name, item in value.items()}
        return self(value if isinstance(value, str) else str(value))


def _spelt(secrets: Iterable[str]) -> frozenset[str]:
    from watchdog.core.text.secrets import spellings  # noqa: PLC0415 - not needed by commands that read no configuration

    return frozenset(spelling for secret in secrets for spelling in spellings(secret) if len(spelling) >= _SHORTEST)


MASKING = Masking()
"""The secrets that this process must not print."""
on_obtained(MASKING.learn_obtained)


class _MaskedStream(io.TextIOWrapper):
    """A standard stream that masks every write, and neutralizes commands for a CI system."""

    ascii_alone = False
    """Whether the stream was opened for ASCII: click would bypass such a stream, and with it the masking."""
    _line = ""
    """The beginning of the current, unfinished line."""

    def write(self, text: str) -> int:
        """Print text that may come from anywhere."""
        masked = MASKING(text)
        self._print(masked, without_commands(masked, begins_line=not self._line.strip()))
        return len(text)

    def masked(self, text: str) -> str:
        """The text as it would be printed, for those who print it piece by piece."""
        return MASKING(text)

    def write_commands(self, text: str) -> None:
        """Print commands that are meant to be executed; their author has escaped their contents."""
        masked = MASKING(text)
        self._print(masked, masked)

    def _print(self, text: str, shown: str) -> None:
        super().write(shown.encode("ascii", "backslashreplace").decode("ascii") if self.ascii_alone else shown)
        *before, last = re.split(r"[\r\n]", text)
        self._line = last[:_SEEN] if before else (self._line + last)[:_SEEN]


def masked_stream(stream: TextIO) -> TextIO:
    """The stream with masking; unchanged if it is not one of the interpreter's own."""
    if type(stream) is not io.TextIOWrapper:
        return stream
    stream.flush()
    ascii_alone = codecs.lookup(stream.encoding).name == "ascii"
    masked = _MaskedStream(
        stream.buffer,
        encoding="utf-8" if ascii_alone else stream.encoding,
        errors=stream.errors,
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )
    masked.ascii_alone = ascii_alone
    return masked


def print_commands(text: str) -> None:
    """Print commands for a CI system to standard output, for it to execute."""
    if isinstance(sys.stdout, _MaskedStream):
        sys.stdout.write_commands(text)
    else:
        sys.stdout.write(text)
