"""A condition or query during its check: its text, its faults so far, and placeholders for unknown names.

SQLite reports one fault and stops. So each unknown name is recorded and replaced by a parameter that can be anything, and SQLite is asked
again, until it accepts the text: all faults are reported at once.
"""

import re
import sqlite3
from collections.abc import Callable, Collection, Mapping

from watchdog.core.model.rows import Param
from watchdog.core.sql.functions import DENIED, FUNCTIONS, WINDOWS
from watchdog.core.sql.tokens import Token, TokenKind, bracket_faults, rewritten, scan
from watchdog.core.text.suggestions import did_you_mean

__all__ = ["Draft", "format_value"]

_NOT_FUNCTIONS = """ALL AND AS BETWEEN BY CASE CAST COLLATE DISTINCT ELSE ESCAPE EXCEPT EXISTS FILTER FROM GLOB GROUP HAVING IN INTERSECT IS
    JOIN LIKE LIMIT MATCH MATERIALIZED NOT OFFSET ON OR ORDER OVER REGEXP SELECT THEN UNION USING VALUES WHEN WHERE WINDOW WITH"""
_BEFORE_BRACKETS = frozenset(_NOT_FUNCTIONS.split())
_MANY_ROWS = frozenset({"SELECT", "WITH", "VALUES", "EXISTS"})
_NEVER_PARAMS = frozenset(
    {"AND", "OR", "NOT", "IS", "IN", "NULL", "TRUE", "FALSE", "BETWEEN", "LIKE", "CASE", "WHEN", "THEN", "ELSE", "END"}
)
_NO_COLUMN = re.compile(r"no such column: (.+)")


