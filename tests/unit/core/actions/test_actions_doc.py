"""docs/actions.md and config.example.toml name every action."""

from pathlib import Path

import pytest

from watchdog.core.actions.kinds import KINDS
from watchdog.core.actions.outcome import Word

ROOT = Path(__file__).parents[4]
DOC = (ROOT / "docs" / "actions.md").read_text(encoding="utf-8")
WHAT_THERE_IS = DOC.partition("## What there is")[2].partition("\n## ")[0]
EXAMPLE = (ROOT / "config.example.toml").read_text(encoding="utf-8").partition("[actions]")[2].partition("allow =")[0]


@pytest.mark.parametrize("name", KINDS)
def test_every_action_is_in_the_table(name: str) -> None:
    assert f"`{name}" in WHAT_THERE_IS


@pytest.mark.parametrize("name", KINDS)
def test_every_action_is_named_in_the_example(name: str) -> None:
    assert f'"{name}"' in EXAMPLE


@pytest.mark.parametrize("word", Word)
def test_every_outcome_is_explained(word: Word) -> None:
    assert f"`{word.value}`" in DOC.partition("## The audit log")[2]
