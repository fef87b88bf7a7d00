"""Judge a rule with a query: each row it returns is a key; a key that is no longer returned is clear.

A query can hide what it did not see (a sum skips a gap, a join drops a row). So it is answered only if every table it reads was completely
read and no column it reads is a gap in any row. Otherwise no incident opens and all open ones stay as they are.
Input: a rule with its tuned copies, the loaded tables, the open keys. Output: findings, all except the plainly clear ones.
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
    """Return why a query that reads these columns cannot be answered now; None if it can. Idle columns are checked elsewhere."""
    for name, columns in sorted(reads.items()):
        loaded = tables[name]
        reason = loaded.absent_reason or loaded.any_gap_reason(columns)
        if reason is not None:
            return reason
    return None


def judge_query(rule: Rule, variants: Variants, open_keys: Mapping[Key, bool], statements: RuleStatements) -> list[Finding]:
    """Return findings for every row in breach, and for every open key. StoppedError if the query fails or returns a key twice."""
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
    """Return the rule and its tuned copies, without disabled ones."""
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
    """Judge one row. `held`: whether the key's incident fires or recovers (False: pending); None if it has none."""
    if answer.breach or (held and rule.clear is not None and not answer.truths.clear):
        verdict = Verdict.BREACH
    elif held is not None:
        verdict = Verdict.CLEAR
    else:
        return None
    severity = severity_of(rule, answer.truths.escalate) if verdict is Verdict.BREACH else rule.severity
    values = {column: answer.cells.get(column) for column in rule.columns}
    return Finding(rule, key, verdict, severity, values, answer.cells)
