import math

import pytest

from watchdog.core.judging.findings import Finding, Verdict
from watchdog.core.judging.texts import render_or_plain, texts_of
from watchdog.core.model.rows import Cell
from watchdog.core.model.severity import Severity
from watchdog.core.rules.rule import Rule
from watchdog.core.rules.templates import check_template, render

CELLS: dict[str, Cell] = {
    "name": "indexing", "length": 60.0, "ratio": 0.955, "oldest_s": 90.0, "drain_s": math.inf, "up": False, "size": 1536.0,
    "big": 12345.678, "gap": None, "state": "lost",
}  # fmt: skip
NAMES = (*CELLS, "limit", "rule", "target", "severity")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("{{ name }} holds {{ length }} messages", "indexing holds 60 messages"),
        ("{{ big }}", "12345.68"),
        ("{{ big | number }}", "12,345.68"),
        ("{{ ratio | percent }}", "95.5%"),
        ("{{ oldest_s | duration }}", "1m30s"),
        ("{{ drain_s | duration }}", "forever"),
        ("{{ drain_s }}", "infinity"),
        ("{{ size | bytes }}", "1.5 KiB"),
        ("{{ up }}", "no"),
        ("{{ state | duration }}", "lost"),
        ("{{ limit }}", "50"),
        ("{% if length > limit %}high{% elif up %}up{% else %}fine{% endif %}", "high"),
        ("{% if state == 'lost' and not up %}gone{% endif %}", "gone"),
        ("{% if length > -5 %}yes{% endif %}", "yes"),
        ("no template at all", "no template at all"),
        ("{# a remark #}text", "text"),
    ],
)
def test_values_read_as_people_write_them(text: str, shown: str) -> None:
    assert render(text, CELLS, {"limit": 50.0}) == shown


@pytest.mark.parametrize("text", ["{{ gap }}", "{{ gap | duration }}", "{{ gap | bytes }}", "{{ nowhere }}"])
def test_a_gap_reads_unknown(text: str) -> None:
    assert render(text, CELLS, {}) == "unknown"


@pytest.mark.parametrize("test", ["gap", "gap > 1", "gap < 1", "gap == 0", "gap != 'x'", "gap <= gap", "1 < gap", "'a' in gap"])
def test_nothing_is_true_of_a_gap(test: str) -> None:
    assert render(f"{{% if {test} %}}true{{% else %}}no{{% endif %}}", CELLS, {}) == "no"


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("{% for x in name %}a{% endfor %}", "a loop"),
        ("{{ range(9) }}", "a call"),
        ("{{ name.upper() }}", "a call"),
        ("{{ name.__class__ }}", "an attribute"),
        ("{{ name[0] }}", "a subscript"),
        ("{{ length * 10 }}", "*"),
        ("{{ 'a' * 1000000000 }}", "*"),
        ("{{ 10 ** 10 }}", "**"),
        ("{{ name ~ name }}", "~"),
        ("{% set x = 1 %}", "set"),
        ("{% macro m() %}{% endmacro %}", "a macro"),
        ("{% include 'x' %}", "an include"),
        ("{% import 'x' as y %}", "an import"),
        ("{% extends 'x' %}", "extends"),
        ("{% block b %}{% endblock %}", "a block"),
        ("{% filter number %}{% endfilter %}", "a filter block"),
        ("{% if up is defined %}{% endif %}", "is"),
        ("{{ 'a' if up }}", "if inside {{ }}"),
        ("{{ [1] }}", "a list"),
        ("{{ {} }}", "a dict"),
    ],
)
def test_whatever_could_cost_time_or_memory_is_refused(text: str, what: str) -> None:
    assert check_template(text, NAMES).faults[0].startswith(f"{what} is not allowed")


def test_a_forbidden_template_is_not_rendered_either() -> None:
    with pytest.raises(ValueError, match="a loop is not allowed"):
        render("{% for x in name %}a{% endfor %}", CELLS, {})


def test_a_name_that_is_no_column_is_a_fault_with_a_suggestion() -> None:
    assert check_template("{{ lenght }}", NAMES, "queues").faults == ('no column or param "lenght" in queues; did you mean "length"?',)


def test_the_names_that_are_read_are_told() -> None:
    assert check_template("{{ name }}{% if up %}{{ length | number }}{% endif %}", NAMES).names == {"name", "up", "length"}


