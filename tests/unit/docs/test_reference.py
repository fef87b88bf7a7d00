"""The generated pages of docs/ are those of the code."""

import tomllib

import pytest

from tests.docs.pages import ROOT
from tests.docs.reference import GENERATED
from tests.docs.reference.commands import every_command
from tests.docs.reference.example import EXAMPLE


@pytest.mark.parametrize("page", GENERATED)
def test_a_generated_page_is_that_of_the_code(page: str) -> None:
    path = ROOT / page
    fresh = path.exists() and path.read_text(encoding="utf-8") == GENERATED[page]()
    assert fresh, f"{page} is stale: run `make docs-reference`, and commit it"


def test_commands_of_groups_are_among_the_commands() -> None:
    assert {"watchdog", "watchdog check", "watchdog rules replay", "watchdog act revoke"} <= {one.command_path for one in every_command()}


@pytest.mark.parametrize("table", EXAMPLE)
def test_an_example_of_a_key_is_a_value(table: str) -> None:
    for key, example in EXAMPLE[table].examples.items():
        assert not example or tomllib.loads(f"{key} = {example}")
