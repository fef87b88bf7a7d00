"""Expectations of a user (`check --expect`): a condition that must be true of every row of a table, or a SELECT that says so.

Input: the text and the tables; later what one poll loaded. Output: an `Expectation`, or every fault of the text; then an `Answer`. True
needs at least one row, every table completely read, and no gap in the columns read. False needs one row that is false without a gap: no gap
elsewhere can make it true. Everything else could not be answered.
"""

import re
from collections.abc import Mapping

from msgspec import Struct, field

from watchdog.core.judging.blindness import BLIND
from watchdog.core.judging.loaded_tables import LoadedTable
from watchdog.core.judging.query_rules import unanswered
from watchdog.core.model.rows import Cell, Table
from watchdog.core.sql.conditions import ConditionError, QueryShape, check_condition, check_truth_select
from watchdog.core.sql.tables import SqlCell, SqlTables, StoppedError
from watchdog.core.sql.tokens import with_real_numbers
from watchdog.core.text.phrasing import format_value
from watchdog.core.text.suggestions import did_you_mean

__all__ = ["Answer", "Expectation", "answer", "read_expectation"]

MOST_ROWS = 10_000
_LISTED = 5
_SELECT = re.compile(r"\s*(SELECT|WITH)\b", re.IGNORECASE)
_OF_TABLE = re.compile(r"\s*(\w+)\s*:(.*)", re.DOTALL)
_FORM = 'expected TABLE: CONDITION, such as "cluster: workers_online >= 3", or a SELECT whose first column is true or false'


class Expectation(Struct, frozen=True):
    """One checked expectation. `text` is as the user wrote it; `table` is empty if `sql` is a whole SELECT, not a condition."""

    text: str
    sql: str
    table: str = ""
    reads: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Table -> the columns the expectation reads."""


class Answer(Struct, frozen=True):
    """The answer of one target to an expectation. `ok` is None if it could not be answered; `reason` says why it is not true.

    `rows`: if it is false, the cells it reads in each row that makes it false.
    """

    expect: str
    target: str
    ok: bool | None
    reason: str = ""
    rows: tuple[Mapping[str, Cell], ...] = ()


def read_expectation(tables: Mapping[str, Table], text: str) -> Expectation:
    """Parse an expectation. ConditionError lists every fault."""
    try:
        expectation = _select(tables, text) if _SELECT.match(text) else _condition(tables, text)
    except ConditionError as error:
        faults = (fault.partition("; declare it")[0] for fault in error.faults)  # only a rule can declare a parameter
        raise ConditionError(f'--expect "{text}": {fault}' for fault in faults) from None
    own = [name for name in expectation.reads if tables[name].own]
    if own:
        raise ConditionError([f'--expect "{text}": {own[0]} is about watchdog itself; check is about clusters'])
    if BLIND in expectation.reads:
        raise ConditionError([f'--expect "{text}": {BLIND} is known only to `watchdog run`; check reports unknown verdicts itself'])
    return expectation


def _select(tables: Mapping[str, Table], text: str) -> Expectation:
    shape: QueryShape = check_truth_select(tables, text)
    return Expectation(text, text, reads=shape.reads)


def _condition(tables: Mapping[str, Table], text: str) -> Expectation:
    written = _OF_TABLE.fullmatch(text)
    if written is None:
        raise ConditionError([_FORM])
    table, condition = written[1], written[2].strip()
    if table not in tables:
        there = ", ".join(name for name in tables if not tables[name].own)
        raise ConditionError([f'no table "{table}"{did_you_mean(table, tables) or "; there are " + there}'])
    return Expectation(text, condition, table, {table: check_condition(tables, table, condition, {})})


def answer(expectation: Expectation, target: str, loaded: Mapping[str, LoadedTable], sql: SqlTables) -> Answer:
    """Answer an expectation from the loaded tables. The caller has checked that none of its columns is idle."""
    try:
        if expectation.table:
            return _of_rows(expectation, target, loaded[expectation.table], sql)
        return _of_select(expectation, target, loaded, sql)
    except StoppedError as error:
        return Answer(expectation.text, target, None, str(error))


def _of_rows(expectation: Expectation, target: str, loaded: LoadedTable, sql: SqlTables) -> Answer:
    text, table, columns = expectation.text, loaded.table, expectation.reads[expectation.table]
    if loaded.reading.unread:
        return Answer(text, target, None, loaded.reading.unread)
    statement = f'SELECT rowid FROM "{table.name}" WHERE ({with_real_numbers(expectation.sql)}) IS NOT TRUE'  # noqa: S608 - checked
    _, found = sql.run(statement, {}, len(loaded.reading.rows))
    blind = loaded.rows_with_gaps(columns)
    wrong = [int(number) for (number,) in found if isinstance(number, int | float) and number not in blind]
    if wrong:
        shown = [c.name for c in table.columns if c.name in columns or c.name in table.key]
        rows = [{name: loaded.cells(number)[name] for name in shown} for number in wrong]
        return _false(expectation, target, rows)
    if blind:
        number = min(blind)
        key = ", ".join(loaded.keys[number])
        return Answer(text, target, None, f"{key}: {loaded.gap_reason(number, columns)}".removeprefix(": "))
    if loaded.absent_reason:
        return Answer(text, target, None, loaded.absent_reason)
    return Answer(text, target, ok=True) if loaded.reading.rows else Answer(text, target, ok=False, reason=f"{table.name} has no row")


def _of_select(expectation: Expectation, target: str, loaded: Mapping[str, LoadedTable], sql: SqlTables) -> Answer:
    reason = unanswered(expectation.reads, loaded)
    if reason is not None:
        return Answer(expectation.text, target, None, reason)
    names, rows = sql.run(with_real_numbers(expectation.sql), {}, MOST_ROWS + 1)
    if len(rows) > MOST_ROWS:
        raise StoppedError(f"it gives more than {MOST_ROWS:,} rows; narrow it")
    wrong = [{name: _cell(cell) for name, cell in zip(names[1:], row[1:], strict=True)} for row in rows if not _is_true(row[0])]
    if wrong:
        return _false(expectation, target, wrong)
    return Answer(expectation.text, target, ok=True) if rows else Answer(expectation.text, target, ok=False, reason="it gives no row")


def _false(expectation: Expectation, target: str, rows: list[dict[str, Cell]]) -> Answer:
    listed = [shown for shown in map(_values, rows[:_LISTED]) if shown]
    more = [f"and {len(rows) - _LISTED} more"] if listed and len(rows) > _LISTED else []
    return Answer(expectation.text, target, ok=False, reason="; ".join(listed + more) or "not true", rows=tuple(rows))


def _values(row: Mapping[str, Cell]) -> str:
    return ", ".join(f"{name}={'?' if cell is None else format_value(cell)}" for name, cell in row.items())


def _is_true(cell: SqlCell) -> bool:
    return isinstance(cell, int | float) and cell != 0


def _cell(cell: SqlCell) -> Cell:
    return cell.decode("utf-8", "replace") if isinstance(cell, bytes) else cell
