"""Tables in a read-only, in-memory SQLite: schema, authorizer, limits. Conditions are checked against it and run on it.

Input: table -> column -> kind. Output: `SqlTables`, which runs one SELECT at a time and knows what each reads. Not thread-safe.
"""

import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from functools import partial

from watchdog.core.model.rows import Kind, Param, Table
from watchdog.core.sql.bounded_text import LONGEST_TEXT, TEXT_FUNCTIONS, TooLongError
from watchdog.core.sql.expressions import DEEPEST
from watchdog.core.sql.functions import DENIED, FUNCTIONS, PatternError, found_in

__all__ = ["MAX_STEPS", "Schema", "SqlCell", "SqlTables", "StoppedError", "bound", "schema_of"]

Schema = Mapping[str, Mapping[str, Kind | None]]
"""Table -> column -> kind (None: unknown, so no affinity)."""
SqlCell = float | str | bytes | None

MAX_STEPS = 5_000_000
"""Most virtual machine instructions of one statement: about half a second, 50 times what a join of 1,000 rows needs."""

_AFFINITY = {Kind.NUMBER: "REAL", Kind.TEXT: "TEXT", Kind.BOOLEAN: "INTEGER", None: ""}
_LIMITS = {
    sqlite3.SQLITE_LIMIT_LENGTH: LONGEST_TEXT,
    sqlite3.SQLITE_LIMIT_SQL_LENGTH: 40_000,
    sqlite3.SQLITE_LIMIT_EXPR_DEPTH: DEEPEST + 10,
    sqlite3.SQLITE_LIMIT_COMPOUND_SELECT: 10,
    sqlite3.SQLITE_LIMIT_VDBE_OP: 50_000,
    sqlite3.SQLITE_LIMIT_FUNCTION_ARG: 100,
    sqlite3.SQLITE_LIMIT_ATTACHED: 0,
    sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH: 100,
    sqlite3.SQLITE_LIMIT_COLUMN: 300,
    sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER: 2_000,
    sqlite3.SQLITE_LIMIT_TRIGGER_DEPTH: 0,
    sqlite3.SQLITE_LIMIT_WORKER_THREADS: 0,
}
_STEPS_BETWEEN_LOOKS = 5_000
_ROWS_BETWEEN_LOOKS = 20
_LONGEST_S = 5.0  # a limit in addition to steps: a long text costs more than a number
_MOST_ANSWERED = 10_000_000  # characters and bytes of texts
_MOST_HEAP = 256 * 1024**2
"""Bytes that SQLite may use in this process, for all its connections together; SQLite enforces it (and has no limit per connection)."""
_SECONDS_IN_REGEXP = 2.0


class StoppedError(Exception):
    """A statement that was stopped or failed while running; the text is a sentence."""


def schema_of(tables: Mapping[str, Table]) -> Schema:
    """Return the schema of tables for SQLite."""
    return {name: {column.name: column.kind for column in table.columns} for name, table in tables.items()}


def bound(params: Mapping[str, Param]) -> dict[str, float | str]:
    """Convert params for SQLite: numbers to floats, booleans to 0 and 1, texts unchanged."""
    return {name: value if isinstance(value, str | bool) else float(value) for name, value in params.items()}


