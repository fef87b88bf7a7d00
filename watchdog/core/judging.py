"""Readings to judgements: every rule that covers a target, asked of what was seen, in the window it asks for.

In: an evaluator, the tuned rules, one look, the open incidents. Out: a judgement a rule, in rule order.
Before the look: which windows and columns the rules read.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from watchdog.core.demand import Demand
from watchdog.core.evaluate import Evaluator
from watchdog.core.findings import Judgement
from watchdog.core.incidents import Incident, State
from watchdog.core.reading import DEFAULT_WINDOW_S, Seen
from watchdog.core.rows import Key
from watchdog.core.rules import Rule
from watchdog.core.tuning import Tuned

__all__ = ["demand_of", "judge_all", "open_keys", "windows_of"]


def windows_of(rules: Iterable[Tuned]) -> dict[float, frozenset[str]]:
    """Every window that some rule, or a variant of it, asks for -> the tables that are read in it; the default one is always there."""
    read: dict[float, frozenset[str]] = {DEFAULT_WINDOW_S: frozenset()}
    for tuned in rules:
        for window_s in _windows(tuned):
            read[window_s] = read.get(window_s, frozenset()).union(tuned.rule.reads, *(copy.reads for copy, _ in tuned.variants))
    return read


def demand_of(rules: Iterable[Tuned], *beside: Mapping[str, frozenset[str]]) -> Demand:
    """Every column that some rule decides by or shows, and what is read `beside` them (table -> columns)."""
    holding = [rule for tuned in rules for rule in (tuned.rule, *(copy for copy, _ in tuned.variants)) if rule.enabled]
    shown = [{rule.table: frozenset(rule.columns)} for rule in holding if rule.table]
    reads: dict[str, frozenset[str]] = {}
    for read in (*(rule.reads for rule in holding), *shown, *beside):
        for table, columns in read.items():
            reads[table] = reads.get(table, frozenset()) | columns
    return Demand(reads)


def judge_all(evaluator: Evaluator, rules: Sequence[Tuned], seen: Seen, incidents: Sequence[Incident]) -> list[Judgement]:
    """What each rule says. The rows are loaded once a window, for all rules that ask for it."""
    judged: dict[str, Judgement] = {}
    of_rule: dict[str, list[Incident]] = {}
    for incident in incidents:
        of_rule.setdefault(incident.rule, []).append(incident)
    for window_s, readings in seen.windows.items():
        mine = [tuned for tuned in rules if window_s in _windows(tuned)]
        if mine:
            evaluator.load(readings)
        for tuned in mine:
            judgement = evaluator.judge(tuned.rule, tuned.variants, open_keys(tuned.rule, of_rule.get(tuned.rule.name, ())))
            judged[tuned.rule.name] = _merged(judged.get(tuned.rule.name), _of_window(judgement, tuned, window_s))
    return [judged[tuned.rule.name] for tuned in rules if tuned.rule.name in judged]


def open_keys(rule: Rule, incidents: Iterable[Incident]) -> dict[Key, bool]:
    """Keys that this rule has an open incident for -> whether it fires or recovers, so that `clear` decides."""
    mine = (i for i in incidents if i.open and i.rule == rule.name and i.identity == rule.identity)
    return {tuple(map(i.key.__getitem__, rule.key)): i.state is not State.PENDING for i in mine}


def _windows(tuned: Tuned) -> set[float]:
    return {rule.window_s for rule in (tuned.rule, *(copy for copy, _ in tuned.variants))}


def _of_window(judgement: Judgement, tuned: Tuned, window_s: float) -> Judgement:
    """The judgement without findings for keys that are tuned to another window."""
    if _windows(tuned) == {window_s}:
        return judgement
    return replace(judgement, findings=tuple(f for f in judgement.findings if f.rule.window_s == window_s))


def _merged(first: Judgement | None, second: Judgement) -> Judgement:
    """One rule's judgements from two windows as one; whatever kept it from judging in one of them holds for both."""
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
