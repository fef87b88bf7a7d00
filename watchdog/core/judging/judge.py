"""Turn readings into judgements: apply every rule that covers a target, in the window it asks for.

Input: an evaluator, the tuned rules, one poll's readings, the keys of open incidents. Output: one judgement per rule, in rule order. Before
the poll: the windows and columns that the rules read.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache

from msgspec.structs import replace

from watchdog.core.judging.evaluator import Evaluator
from watchdog.core.judging.findings import Judgement
from watchdog.core.model.demand import Demand
from watchdog.core.model.reading import DEFAULT_WINDOW_S, Seen
from watchdog.core.model.rows import Key
from watchdog.core.rules.overrides import Tuned
from watchdog.core.rules.rule import Rule

__all__ = ["OpenKeys", "demand_of", "judge_all", "windows_of"]

OpenKeys = Callable[[Rule], Mapping[Key, bool]]
"""Return the keys for which a rule has an open incident -> whether it fires or recovers, so that `clear` decides."""


def windows_of(rules: Iterable[Tuned]) -> dict[float, frozenset[str]]:
    """Return every window that a rule or a variant of it asks for -> the tables read in it. The default window is always present."""
    read: dict[float, frozenset[str]] = {DEFAULT_WINDOW_S: frozenset()}
    for tuned in rules:
        for window_s in _windows(tuned):
            read[window_s] = read.get(window_s, frozenset()).union(*(copy.reads for copy in tuned.copies))
    return read


def demand_of(rules: Iterable[Tuned], *beside: Mapping[str, frozenset[str]]) -> Demand:
    """Return every column that a rule reads or shows, plus what is read `beside` the rules (table -> columns)."""
    holding = [rule for tuned in rules for rule in tuned.copies if rule.enabled]
    shown = [
        {rule.table: frozenset(rule.columns) | (rule.remedy.reads if rule.remedy is not None else frozenset())}
        for rule in holding
        if rule.table
    ]
    reads: dict[str, frozenset[str]] = {}
    for read in (*(rule.reads for rule in holding), *shown, *beside):
        for table, columns in read.items():
            reads[table] = reads.get(table, frozenset()) | columns
    return Demand({table: _shared(columns) for table, columns in reads.items()})


@lru_cache(maxsize=256)
def _shared(columns: frozenset[str]) -> frozenset[str]:
    """Return the same set for equal ones: a hundred targets with the same rules read the same columns, which are 13 KB for each."""
    return columns


def judge_all(evaluator: Evaluator, rules: Sequence[Tuned], seen: Seen, open_keys: OpenKeys = lambda _: {}) -> list[Judgement]:
    """Apply all rules. Rows are loaded once per window, for all rules that ask for it."""
    judged: dict[str, Judgement] = {}
    asking = [(tuned, _windows(tuned)) for tuned in rules]
    for window_s, readings in seen.windows.items():
        mine = [(tuned, windows) for tuned, windows in asking if window_s in windows]
        if mine:
            evaluator.load(readings, [copy for tuned, _ in mine for copy in tuned.copies])
        for tuned, windows in mine:
            judgement = evaluator.judge(tuned.rule, tuned.variants, open_keys(tuned.rule))
            if len(windows) > 1:
                judgement = _of_window(judgement, window_s)
            judged[tuned.rule.name] = _merged(judged.get(tuned.rule.name), judgement)
    return [judged[tuned.rule.name] for tuned in rules if tuned.rule.name in judged]


def _windows(tuned: Tuned) -> set[float]:
    return {rule.window_s for rule in tuned.copies}


def _of_window(judgement: Judgement, window_s: float) -> Judgement:
    """Remove findings for keys that are tuned to another window."""
    return replace(judgement, findings=tuple(f for f in judgement.findings if f.rule.window_s == window_s))


def _merged(first: Judgement | None, second: Judgement) -> Judgement:
    """Merge one rule's judgements from two windows. What kept it from judging in one window holds for both."""
    if first is None:
        return second
    return replace(
        first,
        findings=first.findings + second.findings,
        unknown=first.unknown or second.unknown,
        idle=first.idle or second.idle,
        failed=first.failed or second.failed,
        took_ms=first.took_ms + second.took_ms,
    )
