import pytest

from watchdog.core.model.rows import Column, Kind, Reading, Table
from watchdog.core.model.severity import Severity
from watchdog.core.rules.files import read_rules
from watchdog.core.rules.rule import Escalation, Rule


def table(name: str, key: tuple[str, ...], *columns: Column, own: bool = False) -> Table:
    return Table(name, "a row", key, columns, lambda _: (), lambda _: Reading(), own=own)


TABLES = {
    t.name: t
    for t in (
        table(
            "queues", ("name",),
            Column("name", Kind.TEXT, ""), Column("length", Kind.NUMBER, ""), Column("consumers", Kind.NUMBER, ""),
            Column("declared", Kind.BOOLEAN, ""),
        ),
        table("workers", ("name",), Column("name", Kind.TEXT, ""), Column("state", Kind.TEXT, "", allowed=("online", "left", "lost"))),
        table("rules", ("name",), Column("name", Kind.TEXT, ""), Column("failed", Kind.BOOLEAN, ""), own=True),
    )
}  # fmt: skip


def rules_of(text: str) -> tuple[Rule, ...]:
    rules, faults, _ = read_rules({"rules/a.toml": text}, TABLES)
    assert [str(fault) for fault in faults] == []
    return rules


def faults_of(*texts: str) -> list[str]:
    return [str(f) for f in read_rules(dict(zip(("rules/a.toml", "rules/b.toml"), texts, strict=False)), TABLES)[1]]


def warnings_of(*texts: str) -> list[str]:
    return [str(w) for w in read_rules(dict(zip(("rules/a.toml", "rules/b.toml"), texts, strict=False)), TABLES)[2]]


def a_rule(more: str = "", name: str = "High") -> str:
    return f'[[rule]]\nname = "{name}"\nfrom = "queues"\nwhen = "length > 5"\n{more}\n'


WHOLE = """
[[rule]]
name     = "QueueBacklogHigh"
from     = "queues"
where    = "declared"
when     = "length > :limit"
clear    = "length < :limit / 2"
params   = { limit = 50, longest = "10m", kind = "slow", strict = true, code = "5" }
for      = "5m"
keep_firing_for = "2m"
window   = "1h30m"
severity = "error"
escalate = [{ when = "length > :limit * 20 and :strict", severity = "critical" }]
summary  = "{{ name }} holds {{ length }} messages, {{ longest | duration }} {{ kind }} {{ code }}"
description = "in {{ target }}"
runbook  = "look"
labels   = { team = "data" }
targets  = ["prod-*"]
inhibits = ["Other"]
deploy   = true
formerly = ["Backlog"]

[[rule]]
name = "Other"
from = "workers"
when = "state = 'lost'"
"""


def test_a_rule_is_read_as_it_is_written() -> None:
    rule = rules_of(WHOLE)[0]
    assert rule == Rule(
        name="QueueBacklogHigh", table="queues", when="length > :limit", key=("name",), where="declared", clear="length < :limit / 2",
        escalate=(Escalation("length > :limit * 20 and :strict", Severity.CRITICAL),),
        params={"limit": 50.0, "longest": 600.0, "kind": "slow", "strict": True, "code": "5"},
        for_s=300.0, keep_firing_for_s=120.0, window_s=5400.0, severity=Severity.ERROR,
        summary="{{ name }} holds {{ length }} messages, {{ longest | duration }} {{ kind }} {{ code }}",
        description="in {{ target }}", runbook="look", labels={"team": "data"}, targets=("prod-*",), inhibits=("Other",), deploy=True,
        formerly=("Backlog",), file="rules/a.toml", line=2,
        columns=("length",), reads={"queues": frozenset({"length", "declared"})}, identity=rule.identity,
    )  # fmt: skip


def test_what_a_rule_leaves_out_has_its_default() -> None:
    rule = rules_of(a_rule())[0]
    assert (rule.for_s, rule.keep_firing_for_s, rule.window_s, rule.severity, rule.targets, rule.deploy, rule.enabled) == (
        0.0, 60.0, 300.0, Severity.WARNING, ("*",), False, True,
    )  # fmt: skip


def test_values_are_what_conditions_and_templates_read_in_the_order_of_the_table() -> None:
    rule = rules_of(a_rule('summary = "{{ consumers }} of {{ name }}"\nclear = "not declared"'))[0]
    assert rule.columns == ("length", "consumers", "declared")


