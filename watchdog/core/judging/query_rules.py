"""A rule with a query, asked of the tables: each row it gives is a key; a key that no longer comes back is clear.

A query can hide what it did not see (a sum skips a gap, a join drops a row), so it is answered only where every table it reads
was read whole and no column it reads is a gap in any row; else nothing opens and all that is open stays as it is.
In: a rule with its tuned copies, the loaded tables, the open keys. Out: findings, all but the plainly clear.
"""

from collections.abc import Mapping

from watchdog.core.judging.findings import Finding, Verdict
from watchdog.core.judging.loaded_tables import LoadedTable
from watchdog.core.judging.row_rules import Variants, tuned
from watchdog.core.judging.statements import Answer, RuleStatements, severity_of
from watchdog.core.model.rows import Cell, Key
from watchdog.core.rules.rule import Rule
from watchdog.core.sql.tables import StoppedError

__all__ = ["judge_query", "unanswered"]


def unanswered(reads: Mapping[str, frozenset[str]], tables: Mapping[str, LoadedTable]) -> str | None:
    """Why a query that reads these columns cannot be answered now; None where it can. Idle columns are asked for elsewhere."""
    for name, columns in sorted(reads.items()):
        loaded = tables[name]
        reason = loaded.absent_reason or loaded.any_gap_reason(columns)
        if reason is not None:
            return reason
    return None


def judge_query(rule: Rule, variants: Variants, open_keys: Mapping[Key, bool], statements: RuleStatements) -> list[Finding]:
    """Findings for every row in breach, and for every open key. StoppedError where the query fails or names a key twice."""
    findings: dict[Key, Finding] = {}
    for copy in _copies(rule, variants):
        for key, answer in _by_key(copy, statements.answers(copy)).items():
            if tuned(rule, variants, key) is copy:
                finding = _judged(copy, key, answer, held=open_keys.get(key))
                if finding is not None:
                    findings[key] = finding
    for key in open_keys.keys() - findings.keys():
        copy = tuned(rule, variants, key)
        verdict = Verdict.CLEAR if copy.enabled else Verdict.NOT_COVERED
        findings[key] = Finding(copy, key, verdict, copy.severity, cells=dict(zip(rule.key, key, strict=True)))
    return list(findings.values())


def _copies(rule: Rule, variants: Variants) -> list[Rule]:
    """The rule and its tuned copies, those that are enabled."""
    return [copy for copy in (rule, *(variant for variant, _ in variants)) if copy.enabled]


def _by_key(rule: Rule, answers: list[Answer]) -> dict[Key, Answer]:
    found: dict[Key, Answer] = {}
    for answer in answers:
        cells = {name.lower(): cell for name, cell in answer.cells.items()}
        key = tuple(_key_text(name, cells[name.lower()]) for name in rule.key)
        if key in found:
            named = ", ".join(f"{name} = {cell}" for name, cell in zip(rule.key, key, strict=True))
            raise StoppedError(f"the query gives {named or 'its only key'} more than once; one row a key: GROUP BY the key columns")
        found[key] = answer
    return found


def _key_text(name: str, cell: Cell) -> str:
    if cell is None:
        raise StoppedError(f'the query gives a row whose key column "{name}" is NULL; leave such rows out')
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)


def _judged(rule: Rule, key: Key, answer: Answer, *, held: bool | None) -> Finding | None:
    """`held`: whether the key's incident fires or recovers; None where it has none."""
    if answer.breach or (held and rule.clear is not None and not answer.truths.clear):
        verdict = Verdict.BREACH
    elif held is not None:
        verdict = Verdict.CLEAR
    else:
        return None
    severity = severity_of(rule, answer.truths.escalate) if verdict is Verdict.BREACH else rule.severity
    values = {column: answer.cells.get(column) for column in rule.columns}
    return Finding(rule, key, verdict, severity, values, answer.cells)