class Draft:
    """The text with replacements, and its faults. `hopeless`: further checks make no sense."""

    UNKNOWN = ":_unknown"

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens, found = scan(text)
        self.faults = [*found, *bracket_faults(self.tokens)] if self.tokens or found else ["it is empty"]
        broken = any(token.kind in (TokenKind.OTHER, TokenKind.COMMENT) for token in self.tokens)
        self.hopeless = broken or not self.tokens or bool(bracket_faults(self.tokens))

    def _rewrite(self, replacement: Callable[[int, Token], str]) -> None:
        text = rewritten(self.text, self.tokens, replacement)
        if text != self.text:
            self.text, (self.tokens, _) = text, scan(text)

    def _next(self, index: int) -> Token:
        return self.tokens[index + 1] if index + 1 < len(self.tokens) else Token(TokenKind.OTHER, "", 0)

    # --- what a condition, or a query, may not have ---

    def refuse_many_rows(self) -> None:
        """Refuse subselects and window functions, which use more than the row being judged."""
        if any(t.word in _MANY_ROWS and (t.word != "EXISTS" or self._next(i).text == "(") for i, t in enumerate(self.tokens)):
            self.faults.append("a subselect reads many rows, but a condition reads one: use query for this")
        if any(t.word == "OVER" or (t.word.lower() in WINDOWS and self._next(i).text == "(") for i, t in enumerate(self.tokens)):
            self.faults.append("a window function reads many rows, but a condition reads one: use query for this")

    def refuse_lonely_words(self) -> None:
        """Refuse `exists` as if it were a column: SQLite would only say that what follows is wrong."""
        if any(token.word == "EXISTS" and self._next(index).text != "(" for index, token in enumerate(self.tokens)):
            self.faults.append('"exists" is a word of SQL before a subselect, and names no column')

    def refuse_unseen_reads(self) -> None:
        """Refuse joins whose columns SQLite does not report, because their gaps would be missed; and recursion."""
        for token in self.tokens:
            if token.word in ("NATURAL", "USING"):
                self.faults.append(f"{token.word} hides which columns are compared; write JOIN … ON a.name = b.name")
            if token.word == "RECURSIVE":
                self.faults.append("a recursive query is not allowed")

    # --- what is unknown in it ---

    def mend_words(self, columns: Collection[str], params: Mapping[str, Param], *, bare: bool = True) -> None:
        """Replace quoted words, unknown parameters, and (`bare`) parameters written without their colon."""

        def mend(index: int, token: Token) -> str:
            if token.kind is TokenKind.QUOTED:
                inside = token.text[1:-1]
                return inside if inside in columns else "'" + inside.replace("'", "''") + "'"
            if token.kind is TokenKind.PARAMETER and token.text[1:] not in params:
                declares = "" if params else "; declare it: params = { " + token.text[1:] + " = … }"
                self.faults.append(f"no parameter {token.text}{did_you_mean(token.text[1:], params) or declares}")
                return self.UNKNOWN
            if bare and self._is_bare_param(index, token, columns, params):
                self.faults.append(f"write :{token.text} for the parameter {token.text}")
                return f":{token.text}"
            return token.text

        self._rewrite(mend)

    def _is_bare_param(self, index: int, token: Token, columns: Collection[str], params: Mapping[str, Param]) -> bool:
        named = token.kind is TokenKind.WORD and token.text in params and token.text.lower() not in columns
        return named and token.word not in _NEVER_PARAMS and self._next(index).text not in ("(", ".")

    def mend_functions(self) -> None:
        """Replace functions that do not exist or are not allowed."""
        wrong = {index for index, token in enumerate(self.tokens) if self._is_unknown_function(index, token)}

        def mend(index: int, token: Token) -> str:
            if index in wrong:
                name = token.text.lower()
                why = f"the function {name} is not allowed: {DENIED[name]}" if name in DENIED else f'no function "{token.text}"'
                self.faults.append(why + ("" if name in DENIED else did_you_mean(name, FUNCTIONS)))
                return "coalesce"
            if index - 1 in wrong:
                empty = self._next(index).text in (")", "*")
                return f"({self.UNKNOWN}, " + (self.UNKNOWN if empty else "")
            return "" if index - 2 in wrong and token.text == "*" else token.text

        if wrong:
            self._rewrite(mend)

    def _is_unknown_function(self, index: int, token: Token) -> bool:
        if token.kind is not TokenKind.WORD or self._next(index).kind is not TokenKind.OPEN:
            return False
        known = token.word in _BEFORE_BRACKETS or token.text.lower() in FUNCTIONS
        return not known and not self._names_a_with_table(index + 1)

    def _names_a_with_table(self, opening: int) -> bool:
        """Whether the bracket lists the columns of a table that WITH defines: `name (a, b) AS (`."""
        depth = 0
        for index in range(opening, len(self.tokens)):
            depth += (self.tokens[index].kind is TokenKind.OPEN) - (self.tokens[index].kind is TokenKind.CLOSE)
            if depth == 0:
                return self._next(index).word == "AS" and self._next(index + 1).text.upper() in ("(", "NOT", "MATERIALIZED")
        return False

    def mend_column(
        self, said: str, where: str, columns: Collection[str], params: Mapping[str, Param], elsewhere: Mapping[str, str]
    ) -> bool:
        """Record the column that SQLite did not find and replace it. Return False if SQLite reported another error.

        `columns`: those of the tables that are asked; `elsewhere`: column -> another table that has it.
        """
        match = _NO_COLUMN.fullmatch(said)
        if match is None:
            return False
        path = match[1].lower().split(".")
        name = match[1].split(".")[-1]
        other = elsewhere.get(name.lower())
        hint = f"; the table {other} has one" if other is not None and name.lower() not in columns else did_you_mean(name, columns)
        hint = f"; write :{name} for the parameter" if name in params else hint
        self.faults.append(f'no column "{name}" in {where}{hint}')
        spots = [index for index in range(len(self.tokens)) if self._spells(index, path)]
        covered = {spot + offset for spot in spots for offset in range(2 * len(path) - 1)}
        self._rewrite(lambda index, token: self.UNKNOWN if index in spots else "" if index in covered else token.text)
        return bool(spots)

    def _spells(self, index: int, path: list[str]) -> bool:
        """Whether the dotted name begins at a token."""
        words = [token.text.lower() for token in self.tokens[index : index + 2 * len(path) - 1]]
        before = self.tokens[index - 1].text if index else ""
        return words[::2] == path and set(words[1::2]) <= {"."} and before != "." and self._next(index + 2 * len(path) - 2).text != "."


_SAID = (
    (r'near "\)": syntax error|incomplete input', "something is missing: before a ) or at its end"),
    (r'near "(.*)": syntax error', 'syntax error near "{0}"'),
    (r"ambiguous column name: (?:.*\.)?(.+)", 'more than one table has a column "{0}": say which, as in queues.{0}'),
    (r"Expression tree is too large.*|parser stack overflow|too many levels.*", "it is nested too deeply"),
    (r"wrong number of arguments to function (\w+).*", "wrong number of arguments to {0}"),
    (r"no such function: (\w+)", f"SQLite {sqlite3.sqlite_version}, in use here, has no function {{0}}"),
    (r"row value misused|sub-select returns .*", "it must give one value, not several"),
    (r"misuse of (?:window|aggregate)(?: function)?:? (\w+).*", "{0} cannot be used there; it reads many rows (HAVING can use it)"),
)


def format_value(said: str, tables: Collection[str]) -> str:
    """Turn an error message of SQLite into a sentence of ours."""
    if said.startswith("no such table: "):
        name = said.removeprefix("no such table: ").removeprefix("main.")
        return f'no table "{name}"{did_you_mean(name, tables) or "; there are " + ", ".join(tables)}'
    for pattern, sentence in _SAID:
        if match := re.fullmatch(pattern, said, re.DOTALL):
            return sentence.format(*match.groups())
    return said
