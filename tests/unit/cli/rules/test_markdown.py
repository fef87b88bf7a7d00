"""Rules as Markdown."""

import pytest

from tests.unit.conftest import Run
from watchdog.cli.rules.markdown import said


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


def test_the_command_prints_it(run: Run) -> None:
    _, printed, _ = run("rules", "list", "--format", "markdown")
    assert "| TaskOverdue | error | *task* should have succeeded *overdue_s* ago | at once | yes |" in printed
