"""Check conditions and queries at load: every name, value and number against the real schema, all faults at once.

Input: tables, the SQL as the user wrote it, params. Output: the columns it reads, or a `ConditionError` that lists the faults. SQLite
itself resolves the names, in memory, with the authorizer that rules run under. What SQLite would silently accept (a number compared with a
text, a text used as a boolean) is found in the expression tree.
"""

import re
import sqlite3
import threading
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise

from msgspec import Struct

from watchdog.core.model.rows import Kind, Param, Table
from watchdog.core.sql.condition_faults import Known, KnownColumn, aggregate_faults, sense_faults, truth_faults
from watchdog.core.sql.draft import Draft, format_value
from watchdog.core.sql.expressions import NotUnderstoodError
from watchdog.core.sql.parser import parse, parse_from
from watchdog.core.sql.tables import Schema, SqlTables, StoppedError, bound, schema_of
from watchdog.core.sql.tokens import TokenKind
from watchdog.core.text.suggestions import did_you_mean

__all__ = [
    "MEANT_BY_SQL",
    "ConditionError",
    "QueryShape",
    "check_condition",
    "check_output_condition",
    "check_query",
    "check_select",
    "check_truth_select",
]

_LOCK = threading.Lock()  # the tables that statements are prepared against are cached and shared
_COLUMN_NAME = re.compile(r"[^\W\d]\w*")
_MOST_UNKNOWN_COLUMNS = 30


class ConditionError(ValueError):
    """A condition or query that cannot be used. `faults` has a sentence for each reason."""

    def __init__(self, faults: Iterable[str]) -> None:
        self.faults: tuple[str, ...] = tuple(dict.fromkeys(faults))
        super().__init__("; ".join(self.faults))


class QueryShape(Struct, frozen=True):
    """What a query returns and reads: its output columns in order, and table -> the columns it reads (none if it only counts rows)."""

    columns: tuple[str, ...]
    reads: Mapping[str, frozenset[str]]


def check_condition(tables: Mapping[str, Table], table: str, text: str, params: Mapping[str, Param]) -> frozenset[str]:
    """Return the columns of `table` that a condition reads. ConditionError with every fault."""
    found = tables.get(table)
    if found is None:
        raise ConditionError([f'no table "{table}"{did_you_mean(table, tables)}'])
    known = Known({column.name: KnownColumn.of(table, column) for column in found.columns}, params)
    return _checked_condition(schema_of({table: found}), table, known, text)


def check_output_condition(columns: Sequence[str], text: str, params: Mapping[str, Param]) -> frozenset[str]:
    """Do the same for a query's output columns (`clear` and `escalate` of a rule with `query`), whose kinds are unknown."""
    return _checked_condition({"query": dict.fromkeys(columns)}, "query", Known({}, params), text)


MEANT_BY_SQL = frozenset({"true", "false", "current_date", "current_time", "current_timestamp"})
"""Words that SQLite takes for the name of a column in one place, and for a value in another."""


def check_query(tables: Mapping[str, Table], text: str, key: tuple[str, ...], params: Mapping[str, Param]) -> QueryShape:
    """Return what a rule's query returns and reads. ConditionError with every fault.

    It must be one SELECT whose columns include every key column and `breach`.
    """
    shape, faults = _checked_select(tables, text, params)
    names = {name.lower() for name in shape.columns}
    faults += [f"name the column {name} with AS, as in {name} AS value" for name in shape.columns if not _COLUMN_NAME.fullmatch(name)]
    faults += [f"call the column {name} something else: in a condition, SQL means its own {name}" for name in names & MEANT_BY_SQL]
    if shape.columns:
        known = ", ".join(shape.columns)
        faults += [f'key column "{name}" is not among the query\'s columns ({known})' for name in key if name.lower() not in names]
        if "breach" not in names:
            faults.append(f'it has no column "breach" ({known}); say what is a breach, as in length > 50 AS breach')
    if faults:
        raise ConditionError(faults)
    return shape


def check_select(tables: Mapping[str, Table], text: str, params: Mapping[str, Param] | None = None) -> QueryShape:
    """Return what any SELECT on the tables returns and reads. ConditionError with every fault."""
    shape, faults = _checked_select(tables, text, params or {})
    if faults:
        raise ConditionError(faults)
    return shape


def check_truth_select(tables: Mapping[str, Table], text: str) -> QueryShape:
    """Do the same for a SELECT whose first column must be true or false. ConditionError with every fault."""
    shape, faults = _checked_select(tables, text, {})
    faults = faults or _first_column_faults(tables, text)
    if faults:
        raise ConditionError(faults)
    return shape


# --- conditions ---


def _checked_condition(schema: Schema, table: str, known: Known, text: str) -> frozenset[str]:
    draft = Draft(text)
    if draft.hopeless:
        raise ConditionError(draft.faults)
    draft.refuse_many_rows()
    draft.refuse_lonely_words()
    columns = tuple(schema[table])
    draft.mend_words(columns, known.params)
    draft.mend_functions()
    where = "the query's output" if table == "query" else table
    reads = _prepared(draft, schema, ("SELECT (", f') FROM "{table}"'), known.params, where, schema)
    if "rowid" in reads.get(table, ()):
        draft.faults.append(f'no column "rowid" in {table}')
    try:
        tree = parse(draft.text, draft.tokens)
        draft.faults += [*truth_faults(tree, known), *sense_faults(tree, known), *aggregate_faults(tree)]
    except NotUnderstoodError as error:
        if not draft.faults:
            draft.faults.append(f'it is not understood near "{error.near}"' if error.near else "it is nested too deeply")
    if draft.faults:
        raise ConditionError(draft.faults)
    return reads.get(table, frozenset())


