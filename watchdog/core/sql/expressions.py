"""SQL expressions as trees, so that a condition can be checked for sense before it is asked of a row.

`sql_parsing` makes them from tokens, `condition_faults` reads them.
"""

from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct

__all__ = ["DEEPEST", "LEVELS", "Expression", "Form", "NotUnderstoodError"]

DEEPEST = 100
"""Levels that an expression may have; SQLite is told the same."""


class Form(StrEnum):
    """What an expression is. TEST is whatever answers yes or no by another word: IS NULL, LIKE, EXISTS."""

    NUMBER = "number"
    TEXT = "text"
    NULL = "NULL"
    TRUTH = "truth value"
    PARAMETER = "parameter"
    COLUMN = "column"
    CALL = "call"
    CASE = "CASE"
    WHEN = "WHEN"
    CAST = "CAST"
    SELECT = "subselect"
    ROW = "row"
    LOGIC = "AND, OR, NOT"
    COMPARE = "comparison"
    IN = "IN"
    BETWEEN = "BETWEEN"
    TEST = "test"
    ARITHMETIC = "arithmetic"
    CONCAT = "||"
    JSON = "->"


LEVELS: Mapping[str, tuple[int, Form]] = {
    **dict.fromkeys(("=", "==", "!=", "<>"), (40, Form.COMPARE)),
    **dict.fromkeys(("<", ">", "<=", ">="), (50, Form.COMPARE)),
    **dict.fromkeys(("&", "|", "<<", ">>"), (60, Form.ARITHMETIC)),
    **dict.fromkeys(("+", "-"), (70, Form.ARITHMETIC)),
    **dict.fromkeys(("*", "/", "%"), (80, Form.ARITHMETIC)),
    "||": (90, Form.CONCAT),
    **dict.fromkeys(("->", "->>"), (90, Form.JSON)),
    "OR": (10, Form.LOGIC),
    "AND": (20, Form.LOGIC),
}
"""Operator between two operands -> how tightly it binds, and what it makes (sqlite.org/lang_expr.html)."""


class Expression(Struct, frozen=True):
    """One node. `word`: operator, function or column (small letters), or the literal as written; `text`: how it all was written."""

    form: Form
    word: str
    parts: tuple["Expression", ...]
    text: str
    depth: int


class NotUnderstoodError(ValueError):
    """Tokens that are no expression; `near` is the text where that showed."""

    def __init__(self, near: str) -> None:
        super().__init__(near)
        self.near = near
