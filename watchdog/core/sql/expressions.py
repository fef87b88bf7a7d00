"""SQL expressions as trees, so that a condition can be checked for sense before it is applied to a row.

`parser` creates them from tokens, `condition_faults` checks them.
"""

from collections.abc import Iterator, Mapping
from enum import StrEnum

from msgspec import Struct

__all__ = ["DEEPEST", "LEVELS", "Expression", "Form", "NotUnderstoodError", "conjuncts"]

DEEPEST = 100
"""Most levels of an expression; SQLite gets the same limit."""


class Form(StrEnum):
    """The form of an expression. TEST is any other yes-or-no test: IS NULL, LIKE, EXISTS."""

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
"""Operator between two operands -> its precedence and the form it creates (sqlite.org/lang_expr.html)."""


class Expression(Struct, frozen=True):
    """One node. `word`: operator, function or column (lower case), or the literal as written; `text`: the source of the whole node."""

    form: Form
    word: str
    parts: tuple["Expression", ...]
    text: str
    depth: int


def conjuncts(expression: Expression) -> Iterator[Expression]:
    """Yield what is joined by AND: all of it must hold."""
    if expression.form is Form.LOGIC and expression.word == "AND":
        for part in expression.parts:
            yield from conjuncts(part)
    else:
        yield expression


class NotUnderstoodError(ValueError):
    """Tokens that are not an expression. `near` is the text where parsing failed."""

    def __init__(self, near: str) -> None:
        super().__init__(near)
        self.near = near
