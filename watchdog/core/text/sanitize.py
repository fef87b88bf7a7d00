"""Text from elsewhere, made harmless to print and to log.

In: names, summaries, a server's answer. Out: the same, with every control character, terminal escape and text-direction mark written
out (`\\x1b`), so that nobody who names a queue can paint an operator's terminal, or forge a line of the log.
"""

import re
import unicodedata

__all__ = ["log_text", "one_line", "sanitize", "sanitize_json"]

_SEPARATORS = ("Zl", "Zp")


def sanitize(text: str) -> str:
    """The text with invisible characters as escapes; line ends too."""
    if text.isprintable():
        return text
    return "".join(_escaped(character) if _invisible(character) else character for character in text)


def log_text(text: str) -> str:
    """The text on one line: several become one, with semicolons between them."""
    return text if text.isprintable() else sanitize("; ".join(line for line in text.splitlines() if line))


def sanitize_json(document: str) -> str:
    """A JSON document with invisible characters written as JSON writes them, which reads the same."""
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


def one_line(text: str, longest: int = 200) -> str:
    """The first line that says something, harmless, at most `longest` characters."""
    first = next((line.strip() for line in text.splitlines() if line.strip()), "")
    cut = first if len(first) <= longest else first[: longest - 1] + "…"
    return sanitize(cut)
