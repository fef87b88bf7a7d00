"""Sanitize foreign text for printing and logging.

Input: names, summaries, a server's answer. Output: the same, with every control character, terminal escape and text-direction mark escaped
(`\\x1b`), so that nobody who names a queue can manipulate an operator's terminal or forge a log line.
"""

import re
import unicodedata

__all__ = ["first_line", "log_text", "one_line", "sanitize", "sanitize_json"]

_SEPARATORS = ("Zl", "Zp")


def sanitize(text: str) -> str:
    """Return the text with invisible characters escaped, including line ends."""
    if text.isprintable():
        return text
    return "".join(_escaped(character) if _invisible(character) else character for character in text)


def log_text(text: str) -> str:
    """Return the text on one line: several lines are joined by semicolons."""
    return text if text.isprintable() else sanitize("; ".join(line for line in text.splitlines() if line))


def sanitize_json(document: str) -> str:
    """Return a JSON document with invisible characters in JSON's escapes, which does not change its meaning."""
    return document if document.isprintable() else _UNPRINTABLE.sub(_as_json, document)


_UNPRINTABLE = re.compile(r"[^ -~\n]")


def _as_json(found: re.Match[str]) -> str:
    character = found[0]
    if not _invisible(character):
        return character
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{int.from_bytes(units[at : at + 2], 'big'):04x}" for at in range(0, len(units), 2))


def _invisible(character: str) -> bool:
    category = unicodedata.category(character)
    return category[0] == "C" or category in _SEPARATORS


def _escaped(character: str) -> str:
    number = ord(character)
    return f"\\x{number:02x}" if number <= 0xFF else f"\\u{number:04x}" if number <= 0xFFFF else f"\\U{number:08x}"


def first_line(text: str) -> str:
    """Return the first line that is not blank, without the spaces around it."""
    return next((line.strip() for line in text.splitlines() if line.strip()), "")


def one_line(text: str, longest: int = 200) -> str:
    """Return the first non-empty line, sanitized, of at most `longest` characters."""
    first = first_line(text)
    cut = first if len(first) <= longest else first[: longest - 1] + "…"
    return sanitize(cut)
