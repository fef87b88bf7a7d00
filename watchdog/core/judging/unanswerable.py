"""What can never be answered: rules and expectations that read what nothing configured can fill, on none of the targets asked.

In: the tables, the targets as configured, the sources that there are; a rule, or what an expectation reads. Out: a sentence that says
which columns, why, and what to do; None where some target can tell. Whether a source answers is not asked: what is down is no fault.
"""

from collections.abc import Mapping, Sequence
from itertools import chain, combinations

from msgspec.structs import replace

from watchdog.core.judging.idleness import as_configured, idle_by_configuration
from watchdog.core.model.rows import Table
from watchdog.core.model.target import ANY_TARGET, Target
from watchdog.core.rules.overrides import Tuned
from watchdog.core.rules.rule import Rule
from watchdog.core.sql.conditions import check_condition

__all__ = ["Unanswerable"]

Reads = Mapping[str, frozenset[str]]


class Unanswerable:
    """What these tables cannot answer. `sources`: every one that a target may have -> how it is set, in words."""

    def __init__(self, tables: Mapping[str, Table], sources: Mapping[str, str]) -> None:
        self._tables, self._sources = tables, sources
        self._idle: dict[tuple[str, frozenset[str]], Mapping[str, Mapping[str, str]]] = {}

    def why(self, reads: Reads, targets: Sequence[Target], otherwise: str) -> str | None:
        """Why what reads these columns is answered on none of the targets; `otherwise`: what else can be done than to set a source."""
        missing = [self._missing(reads, target) for target in targets]
        if not targets or not all(missing):
            return None
        reasons: dict[str, list[str]] = {}
        for column, reason in missing[0].items():
            reasons.setdefault(reason, []).append(column)
        unfilled = "; ".join(f"nothing fills {', '.join(columns)} there ({reason})" for reason, columns in reasons.items())
        return f"{_on(targets)}: {unfilled}; {self._remedy(reads, targets, otherwise)}"

    def why_rule(self, rule: Rule, asked: Sequence[tuple[Target, Tuned]]) -> str | None:
        """The same of a rule, as it is tuned for each target; its `where` may also name a row that no target has."""
        otherwise = "switch the rule off: enabled = false"
        return self.why(rule.reads, [target for target, _ in asked], otherwise) or self._why_no_row(rule, asked, otherwise)

    def _why_no_row(self, rule: Rule, asked: Sequence[tuple[Target, Tuned]], otherwise: str) -> str | None:
        """Of a `where` that reads the key alone, for other cells may still change; tuned by key it may concern some all the same."""
        if rule.table is None or rule.where is None or any(target.name == ANY_TARGET or tuned.variants for target, tuned in asked):
            return None
        columns = check_condition(self._tables, rule.table, rule.where, rule.params)
        if not asked or not columns or not columns <= set(self._tables[rule.table].key):
            return None
        reasons = [idle_by_configuration(self._tables, target, [tuned.rule]).get(rule.name) for target, tuned in asked]
        return f"{_on([target for target, _ in asked])}: {reasons[0]}; mend its where, or {otherwise}" if all(reasons) else None

    def _missing(self, reads: Reads, target: Target) -> dict[str, str]:
        """`table.column` -> why nothing can fill it on this target, of those read; of a table of which no column is read, all or none."""
        idle = self._idle_on(target)
        missing: dict[str, str] = {}
        for name, columns in sorted(reads.items()):
            of_table, every = idle[name], [column.name for column in self._tables[name].columns]
            of_interest = columns or (every if len(of_table) == len(every) else ())
            missing |= {f"{name}.{column}": of_table[column] for column in every if column in of_interest and column in of_table}
        return missing

    def _idle_on(self, target: Target) -> Mapping[str, Mapping[str, str]]:
        called = target.name, target.sources
        if called not in self._idle:
            self._idle[called] = {name: loaded.idle for name, loaded in as_configured(self._tables, target).items()}
        return self._idle[called]

    def _remedy(self, reads: Reads, targets: Sequence[Target], otherwise: str) -> str:
        """Which sources, as few as possible, would let the first target answer."""
        lacking = [source for source in self._sources if source not in targets[0].sources]
        for more in chain.from_iterable(combinations(lacking, count) for count in range(1, len(lacking) + 1)):
            if not self._missing(reads, replace(targets[0], sources=targets[0].sources.union(more))):
                return f"{' and '.join(self._sources[source] for source in more)}, or {otherwise}"
        return otherwise


def _on(targets: Sequence[Target]) -> str:
    names = [target.name for target in targets]
    return "on any target" if names == [ANY_TARGET] else f"on {', '.join(names)}"
