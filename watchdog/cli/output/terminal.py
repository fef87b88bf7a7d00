"""What a terminal can show: the console of rich for it, and ASCII characters where it cannot draw others.

In: a stream, the environment. Out: a console. Each character that pages draw with has a substitute of the same width.
"""

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, TextIO, cast

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["console_on"]

ASCII = str.maketrans("╭╮╰╯┌┐└┘├┤┬┴┼─━│█▇▆▅▄▃▂▁▉▊▋▌▍▎▏░●○·▲…∞", "+++++++++++++--|##==--__####---.*o.^~+")
PLAIN_TERMS = frozenset({"dumb", "linux", "vt100", "vt102", "vt220"})
PLAIN_LOCALES = frozenset({"C", "POSIX"})


def ascii_only(environment: Mapping[str, str], encoding: str | None) -> bool:
    """Whether a terminal draws no frames and bars: by its type, its locale (of which the first set variable counts), its encoding."""
    if environment.get("TERM", "") in PLAIN_TERMS:
        return True
    locale = next((value for name in ("LC_ALL", "LC_CTYPE", "LANG") if (value := environment.get(name))), "")
    return locale in PLAIN_LOCALES or (encoding is not None and not encoding.lower().replace("-", "").startswith("utf"))


def console_on(out: TextIO) -> "Console":
    """Return a console that draws on this stream what its terminal can show."""
    from rich.console import Console  # noqa: PLC0415 - takes 40 ms, and only terminals need it; it respects NO_COLOR

    file = cast("TextIO", _Ascii(out)) if ascii_only(os.environ, out.encoding) else out
    return Console(file=file, highlight=False, markup=False, emoji=False)


class _Ascii:
    """A stream that replaces what its terminal cannot draw."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def write(self, text: str) -> int:
        return self._out.write(text.translate(ASCII))

    def __getattr__(self, name: str) -> object:
        return getattr(self._out, name)
