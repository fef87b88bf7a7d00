"""Linear replacements for SQLite text functions that can run very long within a single step, where nothing can stop them.

`instr` and `replace` compare at every position, `trim` compares every character with every other: a minute for texts of 100 kB (SQLite
3.40). Input: cells from SQLite. Output: what SQLite's own functions return.
"""

import math
from collections.abc import Callable, Mapping

__all__ = ["LONGEST_TEXT", "TEXT_FUNCTIONS", "TooLongError"]

LONGEST_TEXT = 200_000
"""Most bytes of a text or a row within a statement."""

Given = str | bytes | float | None


class TooLongError(ValueError):
    """A text would grow beyond `LONGEST_TEXT`."""


def _instr(text: Given, part: Given) -> int | None:
    return None if text is None or part is None else _text(text).find(_text(part)) + 1


def _replace(text: Given, old: Given, new: Given) -> Given:
    if text is None or old is None or not _text(old):
        return None if text is None or old is None else text
    if new is None:
        return None
    whole, out, into = _text(text), _text(old), _text(new)
    if len(whole) + whole.count(out) * (len(into) - len(out)) > LONGEST_TEXT:
        raise TooLongError(f"replace: the text would grow beyond {LONGEST_TEXT:,} characters")
    return whole.replace(out, into)


def _trim(text: Given, characters: Given) -> str | None:
    return _ltrim(_rtrim(text, characters), characters)


def _ltrim(text: Given, characters: Given) -> str | None:
    if text is None or characters is None:
        return None
    whole, gone = _text(text), frozenset(_text(characters))
    return whole[next((at for at, character in enumerate(whole) if character not in gone), len(whole)) :]


def _rtrim(text: Given, characters: Given) -> str | None:
    if text is None or characters is None:
        return None
    whole, gone = _text(text), frozenset(_text(characters))
    return whole[: next((at for at in range(len(whole), 0, -1) if whole[at - 1] not in gone), 0)]


def _text(given: Given) -> str:
    """Convert to text as SQLite does: a float with a decimal point."""
    if isinstance(given, bytes):
        return given.decode("utf-8", "replace")
    if isinstance(given, float):
        mantissa, e, exponent = f"{given + 0.0:.15g}".partition("e")  # + 0.0: SQLite has no negative zero
        return (mantissa if "." in mantissa or not math.isfinite(given) else f"{mantissa}.0") + e + exponent
    return str(given)


TEXT_FUNCTIONS: Mapping[tuple[str, int], Callable[..., Given]] = {
    ("instr", 2): _instr,
    ("replace", 3): _replace,
    ("trim", 2): _trim,
    ("ltrim", 2): _ltrim,
    ("rtrim", 2): _rtrim,
}
"""(Name, number of arguments) -> the replacement of SQLite's own function."""
