"""Rules as Markdown, and the page that is made of the shipped ones."""

from pathlib import Path

import pytest

from tests.unit.conftest import Run
from watchdog.cli.rules.markdown import rules_markdown, said
from watchdog.config.rulebook import read_once
from watchdog.config.shipped import shipped_rule_files
from watchdog.tables import TABLES

PAGE = Path(__file__).parents[3] / "docs" / "alerts.md"


@pytest.mark.parametrize(
    ("template", "shown"),
    [
        ("{{ name }} holds {{ length | number }}", "*name* holds *length*"),
        ("a{% if x > 1 %} b{% elif y %} c{% else %} d{% endif %} e", "a b e"),
        ("a{% if x %} b{% if y %} c{% else %} d{% endif %} e{% else %} f{% endif %}", "a b c e"),
        ("a{% if x %} b{% else %} c{% if y %} d{% endif %}{% endif %}", "a b"),
        ("one | two", "one \\| two"),
        ("plain", "plain"),
    ],
)
def test_a_template_is_said_with_names_for_values(template: str, shown: str) -> None:
    assert said(template) == shown


def test_the_page_of_the_docs_is_that_of_the_shipped_rules() -> None:
    rules, _, _ = read_once(shipped_rule_files(), TABLES)
    assert PAGE.read_text().partition("\n## ")[2] == rules_markdown(rules).removeprefix("## ")


def test_the_command_prints_it(run: Run) -> None:
    _, printed, _ = run("rules", "list", "--format", "markdown")
    assert "| TaskOverdue | error | *task* should have succeeded *overdue_s* ago | at once | yes |" in printed
