"""Find the lines of keys in a TOML text, which `tomllib` does not report.

Input: a text that `tomllib` has accepted. Output: path -> line, for every table, key, array item and inline key, so that a fault can name
the line to fix. It only finds positions; `tomllib` alone parses the values.
"""

import re
import tomllib
from bisect import bisect_right
from collections.abc import Mapping
from contextlib import suppress

__all__ = ["Path", "line_of", "lines_of", "syntax_line"]

Path = tuple[str | int, ...]
"""Keys and array indexes from the top: `("rule", 0, "escalate", 1, "when")`."""

_BLANK = re.compile(r"(?:[ \t\r\n]++|#[^\n]*+)*+")
_BARE_KEY = re.compile(r"[^ \t\r\n.=\]]*+")
_SIMPLE_VALUE = re.compile(r"[^,\]}#\r\n]*+")
_STRING = {
    '"': re.compile(r'"""(?:[^"\\]|\\.|"(?!""))*+"{3,5}|"(?:[^"\\\n]|\\.)*+"', re.DOTALL),
    "'": re.compile(r"'''(?:[^']|'(?!''))*+'{3,5}|'[^'\n]*+'"),
}
"""Quote -> pattern of a string of either kind that begins with it."""


def lines_of(text: str) -> Mapping[Path, int]:
    """Return path -> line (from 1). The text must be valid TOML; for anything else the result is incomplete."""
    scan = _Scan(text)
    with suppress(IndexError, ValueError, RecursionError):  # not TOML after all: return what was found so far
        scan.document()
    return scan.lines


def line_of(lines: Mapping[Path, int], path: Path) -> int:
    """Return the line of a path, or of the nearest enclosing one; 1 if nothing is known."""
    for length in range(len(path), 0, -1):
        if path[:length] in lines:
            return lines[path[:length]]
    return 1


def syntax_line(error: tomllib.TOMLDecodeError, text: str) -> int:
    """Return the line that a syntax error names in its text ("… (at line 3, column 5)"); the last line for "at end of document"."""
    _, found, tail = str(error).rpartition("(at line ")
    number = tail.partition(",")[0]
    return int(number) if found and number.isdigit() else max(len(text.rstrip("\n").split("\n")), 1)


class _Scan:
    """One pass over a text: `at` moves forward, `lines` is filled."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.lines: dict[Path, int] = {}
        self.counts: dict[Path, int] = {}  # array of tables -> tables so far
        self.starts = [0, *(found.end() for found in re.finditer("\n", text))]

    def document(self) -> None:
        base: Path = ()
        self.skip_blank()
        while self.at < len(self.text):
            if self.text[self.at] == "[":
                base = self.header()
            else:
                self.assignment(base)
            self.skip_blank()

    def header(self) -> Path:
        """Read `[a.b]` or `[[a.b]]`. Return the path of the table it opens."""
        line, brackets = self.line(), 2 if self.text.startswith("[[", self.at) else 1
        self.at += brackets
        parts = self.key()
        self.at = self.text.index("]", self.at) + brackets
        path = (*self.inside(parts[:-1]), parts[-1])
        if brackets == 2:
            self.lines.setdefault(path, line)
            self.counts[path] = self.counts.get(path, 0) + 1
            path += (self.counts[path] - 1,)
        self.note(path, line)
        return path

    def inside(self, parts: list[str]) -> Path:
        """Return the table that the leading keys of a header refer to; for an array of tables, the last one."""
        path: Path = ()
        for part in parts:
            path += (part,)
            if path in self.counts:
                path += (self.counts[path] - 1,)
        return path

    def assignment(self, base: Path) -> None:
        line, parts = self.line(), self.key()
        path = (*base, *parts)
        self.note(path, line)
        self.skip_blank()
        self.at += 1  # the equals sign
        self.value(path)

    def note(self, path: Path, line: int) -> None:
        """Record a path and all its prefixes; the first mention wins."""
        for length in range(1, len(path) + 1):
            self.lines.setdefault(path[:length], line)

    def key(self) -> list[str]:
        """Read a dotted key. Return its parts unquoted."""
        parts: list[str] = []
        while True:
            self.skip_blank()
            parts.append(self.quoted_key() if self.text[self.at] in "\"'" else self.bare_key())
            self.skip_blank()
            if self.text[self.at] != ".":
                return parts
            self.at += 1

    def bare_key(self) -> str:
        start = self.at
        self.step_over(_BARE_KEY)
        self.text[self.at]  # beyond the end: stop (IndexError)
        return self.text[start : self.at]

    def quoted_key(self) -> str:
        start = self.at
        self.string()
        return str(tomllib.loads(f"k={self.text[start : self.at]}")["k"])  # tomllib knows the escapes

    def value(self, path: Path) -> None:
        self.skip_blank()
        first = self.text[self.at]
        if first in "\"'":
            self.string()
        elif first == "[":
            self.array(path)
        elif first == "{":
            self.inline_table(path)
        else:  # a number, a date or a boolean contains none of these
            self.step_over(_SIMPLE_VALUE)

    def string(self) -> None:
        """Skip a string of any of the four kinds."""
        self.step_over(_STRING[self.text[self.at]])

    def array(self, path: Path) -> None:
        self.at += 1
        index = 0
        self.skip_blank()
        while self.text[self.at] != "]":
            self.note((*path, index), self.line())
            self.value((*path, index))
            index += 1
            self.skip_comma()
        self.at += 1

    def inline_table(self, path: Path) -> None:
        self.at += 1
        self.skip_blank()
        while self.text[self.at] != "}":
            self.assignment(path)
            self.skip_comma()
        self.at += 1

    def skip_comma(self) -> None:
        self.skip_blank()
        if self.text[self.at] == ",":
            self.at += 1
            self.skip_blank()

    def skip_blank(self) -> None:
        """Skip spaces, line ends and comments."""
        self.step_over(_BLANK)

    def step_over(self, kind: re.Pattern[str]) -> None:
        found = kind.match(self.text, self.at)
        if found is None:  # not TOML after all
            raise ValueError(self.at)
        self.at = found.end()

    def line(self) -> int:
        return bisect_right(self.starts, self.at)
