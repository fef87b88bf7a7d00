"""SQL as tokens: the parts of a condition, before SQLite sees it.

Input: the text as the user wrote it. Output: tokens with offsets, and a sentence for each that is not allowed. A condition is inserted
between brackets into a statement, so anything that could leave them (a comment, a semicolon, an unbalanced bracket) is reported here,
before anything is prepared.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum

from msgspec import Struct

__all__ = ["LONGEST_TEXT", "Token", "TokenKind", "bracket_faults", "rewritten", "scan", "with_parameters", "with_real_numbers"]

LONGEST_TEXT = 10_000
"""Most characters of a condition or a query."""


class TokenKind(StrEnum):
    """The kind of a token. `quoted` is a word in double quotes, backticks or square brackets; `other` is not allowed here."""

    WORD = "word"
    NUMBER = "number"
    TEXT = "text"
    QUOTED = "quoted word"
    PARAMETER = "parameter"
    OPERATOR = "operator"
    OPEN = "open"
    CLOSE = "close"
    COMMA = "comma"
    COMMENT = "comment"
    OTHER = "other"


class Token(Struct, frozen=True):
    """One token: as it was written, and where it starts (in characters)."""

    kind: TokenKind
    text: str
    start: int

    @property
    def end(self) -> int:
        """Where it ends (in characters)."""
        return self.start + len(self.text)

    @property
    def word(self) -> str:
        """A word in upper case, to compare with keywords; empty for anything else."""
        return self.text.upper() if self.kind is TokenKind.WORD else ""


_PATTERNS = {
    "space": r"[ \t\r\n\f]+",
    "COMMENT": r"--[^\n]*|/\*.*?(?:\*/|$)",
    "blob": r"[xX]'[^']*'",
    "TEXT": r"'(?:[^']|'')*'",
    "QUOTED": r'"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\]',
    "NUMBER": r"(?:0[xX][0-9a-fA-F]+|(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)(?![\w$.])",
    "bad_number": r"\.?[0-9][\w.$]*",
    "PARAMETER": r":[A-Za-z_]\w*",
    "bad_parameter": r"\?[0-9]*|[@$:#]\w*",
    "WORD": r"[^\W\d][\w$]*",
    "OPERATOR": r"->>|->|\|\||<<|>>|<=|>=|<>|==|!=|[-+*/%&|<>=~.]",
    "OPEN": r"\(",
    "CLOSE": r"\)",
    "COMMA": r",",
    "semicolon": r";",
    "unended": r"['\"`\[]",
    "OTHER": r".",
}
_TOKEN = re.compile("|".join(f"(?P<{name}>{pattern})" for name, pattern in _PATTERNS.items()), re.DOTALL)
_UNUSABLE = re.compile("[\x00\ud800-\udfff]")
_FAULTLESS = frozenset({"WORD", "OPERATOR", "OPEN", "CLOSE", "COMMA", "PARAMETER", "TEXT"})
_DURATION = re.compile(r"(?:[0-9.]+(?:ms|[smhdw]))+")


def scan(text: str) -> tuple[tuple[Token, ...], tuple[str, ...]]:
    """Return all tokens in order, and a sentence for each that is not allowed in a condition or a query."""
    if len(text) > LONGEST_TEXT:
        return (), (f"it is {len(text):,} characters long; at most {LONGEST_TEXT:,} are allowed",)
    if _UNUSABLE.search(text):
        return (), ("it holds a character that no text may hold (NUL, or half of a surrogate pair)",)
    tokens: list[Token] = []
    faults: list[str] = []
    for match in _TOKEN.finditer(text):
        name = str(match.lastgroup)
        if name == "space":
            continue
        token = Token(TokenKind[name] if name in TokenKind.__members__ else TokenKind.OTHER, match[0], match.start())
        tokens.append(token)
        if name not in _FAULTLESS and (fault := _fault(name, token.text)):
            faults.append(fault)
    return tuple(tokens), tuple(dict.fromkeys(faults))


def _fault(name: str, text: str) -> str:
    found = text if len(text) <= 40 else text[:37] + "…"
    if name in ("NUMBER", "bad_number"):
        return _number_fault(name, found)
    if name == "QUOTED":
        return _quoted_fault(found)
    return {
        "COMMENT": f"a comment is not allowed in it: {found}",
        "blob": f"a blob is not allowed: {found}",
        "bad_parameter": f"a parameter is written as :name; found {found}",
        "semicolon": "it must be one statement; remove the ;",
        "unended": f"a quotation that starts with {found} does not end",
        "OTHER": f"unexpected character {found!r}",
    }.get(name, "")


def _quoted_fault(found: str) -> str:
    inside = found[1:-1]
    if found.startswith('"'):
        return f"{found} is in double quotes: use single quotes for text ('{inside}') and no quotes for a column ({inside})"
    return f"write the name {inside} without {found[0]}{found[-1]}"


def _number_fault(name: str, found: str) -> str:
    if name == "bad_number":
        duration = f'; a duration belongs in params: params = {{ limit = "{found}" }}, used as :limit' if _DURATION.fullmatch(found) else ""
        return f"{found} is no number{duration}"
    return f"{found} is hexadecimal; write it as a decimal number" if found[:2] in ("0x", "0X") else ""


def bracket_faults(tokens: Sequence[Token]) -> tuple[str, ...]:
    """Return a sentence if brackets are unbalanced: a `)` before its `(`, or one that stays open."""
    depth = 0
    for token in tokens:
        depth += (token.kind is TokenKind.OPEN) - (token.kind is TokenKind.CLOSE)
        if depth < 0:
            return (f"unbalanced brackets: the ) at character {token.start + 1} closes nothing",)
    return (f"unbalanced brackets: {depth} ( not closed",) if depth else ()


def rewritten(text: str, tokens: Sequence[Token], replacement: Callable[[int, Token], str]) -> str:
    """Replace each token by the result of `replacement(index, token)`; the space between is kept."""
    parts, at = [], 0
    for index, token in enumerate(tokens):
        parts += [text[at : token.start], replacement(index, token)]
        at = token.end
    return "".join(parts) + text[at:]


def with_real_numbers(text: str) -> str:
    """Rewrite SQL without integer division: `50` becomes `50.0`, and `a / b` becomes `a *1.0/ b` (counts are integers too).

    Positions stay integers: ORDER BY 1, GROUP BY 1, LIMIT, OFFSET, an index into JSON (`->> 0`), a number joined to a text by `||`.
    ValueError if the text has a fault.
    """
    tokens, faults = scan(text)
    if faults:
        raise ValueError("; ".join(faults))
    positions = set(_positions(tokens))

    def real(index: int, token: Token) -> str:
        if token.text == "/":
            return "*1.0/"
        whole = token.kind is TokenKind.NUMBER and token.text.isdigit() and index not in positions
        return token.text + ".0" if whole else token.text

    return rewritten(text, tokens, real)


def with_parameters(text: str, prefix: str) -> str:
    """Put a prefix before the name of each parameter: `:most` becomes `:a_most`, so that texts of several rules fit into one statement."""
    tokens, _ = scan(text)
    return rewritten(text, tokens, lambda _, token: f":{prefix}{token.text[1:]}" if token.kind is TokenKind.PARAMETER else token.text)


_ENDS_POSITIONS = frozenset({"HAVING", "WINDOW", "UNION", "EXCEPT", "INTERSECT", "SELECT", "ROWS", "RANGE", "FROM", "WHERE"})


def _positions(tokens: Sequence[Token]) -> Iterator[int]:
    """Yield indices of tokens that stay unchanged: positions, and numbers that become text."""
    clauses = [""]
    for index, token in enumerate(tokens):
        before = tokens[index - 1].text.upper() if index else ""
        after = tokens[index + 1].text if index + 1 < len(tokens) else ""
        if token.kind is TokenKind.OPEN:
            clauses.append("")
        elif token.kind is TokenKind.CLOSE and len(clauses) > 1:
            clauses.pop()
        elif token.word in ("BY", "LIMIT"):
            clauses[-1] = token.word
        elif token.word in _ENDS_POSITIONS:
            clauses[-1] = ""
        counts = clauses[-1] == "LIMIT" or (clauses[-1] == "BY" and before in ("BY", ","))
        if counts or before in ("->", "->>", "||") or after == "||":
            yield index
