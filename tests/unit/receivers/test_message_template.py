import json

import pytest
from msgspec.structs import replace

from tests.builders.outbox import message, notice
from watchdog.core.incidents.messages import Event, Message
from watchdog.core.model.severity import Severity
from watchdog.receivers.webhook.message_template import FIELDS, NAMES, faults_of, names_in, render

EACH = "{% for incident in incidents %}%s{% endfor %}"


def each(inside: str) -> str:
    return EACH.replace("%s", inside)


# --- rendering ----------------------------------------------------------------------------------------------------------


def test_a_message_has_its_own_names() -> None:
    said = render("{{ severity }} {{ state }} {{ target }} {{ count }}: {{ message }}", message("1"))
    assert said == "warning firing prod 1: A holds 60 messages"


def test_every_name_and_field_can_be_rendered() -> None:
    whole = " ".join(f"{{{{ {name} | json }}}}" for name in NAMES)
    fields = " ".join(f"{{{{ incident.{name} | json }}}}" for name in FIELDS if name not in ("key", "labels", "values"))
    assert "null null" in render(f"{whole} {each(fields)}", message("1"))


def test_a_loop_goes_over_the_incidents_and_knows_its_last() -> None:
    text = f"[{each('{{ incident.key.name | json }}{% if not loop.last %},{% endif %}')}]"
    assert json.loads(render(text, message("1", notice("A"), notice("B")))) == ["A", "B"]


def test_what_is_not_known_is_null_in_json_and_unknown_in_text() -> None:
    text = each("{{ incident.values.oldest_s | json }} {{ incident.labels.nothing | json }} {{ incident.labels.nothing }}")
    assert render(text, message("1")) == "null null unknown"


def test_numbers_and_truth_keep_their_type_in_json() -> None:
    text = each("{{ incident.values.length | json }} {{ incident.values.declared | json }} {{ incident.values.drain_s | json }}")
    assert render(text, message("1")) == "60 true null"


def test_an_attribute_of_values_is_a_column_whatever_its_name() -> None:
    odd = replace(notice(), values={"items": 5.0, "keys": 6.0})
    assert render(each("{{ incident.values.items }} {{ incident.values.keys }}"), message("1", odd)) == "5 6"


def test_the_state_is_that_of_the_group() -> None:
    end = notice("A", Event.RESOLVED)
    assert [render("{{ state }}", replace(message("1", end), still=still)) for still in (1, 0)] == ["firing", "resolved"]


def test_the_severity_is_the_worst_of_what_fires() -> None:
    told = message("1", notice("A", Event.RESOLVED, severity=Severity.CRITICAL), notice("B", severity=Severity.ERROR))
    assert render("{{ severity }}", told) == "error"


def test_a_text_from_outside_is_no_template_and_has_no_control_characters() -> None:
    odd = replace(notice(), summary='{{ target }} \x1b[31m"\\\n\udc80')
    assert json.loads(render(each("{{ incident.summary | json }}"), message("1", odd))) == '{{ target }} [31m"\\'


def test_a_long_text_is_cut_so_that_no_template_multiplies_it() -> None:
    odd = replace(notice(), description="x" * 100_000)
    assert len(render(each("{{ incident.description }}"), message("1", odd))) == 2_000


def test_the_names_that_a_template_reads_are_known() -> None:
    assert names_in("{{ severity }} {% if state == 'firing' %}{{ message }}{% endif %}") == {"severity", "state", "message"}


# --- checking -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("{{ mesage }}", 'no "mesage" in a message; did you mean "message"?'),
        ("\n\n{{ mesage }}", 'no "mesage" in a message (its line 3); did you mean "message"?'),
        (each("{{ incident.sumary }}"), 'incident has no "sumary"; did you mean "summary"?'),
        (each("{{ incident }}"), "incident is no text; write incident.summary or another field of it"),
        (each("{{ incident.labels }}"), "incident.labels is no text; write incident.labels.NAME"),
        (each("{{ loop.cycle }}"), 'loop has no "cycle"; it has first, last, index'),
        (each(each("x")), "a loop inside a loop is not allowed"),
        ("{% for x in message %}{% endfor %}", "this loop is not allowed; write {% for incident in incidents %}"),
        ("{% for x in incidents if x %}{% endfor %}", "this loop is not allowed"),
        ("{% for message in incidents %}{% endfor %}", '"message" has another meaning'),
        ("{{ incidents }}", "incidents is no text"),
        ("{{ incidents | length }}", 'no filter "length"'),
        ("{{ message.__class__ }}", "this attribute is not allowed"),
        (each("{{ incident.key.__class__ }}"), "this attribute is not allowed"),
        (each("{{ incident.key.name.upper }}"), "this attribute is not allowed"),
        (each("{{ incident['rule'] }}"), "a subscript is not allowed"),
        ("{{ range(9) }}", "a call is not allowed"),
        ("{{ 'a' * 99 }}", "* is not allowed"),
        ("{% set a = 1 %}", "set is not allowed"),
        ("{% include 'x' %}", "an include is not allowed"),
        ("{{ message", "not a template: "),
        ("{{ message | json(1) }}", 'the filter "json" takes no arguments'),
        ("x" * 10_001, "10,001 characters are too many"),
        ("{{ " + "not " * 99 + "message }}", "nested too deeply"),
    ],
)
def test_what_could_cost_time_or_reach_out_is_refused(text: str, fault: str) -> None:
    assert any(said.startswith(fault) for said in faults_of(text)), faults_of(text)


def test_what_is_refused_is_never_rendered() -> None:
    with pytest.raises(ValueError, match="a call is not allowed"):
        render("{{ range(9) }}", message("1"))


def test_where_there_are_no_incidents_a_loop_is_refused() -> None:
    assert faults_of(each("x"), loops=False) == ["a loop is not allowed here"]


def test_a_group_that_an_earlier_version_did_not_know_is_its_incident() -> None:
    assert render("{{ group }}", Message("1", "ops", "prod", 0.0, (notice(),))) == notice().incident
