"""Where things stand in a TOML text, which `tomllib` does not say.

In: a text that `tomllib` has accepted. Out: path -> line, for every table, key, array item and inline key, so that a
fault can point at the line a user has to mend. It only finds places; `tomllib` alone says what the values are.
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
"""Quote -> a string of either kind that begins with it."""


def lines_of(text: str) -> Mapping[Path, int]:
    """Path -> line (from 1). The text must be TOML already; on anything else the result is merely incomplete."""
    scan = _Scan(text)
    with suppress(IndexError, ValueError, RecursionError):  # not TOML after all: what was found until here must do
        scan.document()
    return scan.lines


def line_of(lines: Mapping[Path, int], path: Path) -> int:
    """The line of a path, or of the nearest thing around it; 1 where nothing is known."""
    for length in range(len(path), 0, -1):
        if path[:length] in lines:
            return lines[path[:length]]
    return 1


def syntax_line(error: tomllib.TOMLDecodeError, text: str) -> int:
    """The line a syntax error names in its words ("… (at line 3, column 5)"); the last one for "at end of document"."""
    _, found, tail = str(error).rpartition("(at line ")
    number = tail.partition(",")[0]
    return int(number) if found and number.isdigit() else max(len(text.splitlines()), 1)


class _Scan:
    """One walk over a text: `at` moves forward, `lines` fills."""

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
        """`[a.b]` or `[[a.b]]`; the path of the table it opens."""
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
        """The table that a header's leading keys mean: of an array of tables, the last."""
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
        """Remember a path and all that leads to it; the first mention stays."""
        for length in range(1, len(path) + 1):
            self.lines.setdefault(path[:length], line)

    def key(self) -> list[str]:
        """A dotted key, its parts unquoted."""
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
        else:  # a number, a date or a truth value holds none of these
            self.step_over(_SIMPLE_VALUE)

    def string(self) -> None:
        """Step over a string of any of the four kinds."""
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
        """Step over spaces, line ends and comments."""
        self.step_over(_BLANK)

    def step_over(self, kind: re.Pattern[str]) -> None:
        found = kind.match(self.text, self.at)
        if found is None:  # not TOML after all
            raise ValueError(self.at)
        self.at = found.end()

    def line(self) -> int:
        return bisect_right(self.starts, self.at)