QUERY = """
[[rule]]
name  = "Joined"
query = "select q.name as queue, q.length as value, q.length > :limit and w.state = 'lost' as breach from queues q join workers w"
key   = ["queue"]
clear = "value < :limit"
params = { limit = 5 }
summary = "{{ queue }}: {{ value }}"
"""


def test_a_query_shows_its_output_and_reads_its_tables() -> None:
    rule = rules_of(QUERY)[0]
    assert (rule.key, rule.columns, rule.reads) == (
        ("queue",),
        ("value",),
        {"queues": frozenset({"name", "length"}), "workers": frozenset({"state"})},
    )


def test_a_query_of_one_row_has_an_empty_key() -> None:
    assert rules_of('[[rule]]\nname = "Sum"\nquery = "select sum(length) > 5 as breach from queues"\nkey = []')[0].key == ()


# --- identity -----------------------------------------------------------------------------------------------------------


def test_a_changed_condition_or_severity_keeps_the_identity() -> None:
    assert rules_of(a_rule())[0].identity == rules_of(a_rule('severity = "info"').replace("> 5", "> 6"))[0].identity


@pytest.mark.parametrize(("old", "new"), [('["queue"]', '["value"]'), ("q.length > :limit", "q.length >= :limit")])
def test_a_changed_query_or_key_changes_the_identity(old: str, new: str) -> None:
    changed = rules_of(QUERY.replace(old, new).replace('summary = "{{ queue }}: {{ value }}"', ""))[0]
    assert changed.identity != rules_of(QUERY)[0].identity


def test_a_query_written_over_more_lines_keeps_the_identity() -> None:
    spaced = (
        QUERY.replace('query = "', 'query = """\n  ').replace(" from queues", "\n  from queues").replace('workers w"', 'workers w\n"""')
    )
    assert rules_of(spaced)[0].identity == rules_of(QUERY)[0].identity


# --- faults -------------------------------------------------------------------------------------------------------------


def test_a_fault_names_file_line_rule_key_and_the_near_miss() -> None:
    text = '# rules\n\n[[rule]]\nname = "QueueBacklogHigh"\nfrom = "queues"\nwhen = "lenght > 5"\n'
    expected = 'rules/a.toml:6: rule "QueueBacklogHigh": when: no column "lenght" in queues; did you mean "length"?'
    assert faults_of(text) == [expected]


