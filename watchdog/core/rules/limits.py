"""The numbers with which a rule's conditions compare columns: `length > :limit` says 50, where `limit` is 50.

In: a rule as tuned. Out: column -> limits, columns in the order of `when`. Only comparisons that must hold for a breach count: those of
which any may hold, or that are part of arithmetic with other columns, say no number that could be drawn.
"""

from collections.abc import Iterator, Mapping

from watchdog.core.history.chart import Limit
from watchdog.core.model.rows import Param
from watchdog.core.model.severity import Severity
from watchdog.core.rules.rule import Rule
from watchdog.core.sql.expressions import Expression, Form, NotUnderstoodError, conjuncts
from watchdog.core.sql.parser import parse
from watchdog.core.sql.tokens import scan

__all__ = ["limits_of"]

_ABOVE = {">": True, ">=": True, "<": False, "<=": False}


def limits_of(rule: Rule) -> Mapping[str, tuple[Limit, ...]]:
    """Return the limits of each column that the rule compares with a number; first that of `when`, then those of its escalations."""
    conditions = ((rule.when or "", rule.severity), *((one.when, one.severity) for one in rule.escalate))
    found: dict[str, tuple[Limit, ...]] = {}
    for text, severity in conditions:
        for column, limit in _compared(text, severity, rule.params):
            found[column] = (*found.get(column, ()), limit)
    return found


def _compared(text: str, severity: Severity, params: Mapping[str, Param]) -> Iterator[tuple[str, Limit]]:
    tokens, faults = scan(text)
    try:
        expression = None if faults or not tokens else parse(text, tokens)
    except NotUnderstoodError:
        return
    for part in conjuncts(expression) if expression is not None else ():
        if part.form is not Form.COMPARE or part.word not in _ABOVE:
            continue
        left, right = part.parts
        above = _ABOVE[part.word]
        for column, other, is_above in ((left, right, above), (right, left, not above)):
            value = _number(other, params)
            if column.form is Form.COLUMN and value is not None:
                yield column.word, Limit(value, severity, is_above)


def _number(expression: Expression, params: Mapping[str, Param]) -> float | None:
    """Return the value of an expression of numbers and parameters alone; None if it is anything else."""
    if expression.form is Form.ARITHMETIC and len(expression.parts) == 2:
        return _calculated(expression.word, *(_number(part, params) for part in expression.parts))
    if expression.form is Form.NUMBER:
        return float(expression.word)
    value = params.get(expression.word[1:]) if expression.form is Form.PARAMETER else None
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _calculated(operator: str, left: float | None, right: float | None) -> float | None:
    if left is None or right is None:
        return None
    match operator:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
        case "/" if right:
            return left / right
    return None
