"""The parts of a rule's condition, and which of them hold for one row: the answer to "why is it not in breach?".

A condition is split where it says AND. A part that reads a gap, and is not true nevertheless, is unknown.

Input: a rule, a loaded table, the number of a row. Output: its parts with the columns and params that they read.
"""

from collections.abc import Iterator, Mapping

from msgspec import Struct, field

from watchdog.core.judging.findings import Finding
from watchdog.core.judging.loaded_tables import LoadedTable
from watchdog.core.model.rows import Cell
from watchdog.core.rules.rule import Rule
from watchdog.core.sql.expressions import Expression, Form, NotUnderstoodError, conjuncts
from watchdog.core.sql.parser import parse
from watchdog.core.sql.tables import SqlTables, bound
from watchdog.core.sql.tokens import scan, with_real_numbers

__all__ = ["Part", "RowLook", "holds_still", "parts_of"]


class Part(Struct, frozen=True):
    """One part of a condition. `of`: `when`, `where` or `clear`. `holds`: None if that is unknown."""

    text: str
    holds: bool | None
    of: str = "when"
    values: Mapping[str, Cell] = field(default_factory=dict)
    """The columns that it reads, then the params, with their values. A gap is None."""


class RowLook(Struct, frozen=True):
    """One row as a rule sees it now, and the parts of its condition."""

    finding: Finding
    parts: tuple[Part, ...] = ()


def parts_of(rule: Rule, number: int, loaded: LoadedTable, sql: SqlTables) -> tuple[Part, ...]:
    """Return the parts of `where`, `when` and `clear` for one row. StoppedError or sqlite3.Error if one cannot be evaluated."""
    row, found = loaded.reading.rows[number], []
    for of, text in (("where", rule.where), ("when", rule.when), ("clear", rule.clear)):
        for part in _split(text) if text else ():
            columns = [name for name in dict.fromkeys(_words(part, Form.COLUMN)) if loaded.table.column(name)]
            params = [name.removeprefix(":") for name in dict.fromkeys(_words(part, Form.PARAMETER))]
            holds = _holds(part.text, rule, number, sql)
            unsure = not holds and any(name in row.gaps for name in columns)
            values = {name: row.cells.get(name) for name in columns} | {name: rule.params.get(name) for name in params}
            found.append(Part(_shown(part), None if unsure else holds, of, values))
    return tuple(found)


def holds_still(rule: Rule, number: int, loaded: LoadedTable, sql: SqlTables) -> bool:
    """Whether `when_still` of the rule's remedy holds for one row. What reads a gap does not. StoppedError or sqlite3.Error as above."""
    remedy = rule.remedy
    if remedy is None or remedy.when_still is None:
        return True
    return loaded.gap_reason(number, remedy.reads) is None and _holds(remedy.when_still, rule, number, sql)


def _holds(text: str, rule: Rule, number: int, sql: SqlTables) -> bool:
    statement = f'SELECT ({with_real_numbers(text)}) IS TRUE FROM "{rule.table}" WHERE rowid = :_row'  # noqa: S608 - checked at load
    _, answer = sql.run(statement, {**bound(rule.params), "_row": number}, 1)
    return bool(answer and answer[0][0])


def _split(text: str) -> Iterator[Expression]:
    """Yield what is joined by AND; the whole text if it cannot be parsed."""
    tokens, _ = scan(text)
    try:
        whole = parse(text, tokens)
    except NotUnderstoodError:
        whole = Expression(Form.TEST, "", (), text, 1)
    yield from conjuncts(whole)


def _words(expression: Expression, form: Form) -> Iterator[str]:
    if expression.form is form:
        yield expression.word
    for part in expression.parts:
        yield from _words(part, form)


def _shown(part: Expression) -> str:
    return f"({part.text})" if part.form is Form.LOGIC and part.word == "OR" else " ".join(part.text.split())