class SqlTables:
    """The tables, initially empty. `fill` replaces rows, `run` runs a statement, `prepare` only analyzes one.

    `refused` collects why the authorizer refused, while a statement is prepared. `kept_statements` remain prepared, to be run again.
    """

    def __init__(
        self, schema: Schema, *, max_steps: int = MAX_STEPS, stopwatch: Callable[[], float] = lambda: 0.0, kept_statements: int = 2048
    ) -> None:
        self.refused: list[str] = []
        self._schema = schema
        self._reads: dict[str, set[str]] = {}
        self._own_statement = True
        self._stopwatch = stopwatch
        self._regexp_s = 0.0
        self._function_fault = ""
        self._looks = 0
        self._begun_s = 0.0
        self._too_long = False
        self._prepared = 0
        self._max_steps = max_steps
        self._connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False, cached_statements=kept_statements)
        self._build()

    def _build(self) -> None:
        for table, columns in self._schema.items():
            declared = ", ".join(f'"{name}" {_AFFINITY[kind]}' for name, kind in columns.items())
            self._connection.execute(f'CREATE TABLE "{table}" ({declared})')
        self._connection.execute("PRAGMA journal_mode = OFF")
        self._connection.execute("PRAGMA temp_store = MEMORY")  # sorting must not fill a disk
        self._connection.execute(f"PRAGMA hard_heap_limit = {_MOST_HEAP}")
        self._connection.create_function("regexp", 2, self._regexp, deterministic=True)
        for (name, arguments), function in TEXT_FUNCTIONS.items():
            self._connection.create_function(name, arguments, partial(self._texts, function), deterministic=True)
        for limit, most in _LIMITS.items():
            self._connection.setlimit(limit, most)
        between = min(_STEPS_BETWEEN_LOOKS, self._max_steps)
        self._looks_allowed = self._max_steps // between
        self._connection.set_progress_handler(self._look, between)
        self._connection.set_authorizer(self._authorize)
        self._own_statement = False

    # --- operations ---

    def fill(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """Replace a table's rows. A row is its number (rowid), then a cell for each of these columns. NaN and other columns become NULL."""
        marks = ", ".join("?" * (len(columns) + 1))
        names = ", ".join(["rowid", *(f'"{name}"' for name in columns)])
        self._own_statement = True
        try:
            self._connection.execute("BEGIN")
            self._connection.execute(f'DELETE FROM "{table}"')  # noqa: S608 - names come from the schema in the code
            self._connection.executemany(f'INSERT INTO "{table}" ({names}) VALUES ({marks})', rows)  # noqa: S608
        finally:
            self._connection.execute("COMMIT")
            self._own_statement = False

    def run(self, sql: str, params: Mapping[str, object], max_rows: int) -> tuple[tuple[str, ...], list[tuple[SqlCell, ...]]]:
        """Return column names and at most `max_rows` rows. StoppedError says in a sentence why there is no answer."""
        self._looks, self._too_long, self._regexp_s, self._function_fault = 0, False, 0.0, ""
        self._begun_s = self._stopwatch()
        try:
            with closing(self._connection.execute(sql, params)) as cursor:
                return tuple(column[0] for column in cursor.description or ()), _fetched(cursor, max_rows)
        except (sqlite3.Error, sqlite3.Warning, ValueError, OverflowError, MemoryError) as error:
            raise StoppedError(self._sentence(error)) from None

    def prepare(self, sql: str, params: Mapping[str, object]) -> Mapping[str, frozenset[str]]:
        """Return table -> the columns that a statement reads, without running it; a table it only counts has none.

        Raises what sqlite3 raises if it cannot be prepared; `refused` then says what the authorizer did not allow.
        """
        self.refused.clear()
        self._reads = {}
        # Made different from any text before: a statement from Python's cache would not call the authorizer again.
        self._prepared += 1
        self._connection.execute(f"EXPLAIN {sql} /*{self._prepared}*/", params).close()
        return {table: frozenset(columns) for table, columns in self._reads.items()}

    def close(self) -> None:
        """Free the memory."""
        self._connection.close()

    # --- callbacks of SQLite ---

    def _authorize(self, action: int, first: str | None, second: str | None, _database: str | None, _inner: str | None) -> int:
        if self._own_statement or action == sqlite3.SQLITE_SELECT:
            return sqlite3.SQLITE_OK
        if action == sqlite3.SQLITE_READ:
            return self._authorize_read(first or "", second or "")
        if action == sqlite3.SQLITE_FUNCTION:
            name = (second or "").lower()
            if name in FUNCTIONS:
                return sqlite3.SQLITE_OK
            why = DENIED.get(name)
            self.refused.append(f"the function {name} is not allowed" + (f": {why}" if why else ""))
        elif action == sqlite3.SQLITE_RECURSIVE:
            self.refused.append("a recursive query is not allowed")
        else:
            self.refused.append("only a SELECT on the tables is allowed")
        return sqlite3.SQLITE_DENY

    def _authorize_read(self, table: str, column: str) -> int:
        columns = self._schema.get(table)
        if columns is None:
            self.refused.append(f'no table "{table}"')
            return sqlite3.SQLITE_DENY
        reads = self._reads.setdefault(table, set())
        if column == "ROWID":  # the number of a row, by which the evaluator finds it again; never a user's column
            reads.add("rowid")
        elif column:
            reads.add(column)
        return sqlite3.SQLITE_OK

    def _look(self) -> int:
        """Decide, every so many steps, whether to stop. Loading rows is not a rule's work and is never stopped."""
        if self._own_statement:
            return 0
        self._looks += 1
        self._too_long = self._stopwatch() - self._begun_s > _LONGEST_S
        return int(self._too_long or self._looks >= self._looks_allowed)

    def _regexp(self, pattern: object, subject: object) -> bool | None:
        if pattern is None or subject is None:
            return None
        if self._regexp_s > _SECONDS_IN_REGEXP:
            self._function_fault = "regexp: too slow over all rows; simplify the pattern"
            raise PatternError(self._function_fault)
        begun = self._stopwatch()
        try:
            return found_in(_text(pattern), _text(subject))
        except PatternError as error:
            self._function_fault = str(error)
            raise
        finally:
            self._regexp_s += self._stopwatch() - begun

    def _texts(self, function: Callable[..., SqlCell], *given: object) -> SqlCell:
        try:
            return function(*given)
        except TooLongError as error:
            self._function_fault = str(error)
            raise

    def _sentence(self, error: Exception) -> str:
        if isinstance(error, MemoryError):
            return f"it needs more than {_MOST_HEAP // 1024**2} MB of memory and was stopped; make it simpler"
        said = str(error)
        if said == "interrupted" and self._too_long:
            return f"it takes more than {_LONGEST_S:g} seconds and was stopped; make it simpler"
        if said == "interrupted":
            return f"it needs more than {self._max_steps:,} steps and was stopped; make it simpler"
        if said.startswith("user-defined function"):
            return self._function_fault or said
        return said or "it could not be run"


def _fetched(cursor: sqlite3.Cursor, most: int) -> list[tuple[SqlCell, ...]]:
    """Return at most so many rows. StoppedError if their texts are too long to keep."""
    rows: list[tuple[SqlCell, ...]] = []
    size, at_once = 0, max(1, min(_ROWS_BETWEEN_LOOKS, _MOST_ANSWERED // (LONGEST_TEXT * len(cursor.description))))
    while len(rows) < most and (some := cursor.fetchmany(min(at_once, most - len(rows)))):
        rows += some
        size += sum([len(cell) for row in some for cell in row if isinstance(cell, (str, bytes))])
        if size > _MOST_ANSWERED:
            raise StoppedError(f"its answer holds more than {_MOST_ANSWERED // 10**6} million characters; narrow it")
    return rows


def _text(cell: object) -> str:
    return cell if isinstance(cell, str) else f"{cell:g}" if isinstance(cell, float) else str(cell)