def _prepared(
    draft: Draft, schema: Schema, around: tuple[str, str], params: Mapping[str, Param], where: str, asked: Collection[str]
) -> Mapping[str, frozenset[str]]:
    """Return what the draft reads within the SQL `around` it, after replacing unknown columns; a fault if SQLite rejects it.

    `asked`: the tables that it names.
    """
    columns = {name for table in asked for name in schema[table]}
    elsewhere = {name: table for table in schema if table not in asked for name in schema[table]}
    bindings = {**bound(params), Draft.UNKNOWN[1:]: None}
    with _LOCK:
        tables = _kept(tuple((name, tuple(kinds.items())) for name, kinds in schema.items()))
        for _ in range(_MOST_UNKNOWN_COLUMNS):
            try:
                return tables.prepare(draft.text.join(around), bindings)
            except sqlite3.Error as error:
                said = str(error)
            if not draft.mend_column(said, where, columns, params, elsewhere):
                break
        if not draft.faults:
            draft.faults += list(dict.fromkeys(tables.refused)) or [format_value(said, schema)]
    return {}


@lru_cache(maxsize=64)
def _kept(schema: tuple[tuple[str, tuple[tuple[str, Kind | None], ...]], ...]) -> SqlTables:
    """Return empty tables to prepare statements against. Cached, because opening them costs more than a check."""
    return SqlTables(
        {name: dict(columns) for name, columns in schema}, kept_statements=0
    )  # none is prepared twice: each load would add some


# --- queries ---


def _checked_select(tables: Mapping[str, Table], text: str, params: Mapping[str, Param]) -> tuple[QueryShape, list[str]]:
    draft = Draft(text)
    if not draft.hopeless and draft.tokens[0].word not in ("SELECT", "WITH"):
        draft.faults.append(f'it must be one SELECT; found "{draft.tokens[0].text}"')
        draft.hopeless = True
    if draft.hopeless:
        return QueryShape((), {}), draft.faults
    draft.refuse_unseen_reads()
    draft.refuse_lonely_words()
    draft.mend_words((), params, bare=False)
    draft.mend_functions()
    schema = schema_of(tables)
    mentioned = {name: tables[name] for name in tables if name in {token.text.lower() for token in draft.tokens}}
    reads = _prepared(draft, schema, ("", ""), params, ", ".join(mentioned) or "the tables", mentioned or schema)
    draft.faults += [f'no column "rowid" in {table}' for table, columns in reads.items() if "rowid" in columns]
    draft.faults += _query_sense(draft, Known(_unambiguous(mentioned, draft), params))
    names = () if draft.faults else _output_columns(draft, schema, params)
    return QueryShape(names, reads), draft.faults


def _unambiguous(mentioned: Mapping[str, Table], draft: Draft) -> dict[str, KnownColumn]:
    """Return names that can only mean one kind of column: not an alias, not a text in one table and a number in another."""
    tokens = draft.tokens
    aliases = {after.text.lower() for before, after in pairwise(tokens) if before.word == "AS"}
    found: dict[str, list[KnownColumn]] = {}
    for name, table in mentioned.items():
        for column in table.columns:
            found.setdefault(column.name, []).append(KnownColumn.of(name, column))
    return {
        name: columns[0] if len(columns) == 1 else KnownColumn(name, columns[0].kind)
        for name, columns in found.items()
        if name not in aliases and len({column.kind for column in columns}) == 1
    }


_BEFORE_EXPRESSIONS = frozenset({"SELECT", "DISTINCT", "WHERE", "ON", "HAVING", "WHEN"})


def _query_sense(draft: Draft, known: Known) -> list[str]:
    """Return faults in all expressions of a query that can be distinguished from their surroundings."""
    faults: list[str] = []
    for index, token in enumerate(draft.tokens[:-1]):
        if token.kind is TokenKind.COMMA or token.word in _BEFORE_EXPRESSIONS:
            try:
                faults += sense_faults(parse_from(draft.text, draft.tokens, index + 1), known)
            except NotUnderstoodError:
                continue
    return faults


def _first_column_faults(tables: Mapping[str, Table], text: str) -> list[str]:
    """Return why the first column of a valid SELECT is not a boolean, if that can be determined."""
    draft = Draft(text)
    words = [token.word or token.text for token in draft.tokens]
    if words[0] != "SELECT":
        return []
    first = 2 if words[1] in ("DISTINCT", "ALL") else 1
    if words[first] == "*":
        return ["its first column must be true or false, as in SELECT count(*) >= 3; found *"]
    mentioned = {name: tables[name] for name in tables if name.upper() in words}
    try:
        return list(truth_faults(parse_from(draft.text, draft.tokens, first), Known(_unambiguous(mentioned, draft), {})))
    except NotUnderstoodError:
        return []


def _output_columns(draft: Draft, schema: Schema, params: Mapping[str, Param]) -> tuple[str, ...]:
    """Return a query's column names; faults if names repeat, or if it cannot be nested in brackets."""
    with _LOCK:
        tables = _kept(tuple((name, tuple(kinds.items())) for name, kinds in schema.items()))
        try:
            names, _ = tables.run(draft.text, bound(params), 0)
            tables.prepare(f"SELECT * FROM ({draft.text})", bound(params))  # noqa: S608 - read-only, and its brackets are balanced
        except (StoppedError, sqlite3.Error) as error:
            draft.faults.append(format_value(str(error), schema))
            return ()
    lowered = [name.lower() for name in names]
    draft.faults += [f'two columns are called "{name}"; rename one with AS' for name in dict.fromkeys(lowered) if lowered.count(name) > 1]
    return names
