"""Judge a rule on a table, row by row.

For each row, in this order:
1. `where` reads a gap: unknown. `where` is not true: the rule does not cover the row.
2. `when` is true: breach.
3. `when` reads a gap (or `clear` does, while an incident fires or recovers): unknown, whatever a `coalesce` makes of it.
4. An incident fires or recovers and `clear` is not true: still a breach. Otherwise clear.

An open key without a row is clear if the table was completely read, otherwise unknown.
Input: a rule with its tuned copies, a loaded table, the open keys. Output: findings, all except the plainly clear ones.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

from msgspec import Struct

from watchdog.core.judging.findings import BREACH, Finding, Verdict
from watchdog.core.judging.loaded_tables import LoadedTable
from watchdog.core.judging.statements import RuleSql, RuleStatements, Truths, severity_of
from watchdog.core.model.rows import Key
from watchdog.core.model.severity import Severity
from watchdog.core.rules.rule import Rule

__all__ = ["Variants", "judge_rows", "tuned"]

Variants = Sequence[tuple[Rule, Callable[[Mapping[str, str]], bool]]]
"""Tuned copies of a rule, each with a test of the keys it is for; the last that matches applies."""

_SILENT = Truths(where=True, clear=True, escalate=())


def tuned(rule: Rule, variants: Variants, key: Key) -> Rule:
    """Return the rule as tuned for one key."""
    named = dict(zip(rule.key, key, strict=True))
    return next((variant for variant, fits in reversed(variants) if fits(named)), rule)


def judge_rows(
    rule: Rule, variants: Variants, open_keys: Mapping[Key, bool], loaded: LoadedTable, statements: RuleStatements
) -> list[Finding]:
    """Return findings for every row in breach or unknown, and for every open key. StoppedError if the rule's statement fails."""
    findings: dict[Key, Finding] = {}
    for share in _shares(rule, variants, open_keys, loaded):
        for finding in _Judge(share, loaded, statements).findings():
            findings.setdefault(finding.key, finding)
    for key in open_keys:
        if key not in findings:
            findings[key] = _absent(tuned(rule, variants, key), key, loaded)
    return list(findings.values())


class _Share(Struct, frozen=True):
    """The rows that one tuned copy judges (None: all). `open_rows`: rows with an open incident -> whether it lasts until `clear`."""

    rule: Rule
    rows: frozenset[int] | None
    open_rows: Mapping[int, bool]


def _shares(rule: Rule, variants: Variants, open_keys: Mapping[Key, bool], loaded: LoadedTable) -> Iterator[_Share]:
    row_of = loaded.numbers if open_keys else {}
    open_rows = {row_of[key]: held for key, held in open_keys.items() if key in row_of}
    if not variants:
        yield _Share(rule, None, open_rows)
        return
    rows: dict[int, tuple[Rule, set[int]]] = {}
    for number in range(len(loaded.reading.rows)):
        owner = tuned(rule, variants, loaded.keys[number])
        rows.setdefault(id(owner), (owner, set()))[1].add(number)
    for owner, numbers in rows.values():
        yield _Share(owner, frozenset(numbers), {number: held for number, held in open_rows.items() if number in numbers})


def _absent(rule: Rule, key: Key, loaded: LoadedTable) -> Finding:
    cells = dict(zip(rule.key, key, strict=True))
    if not rule.enabled:
        return Finding(rule, key, Verdict.NOT_COVERED, cells=cells)
    reason = loaded.absent_reason
    return Finding(rule, key, Verdict.UNKNOWN if reason else Verdict.CLEAR, rule.severity, cells=cells, reason=reason or "")


class _Judge:
    """One tuned copy of a rule over its share of a table."""

    def __init__(self, share: _Share, loaded: LoadedTable, statements: RuleStatements) -> None:
        self.rule, self.share, self.loaded, self.statements = share.rule, share, loaded, statements
        self.sql: RuleSql = statements.of(share.rule)
        self._severities: dict[tuple[bool, ...], Severity] = {}  # for the few combinations of entries that hold

    def findings(self) -> Iterator[Finding]:
        if not self.rule.enabled:
            yield from (self._finding(number, Verdict.NOT_COVERED) for number in self.share.open_rows)
            return
        unsure = self._mine(self.loaded.rows_with_gaps(self.sql.where_reads))
        blind = self._mine(self.loaded.rows_with_gaps(self.sql.when_reads))
        held = self.statements.breaches(self.rule, len(self.loaded.reading.rows))
        if not (held or unsure or blind or self.share.open_rows):
            return  # as nearly every rule, in every cycle
        breaches = held
        if unsure or self.share.rows is not None:
            breaches = {number: holds for number, holds in held.items() if number not in unsure and self._is_mine(number)}
        for number in sorted(unsure):
            yield self._finding(number, Verdict.UNKNOWN, read=self.sql.where_reads)
        for number, holds in breaches.items():
            yield self._finding(number, BREACH, escalate=holds)
        yield from self._others(blind, {*unsure, *breaches})

    def _others(self, blind: set[int], judged: set[int]) -> Iterator[Finding]:
        """Yield findings for rows that are not in breach but are open, or have a gap in a column that `when` reads."""
        rows = sorted((blind | self.share.open_rows.keys()) - judged)
        truths = self._truths(rows)
        for number in rows:
            finding = self._other(number, truths.get(number, _SILENT))
            if finding is not None:
                yield finding

    def _truths(self, rows: Sequence[int]) -> dict[int, Truths]:
        """Return what else holds in these rows. SQLite is asked only if the result could matter."""
        if not rows or (self.rule.where is None and self.rule.clear is None):
            return {}
        return self.statements.truths(self.rule, rows)

    def _other(self, number: int, truths: Truths) -> Finding | None:
        is_open = number in self.share.open_rows
        if not truths.where:
            return self._finding(number, Verdict.NOT_COVERED) if is_open else None
        holds_on = self.rule.clear is not None and self.share.open_rows.get(number, False)
        read = self.sql.when_reads | self.sql.clear_reads if holds_on else self.sql.when_reads
        if self.loaded.gap_reason(number, read) is not None:
            return self._finding(number, Verdict.UNKNOWN, read=read)
        if holds_on and not truths.clear:
            return self._finding(number, Verdict.BREACH, escalate=truths.escalate)
        return self._finding(number, Verdict.CLEAR)

    def _finding(self, number: int, verdict: Verdict, *, escalate: tuple[bool, ...] = (), read: frozenset[str] = frozenset()) -> Finding:
        rule, shown = self.rule, self.loaded.reading.rows[number].cells.get
        return Finding(
            rule,
            self.loaded.keys[number],
            verdict,
            self._severity(number, escalate) if escalate else rule.severity,
            values={column: shown(column) for column in rule.columns},
            cells=self.loaded.cells(number),
            reason=self.loaded.gap_reason(number, read) or "" if read else "",
        )

    def _severity(self, number: int, escalate: tuple[bool, ...]) -> Severity:
        """Return the highest severity that holds. An entry of `escalate` that reads a gap does not hold."""
        if self.loaded.gaps:
            escalate = tuple(
                holds and self.loaded.gap_reason(number, columns) is None
                for holds, columns in zip(escalate, self.sql.escalate_reads, strict=False)
            )
        found = self._severities.get(escalate)
        if found is None:
            found = self._severities[escalate] = severity_of(self.rule, escalate)
        return found

    def _is_mine(self, number: int) -> bool:
        return self.share.rows is None or number in self.share.rows

    def _mine(self, numbers: set[int]) -> set[int]:
        return numbers if self.share.rows is None else numbers & self.share.rows
