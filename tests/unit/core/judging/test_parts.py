"""Which parts of a condition hold for one row."""

from typing import Any

import pytest

from tests.builders.incidents import a_rule
from watchdog.core.judging.evaluator import Evaluator
from watchdog.core.judging.parts import Part
from watchdog.core.model.rows import Reading, Row
from watchdog.core.rules.rule import Rule
from watchdog.tables import TABLES


def parts(rule: Rule, gaps: dict[str, str] | None = None, **cells: Any) -> tuple[Part, ...]:
    evaluator = Evaluator(TABLES, stopwatch=lambda: 0.0)
    row = Row({"name": "indexing", **cells, **dict.fromkeys(gaps or {})}, gaps or {})
    evaluator.load({"queues": Reading((row,))}, [rule])
    evaluator.judge(rule, (), {})
    return evaluator.parts(rule, ("indexing",))


def test_a_conjunction_says_which_part_is_false() -> None:
    rule = a_rule(when="length > :limit AND consumers = 0", params={"limit": 50.0})
    assert parts(rule, length=12.0, consumers=0.0) == (
        Part("length > :limit", False, values={"length": 12.0, "limit": 50.0}),
        Part("consumers = 0", True, values={"consumers": 0.0}),
    )


def test_a_gap_makes_its_part_unknown_alone() -> None:
    rule = a_rule(when="length > 50 AND consumers = 0")
    assert [part.holds for part in parts(rule, {"consumers": "no answer"}, length=60.0)] == [True, None]


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ("length > 50 OR consumers = 0", ["length > 50 OR consumers = 0"]),
        ("length > 50 AND (consumers = 0 OR consumers > 9)", ["length > 50", "(consumers = 0 OR consumers > 9)"]),
        ("length BETWEEN 1 AND 9 AND consumers = 0", ["length BETWEEN 1 AND 9", "consumers = 0"]),
        ("length > 50 AND consumers = 0 AND name <> 'a'", ["length > 50", "consumers = 0", "name <> 'a'"]),
    ],
)
def test_a_condition_is_split_where_all_of_it_must_hold(when: str, expected: list[str]) -> None:
    found = parts(a_rule(when=when), length=60.0, consumers=0.0)
    assert [part.text.removeprefix("(").removesuffix(")") if when.startswith("length > 50 OR") else part.text for part in found] == expected


def test_where_and_clear_are_named_as_such() -> None:
    rule = a_rule(where="name <> 'indexing'", clear="length < 40")
    assert [(part.of, part.holds) for part in parts(rule, length=60.0)] == [("where", False), ("when", True), ("clear", False)]


def test_a_row_that_is_not_there_has_no_parts() -> None:
    evaluator = Evaluator(TABLES, stopwatch=lambda: 0.0)
    evaluator.load({"queues": Reading()}, [a_rule()])
    assert evaluator.parts(a_rule(), ("indexing",)) == ()
