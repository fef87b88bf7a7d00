"""Rules as SQL: the statements of each rule, built once, and the columns that each of its expressions reads.

Input: a checked rule. Output: statements over `SqlTables`, with numbers as reals, parameters bound, and expressions in brackets.
"""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from watchdog.core.model.rows import Cell
from watchdog.core.model.severity import Severity, worst
from watchdog.core.rules.rule import Rule
from watchdog.core.sql.tables import SqlCell, SqlTables, StoppedError, bound
from watchdog.core.sql.tokens import with_parameters, with_real_numbers

__all__ = ["Answer", "RuleSql", "RuleStatements", "Truths"]

MOST_QUERY_ROWS = 10_000
"""Most rows that a rule's query may return."""

AT_ONCE = 16
"""Number of rules of one table that are asked about together."""
MOST_ROWS_AT_ONCE = 10_000
"""Most rows of a table for that, so that together they stay far below the limit of a statement."""

_NOTHING: frozenset[str] = frozenset()


class RuleSql(Struct, frozen=True):
    """The statements of one rule.

    `breaches` returns the rows where the rule holds, `truths` what else holds in some rows, `answers` the rows of a query.
    """

    breaches: str
    truths: str
    answers: str
    where_reads: frozenset[str] = _NOTHING
    when_reads: frozenset[str] = _NOTHING
    clear_reads: frozenset[str] = _NOTHING
    escalate_reads: tuple[frozenset[str], ...] = ()
    query_reads: Mapping[str, frozenset[str]] | None = None

    @property
    def reads(self) -> frozenset[str]:
        """The columns that decide the verdict of a rule on a table."""
        return self.where_reads | self.when_reads | self.clear_reads | frozenset().union(*self.escalate_reads)


class Truths(Struct, frozen=True):
    """What holds in one row: `where` and `clear` (false if not true or NULL), and each entry of `escalate`."""

    where: bool
    clear: bool
    escalate: tuple[bool, ...]


class Answer(Struct, frozen=True):
    """One row of a rule's query: its cells, and what holds in it."""

    cells: Mapping[str, Cell]
    breach: bool
    truths: Truths


