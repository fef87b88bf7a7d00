"""docs/rule-tests.md: its example holds, and every key is explained."""

import re
from pathlib import Path

import pytest

from tests.processes.command_line import watchdog
from watchdog.core.scenarios.reading.entry import EXPECT_KEYS, KEYS, MESSAGES

DOC = (Path(__file__).parents[2] / "docs" / "rule-tests.md").read_text(encoding="utf-8")
RULES_DOC = (Path(__file__).parents[2] / "docs" / "rules.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("key", [*KEYS, *EXPECT_KEYS])
def test_every_key_is_in_the_docs(key: str) -> None:
    assert re.search(rf"^\| `{key}`", DOC, re.MULTILINE)


@pytest.mark.parametrize("word", [*MESSAGES, "gone", "unread", "partial", "gap", "at_least", "usual"])
def test_what_may_be_written_is_in_the_docs(word: str) -> None:
    assert re.search(rf"`?\b{word}\b", DOC)


def test_the_example_is_as_expected_on_the_rule_of_the_other_page(tmp_path: Path) -> None:
    (tmp_path / "alerts" / "scenarios").mkdir(parents=True)
    blocks = {name: re.search(r"```toml\n(.*?)```", doc, re.DOTALL) for name, doc in (("scenarios/shop", DOC), ("shop", RULES_DOC))}
    for name, block in blocks.items():
        assert block
        (tmp_path / "alerts" / f"{name}.toml").write_text(block[1])
    done = watchdog("rules", "test", "alerts", "--complete", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
