"""Find expressions that SQLite accepts but that make no sense: they never fail, they are silently false.

Examples: a number compared with a text, a value that a column never holds, a text used as a boolean, a pattern that never ends. Input: an
expression and what is known of its columns and params. Output: a sentence for each fault.
"""

from collections.abc import Iterator, Mapping

from msgspec import Struct

from watchdog.core.model.rows import Column, Kind, Param
from watchdog.core.sql.expressions import Expression, Form
from watchdog.core.sql.functions import AGGREGATES, FUNCTIONS, SAME_AS_ARGUMENTS, PatternError, compiled_pattern
from watchdog.core.text.suggestions import did_you_mean

__all__ = ["Known", "KnownColumn", "aggregate_faults", "sense_faults", "truth_faults"]

_A_KIND = {Kind.NUMBER: "a number", Kind.TEXT: "a text", Kind.BOOLEAN: "a truth value"}
_CHOICES = frozenset({"iif", "if"})


class KnownColumn(Struct, frozen=True):
    """The column that a name unambiguously refers to. `label` is its name in errors (`workers.state`)."""

    label: str
    kind: Kind
    allowed: tuple[str, ...] = ()

    @classmethod
    def of(cls, table: str, column: Column) -> "KnownColumn":
        """Create one from a table's column."""
        return cls(f"{table}.{column.name}", column.kind, column.allowed)


class Known(Struct, frozen=True):
    """What an expression's names refer to. A name that is missing here may hold anything."""

    columns: Mapping[str, KnownColumn]
    params: Mapping[str, Param]

    def param(self, expression: Expression) -> Param | None:
        """Return the value of a parameter; None if the expression is not a known parameter."""
        return self.params.get(expression.word[1:]) if expression.form is Form.PARAMETER else None

    def text(self, expression: Expression) -> str | None:
        """Return the text of a literal or a parameter."""
        if expression.form is Form.TEXT:
            return expression.word[1:-1].replace("''", "'")
        value = self.param(expression)
        return value if isinstance(value, str) else None

    def kind(self, expression: Expression) -> Kind | None:
        """Return the kind of an expression's value; None if unknown."""
        form, word = expression.form, expression.word
        if form in _KINDS:
            return _KINDS[form]
        if form is Form.COLUMN:
            return self.columns[word].kind if word in self.columns else None
        if form is Form.PARAMETER:
            return _kind_of_value(self.param(expression))
        if form is Form.CAST:
            return _kind_of_cast(word)
        if form is Form.CALL:
            inside = expression.parts[1:] if word in _CHOICES else expression.parts
            return self._common(inside) if word in SAME_AS_ARGUMENTS else FUNCTIONS.get(word)
        return self._common(tuple(part.parts[-1] for part in expression.parts if part.form is Form.WHEN)) if form is Form.CASE else None

    def _common(self, parts: tuple[Expression, ...]) -> Kind | None:
        """Return the kind that all parts have (NULL ignored). A boolean mixed with its 0 or 1 is a boolean."""
        kinds = {self.kind(part) for part in parts if part.form is not Form.NULL}
        if kinds == {Kind.BOOLEAN, Kind.NUMBER}:
            return Kind.BOOLEAN
        return kinds.pop() if len(kinds) == 1 else None


_KINDS = {
    **dict.fromkeys((Form.NUMBER, Form.ARITHMETIC), Kind.NUMBER),
    **dict.fromkeys((Form.TEXT, Form.CONCAT), Kind.TEXT),
    **dict.fromkeys((Form.TRUTH, Form.LOGIC, Form.COMPARE, Form.IN, Form.BETWEEN, Form.TEST), Kind.BOOLEAN),
}


def _kind_of_value(value: Param | None) -> Kind | None:
    if value is None:
        return None
    return Kind.BOOLEAN if isinstance(value, bool) else Kind.TEXT if isinstance(value, str) else Kind.NUMBER


def _kind_of_cast(word: str) -> Kind | None:
    if any(part in word for part in ("CHAR", "CLOB", "TEXT")):
        return Kind.TEXT
    return Kind.NUMBER if any(part in word for part in ("INT", "REAL", "FLOA", "DOUB", "NUM")) else None


def _walk(expression: Expression) -> Iterator[Expression]:
    yield expression
    for part in expression.parts:
        yield from _walk(part)


