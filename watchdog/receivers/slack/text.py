"""Escapes text from outside for Slack's mrkdwn: shown as it is, never interpreted.

In: names, summaries, exception texts of any length and content. Out: mrkdwn of at most the given number of characters, in which nothing
mentions, links, formats, quotes or becomes an emoji. Slack has entities for `&`, `<` and `>`, and no escape for other markup: in prose
those characters are replaced by lookalikes; in a code span, where a name must stay copyable, only the backtick is.
"""

import math
import re

from watchdog.core.incidents.payload import iso
from watchdog.core.text.sanitize import sanitize

__all__ = ["bold", "code", "date", "is_link", "link", "prose", "prose_with_code"]

_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_TICK = str.maketrans({"`": "\u02cb"})
_LOOKALIKES = _TICK | str.maketrans({"*": "\u2217", "~": "\u223c"})
_EDGE_UNDERSCORE = re.compile(r"(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")  # within a word it is not markup
_EMOJI_COLON = re.compile(r":(?!\d\d:)(?=[\w+'-]+:)")  # not 09:15:00, nor redis://10.0.0.5:6379
_CODE_SPAN = re.compile(r"(?<![\w`])`([^`\s](?:[^`]*[^`\s])?)`(?![\w`])")
_LINK = re.compile(r"https?://[^\s/]\S*", re.IGNORECASE)
_LONGEST_LINK = 1_000
_SHORTEST_PART = 5
_IN_LINK = {"<": "%3C", ">": "%3E", "|": "%7C", "&": "&amp;"}


def prose(text: str, longest: int) -> str:
    """One line of mrkdwn without any markup; longer text is cut, with an ellipsis."""
    return _escaped(_inert(_one_line(text, longest)), longest)


def prose_with_code(text: str, longest: int) -> str:
    """The same for text by the author of a rule: its code spans stay, so that commands can be copied."""
    shown, room = "", longest - 1
    for number, part in enumerate(_CODE_SPAN.split(_one_line(text, longest))):
        ticks = "`" * (number % 2)
        if room < _SHORTEST_PART:
            return shown if shown.rstrip("`").endswith("…") else shown + "…"
        piece = ticks + _escaped(part if ticks else _inert(part), room - 2 * len(ticks)) + ticks
        shown, room = shown + piece, room - len(piece) - sum(letter > "\uffff" for letter in piece)
    return shown


def bold(text: str, longest: int) -> str:
    """The same in bold."""
    return f"*{prose(text, longest - 2)}*"


def code(text: str, longest: int) -> str:
    """A name as a code span, to be copied; an empty one as two quotes."""
    name = _one_line(text, longest).translate(_TICK) or '""'
    return f"`{_escaped(name, longest - 2)}`"


def is_link(text: str) -> bool:
    """Whether the text is a single URL and nothing else, and short enough as a link."""
    fits = len(text) <= _LONGEST_LINK and len(link(text, "")) <= _LONGEST_LINK
    return fits and text.isprintable() and _LINK.fullmatch(text) is not None


def link(url: str, label: str) -> str:
    """A URL (see `is_link`) with a label of our own."""
    return f"<{''.join(_IN_LINK.get(letter, letter) for letter in url)}|{label}>"


def date(at: float) -> str:
    """A point in time in the reader's time zone; in UTC if Slack cannot format it."""
    return f"<!date^{math.floor(at)}^{{date_short_pretty}} {{time}}|{iso(at)}>"


def _one_line(text: str, longest: int) -> str:
    """One printable line. Long texts are cut before any other processing, which can only make them longer."""
    beginning = text[: 4 * longest]
    line = sanitize(" ".join(beginning.split()))
    return line if beginning == text or len(line) > longest else line + "…"


def _inert(line: str) -> str:
    """A line without markup, except for characters that become entities."""
    inert = _EMOJI_COLON.sub("\u2236", _EDGE_UNDERSCORE.sub("\u02cd", line.translate(_LOOKALIKES)))
    quotes = inert.startswith(">")  # at the start of a line it would quote, even as an entity
    return "\u203a" + inert[1:] if quotes else inert


def _escaped(text: str, longest: int) -> str:
    """Text with entities, never cut inside one. Characters above U+FFFF count twice, as they do in UTF-16 strings."""
    pieces = [_ENTITIES.get(letter, letter) for letter in text[: longest + 1]]
    sizes = [len(piece) + (piece > "\uffff") for piece in pieces]
    if sum(sizes) <= longest:
        return "".join(pieces)
    room, kept = longest - 1, 0
    while kept < len(pieces) and sizes[kept] <= room:
        room -= sizes[kept]
        kept += 1
    return "".join(pieces[:kept]).rstrip("_") + "…"  # at an edge it would be markup