@pytest.mark.parametrize(
    ("more", "fault"),
    [
        ('sumary = "x"', '5: rule "High": sumary: unknown key; did you mean "summary"?'),
        ('for = "5 minutes"', '5: rule "High": for: expected a duration such as "30s", "5m" or "1h30m", found "5 minutes"'),
        ("for = 300", '5: rule "High": for: expected a duration such as "30s", "5m" or "1h30m", found 300; did you mean "300s"?'),
        ("for = true", '5: rule "High": for: expected a duration such as "30s", "5m" or "1h30m", found true'),
        ('window = "0s"', '5: rule "High": window: must be longer than 0'),
        ('severity = "warn"', '5: rule "High": severity: expected info, warning, error or critical, found "warn"; did you mean "warning"?'),
        ("severity = 2", '5: rule "High": severity: expected info, warning, error or critical, found the number 2'),
        ("summary = 5", '5: rule "High": summary: expected a text, found the number 5'),
        ('summary = "{{ lenght }}"', '5: rule "High": summary: no column or param "lenght" in queues; did you mean "length"?'),
        ('runbook = "{% for a in b %}{% endfor %}"', '5: rule "High": runbook: a loop is not allowed; '
         "a template holds names, if, comparisons and filters (duration, bytes, percent, percent_down, number, shell)"),
        ('description = "{{ length | upper }}"', '5: rule "High": description: no filter "upper"; '
         "there are duration, bytes, percent, percent_down, number, shell"),
        ('clear = "lenght < 5"', '5: rule "High": clear: no column "lenght" in queues; did you mean "length"?'),
        ('where = ""', '5: rule "High": where: is empty'),
        ('key = ["name"]', '5: rule "High": key: belongs to query; with from, the rows have the key of their table'),
        ('targets = "prod"', '5: rule "High": targets: expected a list of texts, found "prod"; write ["prod"]'),
        ("targets = []", '5: rule "High": targets: an empty list covers no target; leave it out for all, or write enabled = false'),
        ('targets = [\n"a",\n5]', '7: rule "High": targets[2]: expected a text, found the number 5'),
        ("inhibits = 5", '5: rule "High": inhibits: expected a list of texts, found the number 5'),
        ('enabled = "no"', '5: rule "High": enabled: expected true or false, found "no"'),
        ("labels = { team = 5 }", '5: rule "High": labels.team: expected a text, found the number 5'),
        ('labels = { name = "x" }', '5: rule "High": labels.name: name is already part of every incident; give the label another name'),
        ('[rule.labels]\nteam = "x"\nseverity = "x"',
         '7: rule "High": labels.severity: severity is already part of every incident; give the label another name'),
        ('labels = "x"', '5: rule "High": labels: expected a table such as { name = … }, found "x"'),
        ("params = { limit = [5] }", '5: rule "High": params.limit: expected a number, a text, a duration or true or false, found a list'),
        ("params = { limit = nan }", '5: rule "High": params.limit: expected a number, a text, a duration or true or false, '
         "found the number nan"),
        ("params = { a-b = 1 }", '5: rule "High": params.a-b: a param\'s name has only letters, digits and _, so that :name works'),
        ('params = { length = 1 }\nclear = ":length > 1"',
         '5: rule "High": params.length: length is a column of queues too, and templates could not distinguish them; rename it'),
        ("escalate = { when = 1 }", '5: rule "High": escalate: expected a list of tables, found a table'),
        ("escalate = [5]", '5: rule "High": escalate[1]: expected a table, found the number 5'),
        ('escalate = [{ when = "length > 9" }]',
         '5: rule "High": escalate[1]: severity is missing; write { when = "…", severity = "critical" }'),
        ('escalate = [{ severity = "error" }]',
         '5: rule "High": escalate[1]: when is missing; write { when = "…", severity = "critical" }'),
        ('escalate = [\n{ when = "length > 9", severity = "error" },\n{ when = "len > 9", severity = "critical" }]',
         '7: rule "High": escalate[2].when: no column "len" in queues; did you mean "length"?'),
        ('escalate = [{ when = "length > 9", severity = "critical", if = 1 }]', '5: rule "High": escalate[1].if: unknown key'),
        ('formerly = [""]', '5: rule "High": formerly[1]: expected a text, found ""'),
        ('query = "select 1 as breach"\nkey = []', None),
    ],
)  # fmt: skip
def test_every_wrong_key_is_a_fault_at_its_line(more: str, fault: str | None) -> None:
    expected = (
        [f"rules/a.toml:{fault}"]
        if fault
        else [f'rules/a.toml:{n}: rule "High": {key}: not together with query; a rule has from and when, or query and key'
              for n, key in ((3, "from"), (4, "when"))]
    )  # fmt: skip
    assert faults_of(a_rule(more)) == expected


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ('[[rule]]\nfrom = "queues"\nwhen = "length > 5"', ['1: name is missing; write name = "WhatIsWrong"']),
        ('[[rule]]\nname = "A"\nfrom = "queues"', ['1: rule "A": when is missing; a rule needs from and when, or query and key']),
        ('[[rule]]\nname = "A"\nwhen = "1 > 2"', ['1: rule "A": from is missing; a rule needs from and when, or query and key']),
        ('[[rule]]\nname = "A"\nfrom = "queue"\nwhen = "length > 5"', ['3: rule "A": from: no table "queue"; did you mean "queues"?']),
        ('[[rule]]\nname = "A"\nfrom = "xyz"\nwhen = "length > 5"',
         ['3: rule "A": from: no table "xyz"; there are queues, workers, rules']),
        ('[[rule]]\nname = "A b"\nfrom = "queues"\nwhen = "length > 5"',
         ['2: rule "A b": name: expected letters, digits, - and _ (at most 80, first a letter), found "A b"']),
        ('[[rule]]\nname = 5\nfrom = "queues"\nwhen = "length > 5"', ["2: name: expected a text, found the number 5"]),
        ('[[rule]]\nname = "A"\nquery = "select 1 as breach"',
         ['1: rule "A": key is missing; name the columns of query that identify its rows, as in key = ["queue"] ([] for one row)']),
        ('[[rule]]\nname = "A"\nquery = "select name as n, length > 5 as breach from queues"\nkey = ["n"]\nwhere = "n = \'x\'"',
         ['5: rule "A": where: not together with query; narrow the rows in the query itself']),
        ('[[rule]]\nname = "A"\nquery = "select name as n, length > 5 as breach from queues"\nkey = ["n"]\nclear = "m > 1"',
         ['5: rule "A": clear: no column "m" in the query\'s output']),
        ('[[rule]]\nname = "A"\nquery = "select q.name, q.length > 5 and r.failed as breach from queues q, rules r"\nkey = ["name"]',
         ['3: rule "A": query: rules belong to watchdog itself, the other tables to the targets; no rule can read both']),
        ('[rule]\nname = "A"', ["1: rule: expected [[rule]], with two brackets on either side"]),
        ('[[override]]\nrule = "A"', ["1: override: unknown key; an [[override]] belongs into watchdog.toml"]),
        ('[[rules]]\nname = "A"', ['1: rules: unknown key; did you mean "rule"?']),
        ('[[rule]]\nname = "A"\nfrom = = 1', ["3: not TOML: Invalid value"]),
        ('[[rule]]\nname = "A', ["2: not TOML: Unterminated string"]),
        ("a = " + "9" * 5000, ["1: not TOML that can be read: a number or a key is too long, or brackets are nested too deeply"]),
        ("a = " + "[" * 5000, ["1: not TOML that can be read: a number or a key is too long, or brackets are nested too deeply"]),
    ],
)  # fmt: skip
def test_a_rule_or_file_that_cannot_be_one_is_a_fault(text: str, faults: list[str]) -> None:
    assert faults_of(text) == [f"rules/a.toml:{fault}" for fault in faults]


