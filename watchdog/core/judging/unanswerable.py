"""Rules and expectations that can never be answered: they read what nothing configured can fill, on any of the targets.

Input: the tables, the configured targets, the available sources; a rule, or what an expectation reads. Output: a sentence that says which
columns, why, and what to do; None if some target can answer. Whether a source is up does not matter: a source that is down is not a
configuration fault.
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
    """What these tables cannot answer. `sources`: every source that a target may have -> how to configure it, in words."""

    def __init__(self, tables: Mapping[str, Table], sources: Mapping[str, str]) -> None:
        self._tables, self._sources = tables, sources
        self._idle: dict[tuple[str, frozenset[str]], Mapping[str, Mapping[str, str]]] = {}

    def why(self, reads: Reads, targets: Sequence[Target], otherwise: str) -> str | None:
        """Return why these columns can be answered on none of the targets. `otherwise`: the alternative to configuring a source."""
        missing = [self._missing(reads, target) for target in targets]
        if not targets or not all(missing):
            return None
        reasons: dict[str, list[str]] = {}
        for column, reason in missing[0].items():
            reasons.setdefault(reason, []).append(column)
        unfilled = "; ".join(f"nothing fills {', '.join(columns)} there ({reason})" for reason, columns in reasons.items())
        return f"{_on(targets)}: {unfilled}; {self._remedy(reads, targets, otherwise)}"

    def why_rule(self, rule: Rule, asked: Sequence[tuple[Target, Tuned]]) -> str | None:
        """Return the same for a rule, as tuned for each target. Its `where` may also name a row that no target has."""
        otherwise = "switch the rule off: enabled = false"
        return self.why(rule.reads, [target for target, _ in asked], otherwise) or self._why_no_row(rule, asked, otherwise)

    def _why_no_row(self, rule: Rule, asked: Sequence[tuple[Target, Tuned]], otherwise: str) -> str | None:
        """Return why no target has a row that `where` matches.

        Only for a `where` that reads nothing but the key, because other cells may change; not if a variant by key exists, which may match.
        """
        if rule.table is None or rule.where is None or any(target.name == ANY_TARGET or tuned.variants for target, tuned in asked):
            return None
        columns = check_condition(self._tables, rule.table, rule.where, rule.params)
        if not asked or not columns or not columns <= set(self._tables[rule.table].key):
            return None
        reasons = [idle_by_configuration(self._tables, target, [tuned.rule]).get(rule.name) for target, tuned in asked]
        return f"{_on([target for target, _ in asked])}: {reasons[0]}; fix its where, or {otherwise}" if all(reasons) else None

    def _missing(self, reads: Reads, target: Target) -> dict[str, str]:
        """Return `table.column` -> why nothing can fill it on this target, for the columns read.

        For a table of which no column is read: all its columns or none.
        """
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
        """Return the smallest set of sources that would let the first target answer, in words."""
        lacking = [source for source in self._sources if source not in targets[0].sources]
        for more in chain.from_iterable(combinations(lacking, count) for count in range(1, len(lacking) + 1)):
            if not self._missing(reads, replace(targets[0], sources=targets[0].sources.union(more))):
                return f"{' and '.join(self._sources[source] for source in more)}, or {otherwise}"
        return otherwise


def _on(targets: Sequence[Target]) -> str:
    names = [target.name for target in targets]
    return "on any target" if names == [ANY_TARGET] else f"on {', '.join(names)}"
