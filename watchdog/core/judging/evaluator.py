"""Apply rules to rows: rows are loaded into an in-memory SQLite, and each rule is one SELECT that returns only what is not clear.

Input: the readings of one poll, then one rule after the other. Output: a `Judgement` for each. Judging never raises: a rule that fails
reports it and does not stop the others. A rule costs well under a tenth of a millisecond per 1,000 rows while nothing fires.
"""

import sqlite3
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager

from msgspec.structs import replace

from watchdog.core.judging.expectations import Answer, Expectation, answer
from watchdog.core.judging.findings import Finding, Judgement, Verdict
from watchdog.core.judging.loaded_tables import LoadedTable
from watchdog.core.judging.parts import Part, holds_still, parts_of
from watchdog.core.judging.query_rules import judge_query, unanswered
from watchdog.core.judging.row_rules import Variants, judge_rows
from watchdog.core.judging.statements import RuleStatements
from watchdog.core.model.rows import Key, Reading, Table
from watchdog.core.rules.rule import Rule
from watchdog.core.sql.conditions import ConditionError, check_select
from watchdog.core.sql.draft import format_value
from watchdog.core.sql.tables import MAX_STEPS, SqlCell, SqlTables, StoppedError, schema_of
from watchdog.core.sql.tokens import with_real_numbers

__all__ = ["Evaluator", "Evaluators"]

_FAILURES = (sqlite3.Error, sqlite3.Warning, ValueError, OverflowError, LookupError, MemoryError)
"""What SQLite and a text that it cannot take may raise; nothing of it leaves `judge`."""
_MOST_SETS_OF_RULES = 8
"""How many sets of rules an evaluator knows the columns of: a target has one for each window, and most targets have the same."""
_LONGEST_CELL = 5_000  # characters: a row of seven such texts still fits into `LONGEST_TEXT` bytes


