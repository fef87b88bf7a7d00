"""Text from elsewhere as Slack's mrkdwn: shown as it is, and never obeyed.

In: names, summaries, exception texts, as long and as hostile as they come. Out: mrkdwn of at most so many characters, in which nothing
mentions, links, formats, quotes or becomes an emoji. Slack has entities for `&`, `<` and `>`, and no escape for the other marks: in
prose they become letters that look alike; in a code span, where a name must stay fit to be copied, only the backtick does.
"""

import math
import re

from watchdog.core.incidents.payload import iso
from watchdog.core.text.sanitize import sanitize

__all__ = ["bold", "code", "date", "is_link", "link", "prose", "prose_with_code"]

_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_TICK = str.maketrans({"`": "\u02cb"})
_LOOKALIKES = _TICK | str.maketrans({"*": "\u2217", "~": "\u223c"})
_EDGE_UNDERSCORE = re.compile(r"(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")  # within a word it is no mark
_EMOJI_COLON = re.compile(r":(?!\d\d:)(?=[\w+'-]+:)")  # 09:15:00 is none, nor is redis://10.0.0.5:6379
_CODE_SPAN = re.compile(r"(?<![\w`])`([^`\s](?:[^`]*[^`\s])?)`(?![\w`])")
_LINK = re.compile(r"https?://[^\s/]\S*", re.IGNORECASE)
_LONGEST_LINK = 1_000
_SHORTEST_PART = 5
_IN_LINK = {"<": "%3C", ">": "%3E", "|": "%7C", "&": "&amp;"}


def prose(text: str, longest: int) -> str:
    """One line of mrkdwn without any markup; what was longer ends with an ellipsis."""
    return _escaped(_inert(_one_line(text, longest)), longest)


def prose_with_code(text: str, longest: int) -> str:
    """The same for what the author of a rule wrote: its code spans stay, so that commands can be copied."""
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
    """Whether the text is one URL and nothing else, short enough as a link too."""
    fits = len(text) <= _LONGEST_LINK and len(link(text, "")) <= _LONGEST_LINK
    return fits and text.isprintable() and _LINK.fullmatch(text) is not None


def link(url: str, label: str) -> str:
    """A URL (see `is_link`) behind a word of ours."""
    return f"<{''.join(_IN_LINK.get(letter, letter) for letter in url)}|{label}>"


def date(at: float) -> str:
    """A moment in the reader's own time zone; where Slack cannot tell it, in UTC."""
    return f"<!date^{math.floor(at)}^{{date_short_pretty}} {{time}}|{iso(at)}>"


def _one_line(text: str, longest: int) -> str:
    """On one line and printable. Megabytes are cut before anything looks at them: whatever follows only makes text longer."""
    beginning = text[: 4 * longest]
    line = sanitize(" ".join(beginning.split()))
    return line if beginning == text or len(line) > longest else line + "…"


def _inert(line: str) -> str:
    """A line without marks, but for those that become entities."""
    inert = _EMOJI_COLON.sub("\u2236", _EDGE_UNDERSCORE.sub("\u02cd", line.translate(_LOOKALIKES)))
    quotes = inert.startswith(">")  # at the beginning of a line it would, as an entity too
    return "\u203a" + inert[1:] if quotes else inert


def _escaped(text: str, longest: int) -> str:
    """With entities, never cut inside of one. Characters beyond U+FFFF count twice, as they do where strings are UTF-16."""
    pieces = [_ENTITIES.get(letter, letter) for letter in text[: longest + 1]]
    sizes = [len(piece) + (piece > "\uffff") for piece in pieces]
    if sum(sizes) <= longest:
        return "".join(pieces)
    room, kept = longest - 1, 0
    while kept < len(pieces) and sizes[kept] <= room:
        room -= sizes[kept]
        kept += 1
    return "".join(pieces[:kept]).rstrip("_") + "…"  # at an edge it would be a mark