@pytest.mark.parametrize("name", ["range", "dict", "lipsum", "cycler", "self", "namespace"])
def test_nothing_of_jinja_itself_can_be_named(name: str) -> None:
    assert check_template(f"{{{{ {name} }}}}", NAMES).faults


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (
            "{{ length | durations }}",
            'no filter "durations"; there are duration, bytes, percent, percent_down, number, shell; did you mean "duration"?',
        ),
        ("{{ length | number(2) }}", 'the filter "number" takes no arguments'),
        ("{{ length | upper }}", 'no filter "upper"; there are duration, bytes, percent, percent_down, number, shell'),
    ],
)
def test_only_these_filters_are_known(text: str, fault: str) -> None:
    assert check_template(text, NAMES).faults == (fault,)


@pytest.mark.parametrize("text", ["{{ length", "{% if %}", "{{ }}", "a\n{% endif %}", "{{ " + "9" * 5000 + " }}"])
def test_a_broken_template_is_one_fault(text: str) -> None:
    assert [fault.startswith("not a template: ") for fault in check_template(text, NAMES).faults] == [True]


@pytest.mark.parametrize("text", ["{% if up %}" * 300 + "{% endif %}" * 300, "{{ " + "(" * 4000 + "up" + ")" * 4000 + " }}"])
def test_a_template_nested_without_end_is_refused(text: str) -> None:
    assert check_template(text, NAMES).faults == ("nested too deeply",)


def test_a_template_too_long_is_refused() -> None:
    assert "too many" in check_template("x" * 10_001, NAMES).faults[0]


def test_the_text_is_cut_at_two_thousand_characters() -> None:
    assert len(render("{{ name }}{{ name }}", {"name": "x" * 5000}, {})) == 2000


def test_control_characters_are_removed() -> None:
    assert render("{{ name }}", {"name": "a\x1b[31mb\x00\u202ec\ud800\r\nd"}, {}) == "a[31mbc\nd"


def test_a_template_in_a_value_stays_text() -> None:
    assert render("{{ name }}", {"name": "{{ length }}"}, {}) == "{{ length }}"


def finding(summary: str) -> Finding:
    rule = Rule("QueueBacklogHigh", key=("name",), summary=summary, description="{{ length }} of {{ limit }}", params={"limit": 50.0})
    return Finding(rule, ("indexing",), Verdict.BREACH, values={"length": 60.0, "drain_s": math.inf}, cells=CELLS)


def test_a_template_that_fails_still_says_rule_key_and_values() -> None:
    text = render_or_plain("{% if name > 5 %}x{% endif %}", finding(""), "prod", Severity.ERROR)
    assert text == "QueueBacklogHigh on indexing: length=60, drain_s=infinity"


def test_a_rule_without_a_summary_says_rule_key_and_values() -> None:
    assert texts_of(finding(""), "prod", Severity.ERROR).summary == "QueueBacklogHigh on indexing: length=60, drain_s=infinity"


@pytest.mark.parametrize(("app", "said"), [("shop.celery", "celery -A shop.celery purge"), (None, "celery -A APP purge")])
def test_texts_can_name_the_app_of_the_target(app: str | None, said: str) -> None:
    assert texts_of(finding("celery -A {{ app }} purge"), "prod", Severity.ERROR, app).summary == said


def test_texts_can_name_rule_target_severity_and_params() -> None:
    texts = texts_of(finding("{{ rule }} in {{ target }}:\n{{ severity }}"), "prod", Severity.ERROR)
    assert (texts.summary, texts.description, texts.runbook) == ("QueueBacklogHigh in prod: error", "60 of 50", "")


@pytest.mark.parametrize(
    "text", ["{{ length }}", "{{ length | number }} of {{ name }}!", " {{ drain_s | duration }}\n", "{{ up | bytes | number }}"]
)
@pytest.mark.parametrize("length", [60.0, 1234.5, None, math.nan, True, "two"])
def test_a_template_without_conditions_is_rendered_as_one_with_a_condition_is(text: str, length: Cell) -> None:
    cells = {**CELLS, "length": length}
    assert render(text, cells, {}) == render(f"{text}{{% if false %}}{{% endif %}}", cells, {})