class RuleStatements:
    """The statements of all rules so far, cached by their texts, and run on the tables. StoppedError if one cannot be answered."""

    def __init__(self, tables: SqlTables) -> None:
        self._tables = tables
        self._kept: dict[tuple[object, ...], RuleSql] = {}
        self._any_of: dict[tuple[object, ...], str] = {}
        self._asked_alone: set[tuple[object, ...]] = set()
        self._silent: set[int] = set()

    def of(self, rule: Rule) -> RuleSql:
        """Return a rule's statements. sqlite3.Error if a text cannot be prepared; the texts of a checked rule always can."""
        texts = (rule.table, rule.query, rule.where, rule.when, rule.clear, rule.escalate)
        found = self._kept.get(texts)
        if found is None:
            found = self._kept[texts] = self._for_query(rule) if rule.query is not None else self._for_table(rule)
        return found

    def breaches(self, rule: Rule, rows: int) -> dict[int, tuple[bool, ...]]:
        """Return row -> which entries of `escalate` hold, for each row where `when` (and `where`) holds."""
        if id(rule) in self._silent:
            return {}
        _, found = self._tables.run(self.of(rule).breaches, bound(rule.params), rows)
        if not rule.escalate:
            return dict.fromkeys([_whole(number) for (number,) in found], ())
        return {_whole(number): tuple(map(bool, entries)) for number, *entries in found}

    def find_silent(self, rules: Sequence[Rule], rows: int) -> None:
        """Find out which of these rules of one table hold in no row, by few statements: usually none holds.

        `breaches` then need not run their own, until `forget_silent`. The rules must be kept until then.
        """
        for first in range(0, len(rules) if rows <= MOST_ROWS_AT_ONCE else 0, AT_ONCE):
            together = rules[first : first + AT_ONCE]
            if len(together) > 1 and self._none_holds(together):
                self._silent.update(map(id, together))

    def forget_silent(self) -> None:
        """Forget what `find_silent` found, because the rows change."""
        self._silent.clear()

    def truths(self, rule: Rule, rows: Sequence[int]) -> dict[int, Truths]:
        """Return row -> what holds in it, for these rows (ascending).

        Rows that lie far apart are queried one by one, otherwise all between the first and the last at once.
        """
        asked, params, sql = frozenset(rows), bound(rule.params), self.of(rule).truths
        close = rows[-1] - rows[0] < len(rows) * 20
        found: dict[int, Truths] = {}
        for first, last in [(rows[0], rows[-1])] if close else [(row, row) for row in rows]:
            _, holding = self._tables.run(sql, {**params, "_first": first, "_last": last}, last - first + 1)
            found |= {_whole(number): _truths(holds) for number, *holds in holding if number in asked}
        return found

    def answers(self, rule: Rule) -> list[Answer]:
        """Return the rows of a rule's query."""
        names, found = self._tables.run(self.of(rule).answers, bound(rule.params), MOST_QUERY_ROWS + 1)
        if len(found) > MOST_QUERY_ROWS:
            raise StoppedError(f"the query gives more than {MOST_QUERY_ROWS:,} rows; narrow it")
        width = len(names) - 3 - len(rule.escalate)
        return [
            Answer(dict(zip(names[:width], map(_cell, row), strict=False)), bool(row[width]), _truths(list(row[width + 1 :])))
            for row in found
        ]

    def _none_holds(self, rules: Sequence[Rule]) -> bool:
        """Whether certainly none of these rules holds in any row."""
        texts = (rules[0].table, *((rule.when, rule.where) for rule in rules))
        if texts in self._asked_alone:
            return False
        sql = self._any_of.get(texts)
        if sql is None:
            conditions = [with_parameters(f"({_sql(rule.when)}) AND ({_sql(rule.where)})", _prefix(nth)) for nth, rule in enumerate(rules)]
            sql = self._any_of[texts] = f'SELECT 1 FROM "{rules[0].table}" WHERE {_either(conditions)} LIMIT 1'  # noqa: S608
        params = {f"{_prefix(nth)}{name}": value for nth, rule in enumerate(rules) for name, value in rule.params.items()}
        try:
            return not self._tables.run(sql, bound(params), 1)[1]
        except StoppedError:  # because of one of them: it reports that when it is asked alone, and the others must not wait for it again
            self._asked_alone.add(texts)
            return False

    def _for_table(self, rule: Rule) -> RuleSql:
        when, where, clear = _sql(rule.when), _sql(rule.where), _sql(rule.clear)
        entries = [_sql(entry.when) for entry in rule.escalate]
        holds = "".join(f", ({entry}) IS TRUE" for entry in entries)
        only = f" AND ({where})" if rule.where else ""
        # S608: texts were checked at load, their brackets are balanced, and the tables are read-only.
        return RuleSql(
            breaches=f'SELECT rowid{holds} FROM "{rule.table}" WHERE ({when}){only}',  # noqa: S608
            truths=f'SELECT rowid, ({where}) IS TRUE, ({clear}) IS TRUE{holds} FROM "{rule.table}" WHERE rowid BETWEEN :_first AND :_last',  # noqa: S608
            answers="",
            where_reads=self._reads(rule, where),
            when_reads=self._reads(rule, when),
            clear_reads=self._reads(rule, clear),
            escalate_reads=tuple(self._reads(rule, entry) for entry in entries),
        )

    def _for_query(self, rule: Rule) -> RuleSql:
        query, clear = with_real_numbers(rule.query or ""), _sql(rule.clear)
        holds = "".join(f", ({_sql(entry.when)}) IS TRUE" for entry in rule.escalate)
        return RuleSql(
            breaches="",
            truths="",
            answers=f"SELECT *, (breach) IS TRUE, TRUE, ({clear}) IS TRUE{holds} FROM ({query})",  # noqa: S608
            query_reads=self._tables.prepare(query, bound(rule.params)),
        )

    def _reads(self, rule: Rule, text: str) -> frozenset[str]:
        found = self._tables.prepare(f'SELECT ({text}) FROM "{rule.table}"', bound(rule.params))  # noqa: S608
        return found.get(rule.table or "", _NOTHING)


def _prefix(nth: int) -> str:
    """Return what distinguishes the parameters of one of several rules."""
    return f"r{nth}_"


def _either(conditions: Sequence[str]) -> str:
    """Join by OR, as a balanced tree: SQLite limits how deep an expression may be."""
    if len(conditions) == 1:
        return f"({conditions[0]})"
    half = len(conditions) // 2
    return f"({_either(conditions[:half])} OR {_either(conditions[half:])})"


def severity_of(rule: Rule, holds: tuple[bool, ...]) -> Severity:
    """Return the rule's severity, or the highest entry of `escalate` that holds."""
    return worst([rule.severity, *(entry.severity for entry, held in zip(rule.escalate, holds, strict=True) if held)])


def _sql(text: str | None) -> str:
    """Prepare an expression to stand in brackets; TRUE if there is none."""
    return "TRUE" if text is None else with_real_numbers(text)


def _truths(holds: list[SqlCell]) -> Truths:
    where, clear, *entries = map(bool, holds)
    return Truths(where, clear, tuple(entries))


def _whole(number: SqlCell) -> int:
    return int(number) if isinstance(number, (int, float)) else -1


def _cell(cell: SqlCell) -> Cell:
    return cell.decode("utf-8", "replace") if isinstance(cell, bytes) else cell
