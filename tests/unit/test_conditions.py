"""What docs/conditions.md is made of: it speaks of every rule, and what it says was seen, was."""

import ast
from pathlib import Path

import pytest

from tests.conditions.catalogue import CONDITIONS, MORE
from tests.conditions.page import scenes_of
from tests.conditions.seen import SEEN
from watchdog.config.rulebook import read_once
from watchdog.config.shipped import shipped_rule_files
from watchdog.tables import TABLES

ROOT = Path(__file__).parents[2]
RULES = {rule.name: rule for rule in read_once(shipped_rule_files(), TABLES)[0]}


def test_every_shipped_rule_tells_of_some_condition_and_no_condition_names_another() -> None:
    assert {name for one in (*CONDITIONS, *MORE) for name in one.rules} == set(RULES)


def test_of_the_conditions_that_every_expert_lists_at_least_fifty_have_a_rule() -> None:
    assert (len(CONDITIONS), sum(bool(one.rules) for one in CONDITIONS) >= 50) == (55, True)


def test_only_shipped_rules_are_said_to_have_been_seen() -> None:
    assert set(SEEN) - set(RULES) == set()


@pytest.mark.parametrize(("rule", "test"), [(rule, test) for rule, tests in SEEN.items() for test in tests])
def test_a_test_that_saw_a_rule_exists_and_names_it(rule: str, test: str) -> None:
    path, _, name = test.partition("::")
    text = (ROOT / path).read_text()
    body = next(node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef) and node.name == name)
    assert f'"{rule}"' in (ast.get_source_segment(text, body) or "")


def test_a_scene_that_may_be_told_by_another_rule_proves_nothing_of_either() -> None:
    assert "hang" not in scenes_of("QueueStuck")
