"""The last line of defence: secrets of the configuration, blotted out of whatever is about to be printed or logged.

Sentences are made without secrets; this is for the texts of others: exceptions of libraries, their tracebacks, warnings. In: secrets, as
`config_secrets` finds them. Out: texts with `***` in their place. Whoever prints asks the one `MASKING` of the process, which has learnt
them as the configuration was read, before it was found right or wrong. Words of fewer than 6 letters are left alone.
"""

import codecs
import io
import re
import sys
from collections.abc import Iterable, Mapping
from typing import Any, TextIO

from watchdog.core.text.ci_commands import without_commands

__all__ = ["MASK", "MASKING", "Masking", "masked_stream", "print_commands"]

MASK = "***"
_SHORTEST = 6
_SEEN = 200
"""Characters that are remembered of an unfinished line: enough to know whether it is blank."""
_USERINFO = re.compile(r"\b([a-zA-Z][a-zA-Z0-9+.-]{0,20}://)(?!user:password@)(?![^\s@]*\$\{)[^\s/?#\"'<>]+@")
"""Not that of examples in sentences of our own, nor a reference such as `${PASSWORD}`."""


class Masking:
    """What must not be told. Any thread may teach it and ask it; what it has learnt it never forgets."""

    def __init__(self) -> None:
        self._secrets: frozenset[str] = frozenset()
        self._pattern: re.Pattern[str] | None = None

    def learn(self, secrets: Iterable[str]) -> None:
        """These too, in every spelling that a library may give them."""
        from watchdog.core.text.secrets import spellings  # noqa: PLC0415 - what reads no configuration does without

        known = self._secrets | {spelling for secret in secrets for spelling in spellings(secret) if len(spelling) >= _SHORTEST}
        if known != self._secrets:
            self._secrets = known
            self._pattern = re.compile("|".join(re.escape(secret) for secret in sorted(known, key=len, reverse=True)))

    def __call__(self, text: str) -> str:
        """The text without them, and without the userinfo of any URL."""
        if self._pattern is not None:
            text = self._pattern.sub(MASK, text)
        return _USERINFO.sub(rf"\1{MASK}@", text) if "@" in text else text

    def event(self, _logger: object, _method: str, event: Mapping[str, Any]) -> dict[str, Any]:
        """The same for the fields of a log line, before they are quoted and escaped: a processor of structlog."""
        return {name: self._field(value) for name, value in event.items()}

    def _field(self, value: Any) -> Any:
        if value is None or isinstance(value, bool | int | float):
            return value
        if isinstance(value, list | tuple | set | frozenset):
            return [self._field(item) for item in value]
        if isinstance(value, Mapping):
            return {self(str(name)): self._field(item) for name, item in value.items()}
        return self(value if isinstance(value, str) else str(value))


MASKING = Masking()
"""What this process must not tell."""


class _MaskedStream(io.TextIOWrapper):
    """A standard stream whose every write is masked, and holds no command for a CI system."""

    ascii_alone = False
    """Whether the stream was opened for ASCII: click would go around such a stream, and around the masking."""
    _line = ""
    """What was written of the line that is not ended yet."""

    def write(self, text: str) -> int:
        """Print text that may come from anywhere."""
        masked = MASKING(text)
        self._print(masked, without_commands(masked, begins_line=not self._line.strip()))
        return len(text)

    def write_commands(self, text: str) -> None:
        """Print commands that are meant to be carried out: whatever is in them was escaped by who made them."""
        masked = MASKING(text)
        self._print(masked, masked)

    def _print(self, text: str, shown: str) -> None:
        super().write(shown.encode("ascii", "backslashreplace").decode("ascii") if self.ascii_alone else shown)
        *before, last = re.split(r"[\r\n]", text)
        self._line = last[:_SEEN] if before else (self._line + last)[:_SEEN]


def masked_stream(stream: TextIO) -> TextIO:
    """The stream in masked form; as it is, where it is none of the interpreter's own."""
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
    """Print commands for a CI system to standard output, for it to carry out."""
    if isinstance(sys.stdout, _MaskedStream):
        sys.stdout.write_commands(text)
    else:
        sys.stdout.write(text)
