import pytest

from tests.builders.incidents import an_incident
from watchdog.core.incidents.quiet.matchers import Matcher, labels_of, match, parse_matchers

LOST = an_incident(rule="WorkerLost", key={"name": "celery@gpu-1"}, labels={"team": "data", "rule": "forged"})


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("rule=WorkerLost", [("rule", "=", "WorkerLost")]),
        ('rule="WorkerLost"', [("rule", "=", "WorkerLost")]),
        ('{rule="WorkerLost"}', [("rule", "=", "WorkerLost")]),
        ('rule = "a, b" , name!=x', [("rule", "=", "a, b"), ("name", "!=", "x")]),
        (r'name=~"celery@gpu-\\d+.*",severity!~info|warning', [("name", "=~", r"celery@gpu-\d+.*"), ("severity", "!~", "info|warning")]),
        (r'name="a \"quoted\" word"', [("name", "=", 'a "quoted" word')]),
        ("team=", [("team", "=", "")]),
        ("name=celery@gpu-1", [("name", "=", "celery@gpu-1")]),
        ("name=two words", [("name", "=", "two words")]),
        ("rule=A,", [("rule", "=", "A")]),
        ("größe=1", [("größe", "=", "1")]),
    ],
)
def test_matchers_are_read_as_alertmanager_writes_them(text: str, found: list[tuple[str, str, str]]) -> None:
    assert parse_matchers(text) == tuple(Matcher(*parts) for parts in found)


WRONG = ["", "  ", "{}", "WorkerLost", "rule", "=x", "rule==x", 'rule="x', "rule=x y=z", "rule=x,,name=y", "1rule=x", "rule=~("]


@pytest.mark.parametrize("text", WRONG)
def test_what_is_no_matcher_is_refused_with_an_example_or_the_fault_of_its_pattern(text: str) -> None:
    with pytest.raises(ValueError, match=r"expected matchers such as rule=WorkerLost|is no regular expression"):
        parse_matchers(text)


def test_a_matcher_is_written_as_it_can_be_read() -> None:
    matcher = Matcher("name", "=~", r'a "b" \d')
    assert parse_matchers(str(matcher)) == (matcher,)


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("rule=WorkerLost", True),
        ("rule=forged", False),
        ("rule!=WorkerLost", False),
        ("name=~celery@gpu-.*", True),
        ("name=~gpu", False),
        ("name=~celery@gpu-1|x", True),
        ("name!~celery@web-.*", True),
        ("name=~(?i)x|CELERY@gpu-.*", True),
        ("name=~(?i)CELERY@gpu", False),
        ("team=data, target=prod, severity=warning", True),
        ("team=data, target=staging", False),
        ("absent=", True),
        ("absent!=x", True),
        ("absent=~.+", False),
    ],
)
def test_labels_are_rule_target_severity_key_columns_and_labels(text: str, holds: bool) -> None:
    assert match(parse_matchers(text), labels_of(LOST)) is holds


def test_a_pattern_that_could_search_for_ever_is_refused() -> None:
    with pytest.raises(ValueError, match="simplify"):
        parse_matchers('name=~"(a+)+b"')


def test_a_text_that_is_too_long_to_be_searched_is_not_matched() -> None:
    assert match(parse_matchers("name=~.*x.*y"), {"name": "x" * 20_000}) is False


def test_a_fault_in_a_pattern_quotes_it_as_it_was_written() -> None:
    with pytest.raises(ValueError, match=r"^'\(' is no regular expression: missing \), unterminated subpattern at position 0$"):
        parse_matchers('name=~"("')