def sense_faults(expression: Expression, known: Known) -> Iterator[str]:
    """Yield faults anywhere in an expression: senseless comparisons, non-boolean operands of AND, OR and NOT, patterns."""
    for part in _walk(expression):
        if part.form is Form.LOGIC:
            for operand in part.parts:
                yield from _operand_fault(operand, known)
        for left, right in _compared(part):
            yield from _comparison_fault(part, left, right, known)
        yield from _pattern_fault(part, known)


def truth_faults(expression: Expression, known: Known) -> Iterator[str]:
    """Yield a fault if the whole expression is not a boolean."""
    yield from _operand_fault(expression, known)


def aggregate_faults(expression: Expression) -> Iterator[str]:
    """Yield functions over many rows, which an expression over one row cannot use."""
    for part in _walk(expression):
        one_argument = part.word in ("max", "min") and len(part.parts) == 1
        if part.form is Form.CALL and (part.word in AGGREGATES or one_argument):
            yield f"{part.text} reads many rows, but a condition reads one: use query for this"


def _operand_fault(expression: Expression, known: Known) -> Iterator[str]:
    if expression.form is Form.NULL:
        yield "NULL is never true"
    kind = known.kind(expression)
    if kind not in (Kind.NUMBER, Kind.TEXT) or expression.form is Form.CASE or expression.word in _CHOICES:
        return
    compare = f"{expression.text} > 0" if kind is Kind.NUMBER else f"{expression.text} = …"
    found = f"{expression.text} ({known.columns[expression.word].label})" if expression.form is Form.COLUMN else expression.text
    yield f"{found} is {_A_KIND[kind]}, not a truth value; compare it with something, as in {compare}"


def _compared(part: Expression) -> Iterator[tuple[Expression, Expression]]:
    """Yield the pairs that an expression compares."""
    if part.form in (Form.COMPARE, Form.IN, Form.BETWEEN):
        yield from ((part.parts[0], other) for other in part.parts[1:])
    if part.form is Form.CASE and part.parts[0].form is not Form.WHEN:
        yield from ((part.parts[0], when.parts[0]) for when in part.parts[1:] if when.word == "WHEN")


def _comparison_fault(part: Expression, left: Expression, right: Expression, known: Known) -> Iterator[str]:
    if Form.NULL in (left.form, right.form):
        if part.form is Form.COMPARE and part.word != "IS":
            yield f"{part.text} is never true; write {'IS NULL' if part.word in ('=', '==') else 'IS NOT NULL'}"
        return
    kinds = known.kind(left), known.kind(right)
    if None not in kinds and (kinds[0] is Kind.TEXT) is not (kinds[1] is Kind.TEXT):
        yield _beside(part, (left, right), known)
    equality = part.form in (Form.IN, Form.CASE) or part.word in ("=", "==", "!=", "<>", "IS")
    for one, other in ((left, right), (right, left)):
        if equality and one.form is Form.COLUMN:
            yield from _allowed_fault(known.columns.get(one.word), other, known)


def _beside(part: Expression, sides: tuple[Expression, Expression], known: Known) -> str:
    (left, right), text = sides, next(side for side in sides if known.kind(side) is Kind.TEXT)
    kinds = [_A_KIND[kind] for kind in (known.kind(left), known.kind(right)) if kind]
    hint = ""
    if text.form is Form.TEXT:
        inside, other = str(known.text(text)).strip(), left if text is right else right
        if known.kind(other) is Kind.BOOLEAN:
            hint = f"; write {inside.upper()} without quotes" if inside.lower() in ("true", "false") else ""
        elif inside.replace(".", "", 1).isdecimal():
            hint = f"; write {inside} without quotes"
    return f"{part.text} compares {kinds[0]} ({left.text}) with {kinds[1]} ({right.text}){hint}"


def _allowed_fault(column: KnownColumn | None, other: Expression, known: Known) -> Iterator[str]:
    value = known.text(other)
    if column is None or not column.allowed or value is None or value in column.allowed:
        return
    found = f"'{value}'" + (f" in {other.text}" if other.form is Form.PARAMETER else "")
    yield f"{column.label} is one of {', '.join(column.allowed)}; found {found}{did_you_mean(value, column.allowed)}"


def _pattern_fault(part: Expression, known: Known) -> Iterator[str]:
    if part.form is Form.CALL and part.word == "regexp" and part.parts:
        pattern = known.text(part.parts[0])
    elif part.form is Form.TEST and part.word == "REGEXP":
        pattern = known.text(part.parts[1])
    else:
        return
    try:
        if pattern is not None:
            compiled_pattern(pattern)
    except PatternError as error:
        yield str(error)
