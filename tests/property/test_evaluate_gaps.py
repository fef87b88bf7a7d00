"""Random rows, gaps and conditions against a plain reading of what they mean."""

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders.small_tables import TABLES, queue
from watchdog.core.judging.evaluator import Evaluator
from watchdog.core.judging.findings import Finding, Verdict
from watchdog.core.model.rows import Reading, Row
from watchdog.core.rules.rule import Rule
from watchdog.core.sql.conditions import check_condition

Cells = Mapping[str, object]
Value = float | bool | None


@dataclass(frozen=True)
class Term:
    """A piece of SQL, the columns it reads, and what it is for a row: a plain-Python oracle with NULL as None."""

    sql: str
    columns: frozenset[str]
    value: Callable[[Cells], Value]


def column(name: str) -> Term:
    return Term(name, frozenset({name}), lambda cells: cells[name])  # type: ignore[arg-type, return-value]


def literal(number: int) -> Term:
    return Term(str(number), frozenset(), lambda _: float(number))


COMPARISONS = {">": operator.gt, "<": operator.lt, "=": operator.eq, "!=": operator.ne, ">=": operator.ge, "<=": operator.le}
NUMBER_COLUMNS = ("length", "consumers", "oldest_s")
COLUMNS = (*NUMBER_COLUMNS, "declared")


def arithmetic(sign: str, left: Term, right: Term) -> Term:
    def value(cells: Cells) -> Value:
        a, b = left.value(cells), right.value(cells)
        if a is None or b is None or (sign == "/" and b == 0):
            return None
        return {"+": a + b, "-": a - b, "*": a * b}[sign] if sign != "/" else a / b

    return Term(f"({left.sql} {sign} {right.sql})", left.columns | right.columns, value)


def coalesced(name: str, left: Term, right: Term) -> Term:
    def value(cells: Cells) -> Value:
        first = left.value(cells)
        return right.value(cells) if first is None else first

    return Term(f"{name}({left.sql}, {right.sql})", left.columns | right.columns, value)


def compared(sign: str, left: Term, right: Term) -> Term:
    def value(cells: Cells) -> Value:
        a, b = left.value(cells), right.value(cells)
        return None if a is None or b is None else bool(COMPARISONS[sign](a, b))

    return Term(f"{left.sql} {sign} {right.sql}", left.columns | right.columns, value)


def negated(inner: Term) -> Term:
    def value(cells: Cells) -> Value:
        truth = inner.value(cells)
        return None if truth is None else not truth

    return Term(f"NOT ({inner.sql})", inner.columns, value)


def joined(word: str, left: Term, right: Term) -> Term:
    def value(cells: Cells) -> Value:
        decides = word == "OR"
        truths = left.value(cells), right.value(cells)
        if any(truth is not None and bool(truth) is decides for truth in truths):
            return decides
        return None if None in truths else not decides

    return Term(f"({left.sql}) {word} ({right.sql})", left.columns | right.columns, value)


numbers = st.recursive(
    st.sampled_from(NUMBER_COLUMNS).map(column) | st.integers(0, 4).map(literal),
    lambda inner: (
        st.builds(arithmetic, st.sampled_from("+-*/"), inner, inner)
        | st.builds(coalesced, st.sampled_from(["coalesce", "ifnull"]), inner, inner)
    ),
    max_leaves=4,
)
comparisons = st.builds(compared, st.sampled_from(list(COMPARISONS)), numbers, numbers)
truths = comparisons | st.just(column("declared")) | st.builds(coalesced, st.just("coalesce"), st.just(column("declared")), comparisons)
conditions = st.recursive(
    truths, lambda inner: st.builds(negated, inner) | st.builds(joined, st.sampled_from(["AND", "OR"]), inner, inner), max_leaves=4
)
whole_cells = st.fixed_dictionaries(
    {**{name: st.integers(0, 4).map(float) for name in NUMBER_COLUMNS}, "declared": st.booleans()},
)
gaps = st.sets(st.sampled_from(COLUMNS)).map(lambda names: dict.fromkeys(names, "not read"))


EVALUATOR = Evaluator(TABLES, stopwatch=lambda: 0.0)


def rule(when: Term, **more: str) -> Rule:
    return Rule("Any", table="queues", when=when.sql, key=("name",), **more)  # type: ignore[arg-type]


def verdict(asked: Rule, row: Row, *, firing: bool | None = None) -> Verdict | None:
    """What the rule says of the row: None where it is not spoken of."""
    EVALUATOR.load({"queues": Reading((row,))})
    judgement = EVALUATOR.judge(asked, (), {} if firing is None else {("q",): firing})
    assert judgement.failed is None
    found: list[Finding] = list(judgement.findings)
    assert len(found) <= 1
    return found[0].verdict if found else None


@given(when=conditions)
def test_every_condition_of_the_grammar_passes_its_check_and_names_its_columns(when: Term) -> None:
    assert check_condition(TABLES, "queues", when.sql, {}) == when.columns


@given(when=conditions, cells=whole_cells)
@settings(max_examples=200)
def test_without_gaps_a_rule_says_what_a_plain_reading_says(when: Term, cells: dict[str, float]) -> None:
    expected = Verdict.BREACH if when.value(cells) else None
    assert verdict(rule(when), queue("q", {}, **cells)) == expected


@given(when=conditions, cells=whole_cells, blind=gaps, firing=st.sampled_from([None, False, True]))
@settings(max_examples=200)
def test_a_gap_that_when_reads_is_never_clear(when: Term, cells: dict[str, float], blind: dict[str, str], firing: bool | None) -> None:
    said = verdict(rule(when), queue("q", blind, **cells), firing=firing)

    if when.columns & blind.keys():
        truth = when.value({**cells, **dict.fromkeys(blind, None)})
        assert said is (Verdict.BREACH if truth else Verdict.UNKNOWN)
    else:
        assert said is not Verdict.UNKNOWN


@given(name=st.sampled_from(NUMBER_COLUMNS), function=st.sampled_from(["coalesce", "ifnull"]), limit=st.integers(0, 4))
def test_no_default_hides_a_gap(name: str, function: str, limit: int) -> None:
    when = compared(">", coalesced(function, column(name), literal(0)), literal(limit))

    assert verdict(rule(when), queue("q", {name: "not read"}), firing=True) is Verdict.UNKNOWN


@given(when=conditions, clear=conditions, cells=whole_cells, blind=gaps)
@settings(max_examples=200)
def test_a_firing_incident_never_clears_by_a_gap_in_when_or_clear(
    when: Term, clear: Term, cells: dict[str, float], blind: dict[str, str]
) -> None:
    said = verdict(rule(when, clear=clear.sql), queue("q", blind, **cells), firing=True)

    seen = {**cells, **dict.fromkeys(blind, None)}
    if when.value(seen):
        assert said is Verdict.BREACH
    elif (when.columns | clear.columns) & blind.keys():
        assert said is Verdict.UNKNOWN
    else:
        assert said is (Verdict.CLEAR if clear.value(seen) else Verdict.BREACH)


@given(when=conditions, where=conditions, cells=whole_cells, blind=gaps)
@settings(max_examples=200)
def test_a_gap_in_where_covers_nothing_up(when: Term, where: Term, cells: dict[str, float], blind: dict[str, str]) -> None:
    said = verdict(rule(when, where=where.sql), queue("q", blind, **cells), firing=False)

    if where.columns & blind.keys():
        assert said is Verdict.UNKNOWN
    elif not where.value({**cells, **dict.fromkeys(blind, None)}):
        assert said is Verdict.NOT_COVERED
