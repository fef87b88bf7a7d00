from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from watchdog.core.rules.files import read_rules
from watchdog.core.rules.templates import check_template, render
from watchdog.tables import TABLES

PIECES = [
    "{{ ", " }}", "{% if ", " %}", "{% elif ", "{% else %}", "{% endif %}", "name", "length", " | ", "duration", "bytes", " > ",
    " == ", "not ", " and ", "5", "'x'", "(", ")", ".", "[0]", "-", "*", "~", "{#", "#}", "\n", "{% for x in name %}", "{% set a = 1 %}",
]  # fmt: skip
TEMPLATES = st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=12).map("".join)
NUMBERS = st.floats() | st.none() | st.integers(-(10**30), 10**30).map(float)
LINES = [
    "[[rule]]", 'name = "A"', 'from = "queues"', 'when = "length > :a"', "params = { a = 5 }", 'for = "5m"', "key = []", "[rule.labels]",
    'escalate = [{ when = "length", severity = 5 }]', "inhibits = ['A', 5]", 'query = "select 1 as breach"', "x.y = 1", '"""', "'", "]",
    "=", 'summary = """{{ length', '}}"""', "window = 2020-01-01", "targets = [[]]", "labels = { a = {} }", "params.b = nan",
]  # fmt: skip


@given(TEMPLATES, st.text(), NUMBERS)
def test_a_template_without_fault_can_be_rendered(template: str, name: str, length: float | None) -> None:
    if not check_template(template, ("name", "length")).faults:
        with suppress(TypeError):  # a text beside a number, which only the values show
            assert len(render(template, {"name": name, "length": length}, {})) <= 2000


@given(st.lists(st.sampled_from(LINES) | st.text(max_size=5), max_size=12).map("\n".join))
def test_whatever_a_file_holds_the_answer_is_rules_or_faults(text: str) -> None:
    rules, faults, _ = read_rules({"a.toml": text}, TABLES)
    assert all(1 <= fault.line <= max(text.count("\n") + 1, 1) for fault in faults)
    assert all(rule.name and rule.identity for rule in rules)