def test_every_fault_of_every_file_is_told_at_once_in_order() -> None:
    first = a_rule('sumary = "x"\nfor = "x"').replace("length", "lenght")
    lines = [fault.partition(" ")[0] for fault in faults_of(first, "a = 1\nb = [")]
    assert lines == ["rules/a.toml:4:", "rules/a.toml:5:", "rules/a.toml:6:", "rules/b.toml:2:"]


def test_a_rule_beside_a_faulty_one_is_read() -> None:
    rules, _, _ = read_rules({"a.toml": a_rule("x = 1") + a_rule(name="Other")}, TABLES)
    assert [rule.name for rule in rules] == ["Other"]


def test_a_second_rule_of_a_name_is_a_fault_that_names_both_places() -> None:
    assert faults_of(a_rule(), "# two\n" + a_rule()) == [
        'rules/b.toml:3: rule "High": name: there is a rule of this name at rules/a.toml:1 already; '
        "rename one, or tune the first by an [[override]]"
    ]


def test_rules_that_silence_each_other_are_a_fault() -> None:
    text = a_rule('inhibits = ["B"]', "A") + a_rule('inhibits = ["C"]', "B") + a_rule('inhibits = ["A"]', "C")
    assert faults_of(text)[0] == (
        'rules/a.toml:5: rule "A": inhibits[1]: a circle, in which each would silence the other: A inhibits B inhibits C inhibits A'
    )


def test_a_rule_that_silences_itself_is_a_fault() -> None:
    assert "a circle" in faults_of(a_rule('inhibits = ["High"]'))[0]


def test_rules_that_lead_into_a_circle_are_not_blamed_for_it() -> None:
    text = a_rule('inhibits = ["B"]', "A") + a_rule('inhibits = ["C"]', "B") + a_rule('inhibits = ["B"]', "C")
    assert [fault.partition(":")[2][:2] for fault in faults_of(text)] == ["10", "15"]


# --- warnings -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        ("", "1: no [[rule]] in this file"),
        ("# only a remark\n", "1: no [[rule]] in this file"),
        (a_rule("params = { limit = 5 }"), '5: rule "High": params.limit: nothing reads it'),
        (a_rule('inhibits = ["Hihg"]'), '5: rule "High": inhibits[1]: no rule "Hihg"; did you mean "High"?'),
        (a_rule('inhibits = [\n"Old"]') + a_rule('formerly = ["Old"]', "New"),
         '6: rule "High": inhibits[1]: no rule "Old"; it is called "New" now'),
        (a_rule('escalate = [{ when = "length > 9", severity = "info" }]'),
         '5: rule "High": escalate[1].severity: info raises nothing, the rule itself is warning'),
    ],
)  # fmt: skip
def test_what_does_no_harm_is_a_warning(text: str, warning: str) -> None:
    assert (faults_of(text), warnings_of(text)) == ([], [f"rules/a.toml:{warning}"])


@pytest.mark.parametrize(
    "more",
    ['clear = "length < :p"', 'where = "length < :p"', 'escalate = [{ when = "length > :p", severity = "error" }]', 'summary = "{{ p }}"'],
)
def test_a_param_that_any_text_reads_is_no_warning(more: str) -> None:
    assert warnings_of(a_rule(f"params = {{ p = 5 }}\n{more}")) == []