class Evaluator:
    """The tables of one target, in memory. Used for one cycle at a time, from any thread.

    `stopwatch` returns monotonic seconds (`time.perf_counter`); `max_steps` bounds the cost of one statement.
    """

    def __init__(self, tables: Mapping[str, Table], *, max_steps: int = MAX_STEPS, stopwatch: Callable[[], float]) -> None:
        self._tables = tables
        self._stopwatch = stopwatch
        self._sql = SqlTables(schema_of(tables), max_steps=max_steps, stopwatch=stopwatch)
        self._statements = RuleStatements(self._sql)
        self._loaded: dict[str, LoadedTable] = {}
        self._filled: dict[str, frozenset[str] | None] = {}  # table -> the columns that were loaded into SQLite; None: all
        self._wanted: Mapping[str, frozenset[str]] | None = None
        self._rules: tuple[Rule, ...] = ()
        self._read_before: deque[tuple[tuple[Rule, ...], Mapping[str, frozenset[str]]]] = deque(maxlen=_MOST_SETS_OF_RULES)

    def load(self, readings: Mapping[str, Reading], rules: Iterable[Rule] | None = None) -> None:
        """Replace all rows by those of a poll. A table without a reading is empty, and rules on it are idle.

        `rules`: those that `judge` will be called with, and their variants. Only the columns that they read are then loaded into SQLite,
        and those that hold in no row are found out together.
        """
        self._statements.forget_silent()
        self._loaded = {name: LoadedTable.of(table, readings[name]) for name, table in self._tables.items() if name in readings}
        self._filled = {}
        self._rules = tuple(rules or ())
        self._wanted = None if rules is None else self._read_by(self._rules)

    def judge(self, rule: Rule, variants: Variants, open_keys: Mapping[Key, bool]) -> Judgement:
        """Apply one rule to the rows.

        `variants`: tuned copies for some keys; the last that matches applies. `open_keys`: keys with an open incident -> True if it fires
        or recovers (then `clear` decides its end), False if it is pending.
        """
        begun = self._stopwatch()
        try:
            judgement = self._judged(rule, variants, open_keys)
        except StoppedError as error:
            judgement = Judgement(rule, failed=str(error))
        except _FAILURES as error:
            judgement = Judgement(rule, failed="; ".join(self._sql.refused) or format_value(str(error), self._tables))
        return replace(judgement, took_ms=(self._stopwatch() - begun) * 1000)

    def breaching(self, rule: Rule) -> Collection[int]:
        """Return the rows of a rule's table where `when` and `where` are true, by their numbers; all rows if that cannot be found out.

        Unlike `judge`, it looks at no key, so that rows of several polls may have been loaded together.
        """
        rows = len(self._loaded[rule.table].reading.rows) if rule.table in self._loaded else 0
        try:
            self._fill((rule.table,) if rule.table and rows else ())
            return self._statements.breaches(rule, rows).keys() if rows else ()
        except (StoppedError, *_FAILURES):
            return range(rows)

    def answer(self, expectation: Expectation, target: str) -> Answer:
        """Answer an expectation from the rows of `target`. Idle columns leave it unanswered."""
        idle = self._idle(expectation.reads)
        self._fill(self._tables, whole=True)
        return Answer(expectation.text, target, None, idle) if idle else answer(expectation, target, self._loaded, self._sql)

    def query(self, sql: str, max_rows: int) -> tuple[tuple[str, ...], list[tuple[SqlCell, ...]]]:
        """Run any SELECT on the tables.

        Return its column names and at most `max_rows` rows. ConditionError lists all faults of the statement.
        """
        check_select(self._tables, sql)
        self._fill(self._tables, whole=True)
        try:
            return self._sql.run(with_real_numbers(sql), {}, max_rows)
        except StoppedError as error:
            raise ConditionError([str(error)]) from None

    def parts(self, rule: Rule, key: Key) -> tuple[Part, ...]:
        """Return the parts of a rule's conditions for one row, after it was judged; none of a query, or if there is no such row."""
        loaded = self._loaded.get(rule.table or "")
        number = loaded.numbers.get(key) if loaded is not None else None
        if loaded is None or number is None:
            return ()
        try:
            return parts_of(rule, number, loaded, self._sql)
        except (StoppedError, *_FAILURES):
            return ()

    def forget(self) -> None:
        """Forget the rows, and keep what is known of the rules."""
        self._loaded, self._filled = {}, {}

    def close(self) -> None:
        """Free the memory."""
        self._sql.close()

    def _judged(self, rule: Rule, variants: Variants, open_keys: Mapping[Key, bool]) -> Judgement:
        sql = self._statements.of(rule)
        reads = {rule.table or "": sql.reads} if sql.query_reads is None else sql.query_reads
        idle = self._idle(reads)
        if idle is not None:
            return Judgement(rule, idle=idle)
        self._fill(reads)
        if sql.query_reads is not None:
            unknown = unanswered(reads, self._loaded)
            return (
                Judgement(rule, unknown=unknown)
                if unknown
                else Judgement(rule, tuple(judge_query(rule, variants, open_keys, self._statements)))
            )
        loaded = self._loaded[rule.table or ""]
        if loaded.unread_reason is not None:
            return Judgement(rule, unknown=loaded.unread_reason)
        findings = judge_rows(rule, variants, open_keys, loaded, self._statements)
        remediable = any(copy.remedy is not None for copy in (rule, *(variant for variant, _ in variants)))
        return Judgement(rule, tuple([self._with_still(finding, loaded) for finding in findings] if remediable else findings))

    def _with_still(self, finding: Finding, loaded: LoadedTable) -> Finding:
        """Return the finding with whether `when_still` holds, where there is one."""
        remedy = finding.rule.remedy
        if remedy is None or remedy.when_still is None or finding.verdict is not Verdict.BREACH:
            return finding
        number = loaded.numbers.get(finding.key)
        return replace(finding, still=number is not None and holds_still(finding.rule, number, loaded, self._sql))

    def _read_by(self, rules: tuple[Rule, ...]) -> Mapping[str, frozenset[str]] | None:
        """Return `_columns_read` by these rules: usually the same ones, cycle after cycle."""
        for known, columns in self._read_before:
            if known == rules:
                return columns
        read = self._columns_read(rules)
        if read is not None:
            self._read_before.append((rules, read))
        return read

    def _columns_read(self, rules: tuple[Rule, ...]) -> Mapping[str, frozenset[str]] | None:
        """Return table -> the columns that these rules read; None if that is not known because a rule cannot be prepared."""
        wanted: dict[str, set[str]] = {}
        try:
            for sql, table in [(self._statements.of(rule), rule.table or "") for rule in rules]:
                for name, columns in ({table: sql.reads} if sql.query_reads is None else sql.query_reads).items():
                    wanted.setdefault(name, set()).update(columns)
            for rule in rules:
                if rule.remedy is not None and rule.table:
                    wanted.setdefault(rule.table, set()).update(rule.remedy.reads)
        except _FAILURES:  # `judge` reports it
            return None
        return {name: frozenset(columns) for name, columns in wanted.items()}

    def _fill(self, names: Iterable[str], *, whole: bool = False) -> None:
        """Load the rows of these tables into SQLite, if not done yet. Most tables are read by few rules, or by none."""
        for name in names:
            columns = None if whole or self._wanted is None else self._wanted.get(name, frozenset())
            if name in self._filled and (self._filled[name] is None or columns is not None):
                continue
            first, self._filled[name] = name not in self._filled, columns
            loaded = self._loaded.get(name) or LoadedTable.of(self._tables[name], Reading())
            read = [column.name for column in self._tables[name].columns if columns is None or column.name in columns]
            try:
                self._sql.fill(name, read, loaded.sql_rows(read))
            except (OverflowError, UnicodeError, sqlite3.Error):  # a cell that SQLite cannot hold: convert it
                self._sql.fill(name, read, ([_storable(cell) for cell in row] for row in loaded.sql_rows(read)))
            if first and self._wanted is not None:
                of_table = [rule for rule in self._rules if rule.table == name and rule.enabled]
                self._statements.find_silent(of_table, len(loaded.reading.rows))

    def _idle(self, reads: Mapping[str, frozenset[str]]) -> str | None:
        """Return why a rule that reads these columns gives no verdict here."""
        for name, columns in sorted(reads.items()):
            if name not in self._loaded:
                return f"{name} is not part of this poll"
            reason = self._loaded[name].idle_reason(columns)
            if reason is not None:
                return reason
        return None


class Evaluators:
    """As many evaluators as are used at the same time, half a megabyte each: one where cycles judge one after another. Thread-safe."""

    def __init__(self, make: Callable[[], Evaluator]) -> None:
        self._make = make
        self._free: deque[Evaluator] = deque()

    @contextmanager
    def one(self) -> Iterator[Evaluator]:
        """One that nobody else uses meanwhile. Its rows are forgotten then: until the next poll they would only take memory."""
        try:
            taken = self._free.pop()  # that used last: it is most likely to know the rules
        except IndexError:
            taken = self._make()
        try:
            yield taken
        finally:
            taken.forget()
            self._free.append(taken)

    def close(self) -> None:
        """Free the memory of those that are not used."""
        while self._free:
            self._free.pop().close()


def _storable(cell: object) -> object:
    """Convert a cell to what SQLite can hold.

    A whole number beyond 64 bits becomes a float, a lone surrogate a question mark, a long text is cut.
    """
    if isinstance(cell, str):
        return cell[:_LONGEST_CELL].encode("utf-8", "replace").decode()
    if cell is None or isinstance(cell, bool | float):
        return cell
    if isinstance(cell, int):
        return float(cell) if abs(cell) < 10**300 else float("inf")
    return str(cell)
