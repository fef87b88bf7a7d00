"""Scenario files are read strictly: every fault of every file at once, with its line and what to do."""

import pytest

from tests.builders.scenarios import faults_of, rules_from, scenarios_of
from watchdog.core.scenarios.reading.entry import MOST_LOOKS
from watchdog.core.scenarios.reading.files import read_scenarios
from watchdog.tables import TABLES

FINE = """
[[scenario]]
name  = "fine"
quiet = ["QueueStuck"]
[[scenario.rows]]
queues = [{ name = "mail", length = 3 }]
"""


def test_a_short_scenario_has_the_pace_and_the_target_of_a_daemon() -> None:
    (scenario,) = scenarios_of(FINE)
    assert (scenario.every_s, scenario.target, scenario.until_s) == (10.0, "prod", None)


def test_a_scenario_of_answers_has_their_looks() -> None:
    text = FINE.partition("[[scenario.rows]]")[0] + 'answers = "night.jsonl.gz"\n'
    assert scenarios_of(text)[0].answers == "night.jsonl.gz"
    both = faults_of(text + 'every = "1s"\n[[scenario.rows]]\nqueues = []\n')
    assert both == [
        '6: scenario "fine": every: not together with answers, which have their own',
        '7: scenario "fine": rows: not together with answers, which have their own',
    ]


def test_every_fault_of_a_file_is_reported_with_its_line() -> None:
    assert faults_of("""
[[scenario]]
nam = "x"
quiet = ["QueueStick"]
[[scenario.rows]]
at = "5"
queues = [{ length = "many" },
          { name = "mail", lenght = 3 }]
[[scenario.expect]]
rule = "QueueStuck"
key = { nam = "mail" }
mesage = "first"
""") == [
        '2: name is missing; write name = "what happens"',
        '3: nam: unknown key; did you mean "name"?',
        '4: quiet[1]: no rule "QueueStick"; did you mean "QueueStuck"?',
        '6: rows[1].at: expected a duration such as "30s", "5m" or "1h30m", found "5"; did you mean "5s"?',
        '7: rows[1].queues[1].length: expected a number, a duration such as "5m", or a ramp such as "40 + 10/1m", found "many"',
        "7: rows[1].queues[1]: name is missing: it says which row of queues this is",
        '8: rows[1].queues[2].lenght: no column of queues; did you mean "length"?',
        '11: expect[1].key.nam: no key column; did you mean "name"?',
        '12: expect[1].mesage: unknown key; did you mean "message"?',
    ]


def test_faults_of_several_files_come_in_the_order_of_the_files() -> None:
    _, faults = read_scenarios({"b.toml": "x = 1", "a.toml": "[[scenario]\n"}, TABLES, {})
    assert [(fault.file, fault.line) for fault in faults] == [("b.toml", 1), ("a.toml", 1)]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "1: no [[scenario]] in this file"),
        ("scenario = 1", "1: scenario: expected [[scenario]], with two brackets on either side"),
        ("[[rule]]\nname = 'x'", "1: rule: unknown key; a [[rule]] belongs into a rule file, in the folder above the scenarios"),
        ("[[senario]]", '1: senario: unknown key; did you mean "scenario"?'),
        (f"usual = 1\n{FINE}", "1: usual: expected [usual.TABLE], found the number 1"),
        (f"[usual]\nqueues = 1\n{FINE}", "2: usual.queues: expected a table of cells, found the number 1"),
        (f"[usual.queue]\nlength = 1\n{FINE}", '1: usual.queue: no table; did you mean "queues"?'),
        (f"[usual.queues]\nlength = true\n{FINE}", "2: usual.queues.length: expected a number"),
        (FINE + FINE, '9: scenario "fine": name: the scenario in line 2 has this name already'),
        (FINE.replace('quiet = ["QueueStuck"]', ""), '2: scenario "fine": expects nothing'),
        (FINE.partition("[[scenario.rows]]")[0], '2: scenario "fine": has no rows'),
        (f'{FINE}[[scenario.rows]]\nat = "2m"\n[[scenario.rows]]\nat = "1m"', "rows[3].at: comes before the rows above it"),
        (f"{FINE}queue = []", 'rows[1].queue: no table; did you mean "queues"?'),
        (f"{FINE}receivers = [{{ name = 'ops' }}]", 'rows[1].receivers: has rows on the target "watchdog" alone; write'),
        (FINE.replace("quiet", 'target = "watchdog"\nquiet'), 'rows[1].queues: has rows on no target "watchdog"'),
        (FINE.replace("quiet", 'every = "0s"\nquiet'), "every: must be at least 100ms"),
        (FINE.replace("quiet", 'every = "1ms"\nquiet'), "every: must be at least 100ms"),
        (FINE.replace("quiet", 'until = "1w"\nquiet'), f"until: more than {MOST_LOOKS:,} looks; look less often"),
        (f'{FINE}[[scenario.rows]]\nat = "2m"\n'.replace("quiet", 'until = "1m"\nquiet'), "until: ends before the last time"),
        (FINE.replace("quiet", 'ignore = ["Queus*"]\nquiet'), 'ignore[1]: "Queus*" is no rule'),
        (FINE.replace("quiet", 'switched_on = ["Nobody"]\nquiet'), 'switched_on[1]: no rule "Nobody"'),
        (f'{FINE}gone = {{ queues = "mail" }}', 'rows[1].gone.queues: expected a list of keys, found "mail"; write ["mail"]'),
        (f"{FINE}gone = {{ queue = [] }}", 'rows[1].gone.queue: no table; did you mean "queues"?'),
        (f"{FINE}gone = {{ errors = ['x'] }}", 'rows[1].gone.errors[1]: expected { task = "…", exception = "…" }, found "x"'),
        (f"{FINE}gone = {{ cluster = ['x'] }}", "rows[1].gone.cluster[1]: expected no key: there is one row"),
        (f"{FINE}unread = {{ queues = true }}", "rows[1].unread.queues: expected the reason"),
        (f"{FINE}[[scenario.expect]]\n", "expect[1]: rule is missing"),
        (f"{FINE}[[scenario.expect]]\nrule = 'QueueStuck'\nmessage = 'frist'", 'found "frist"; did you mean "first"?'),
        (f"{FINE}[[scenario.expect]]\nrule = 'QueueStuck'\nstate = 'firing'", "expect[1]: at is missing"),
        (f"{FINE}[[scenario.expect]]\nrule = 'QueueStuck'\nat = '1m'\nstate = 'firing'\ntext = 'x'", "text: belongs to a message"),
        (
            f"{FINE}[[scenario.expect]]\nrule = 'QueueStuck'\nat = '1m'\nstate = 'firing'\nmessage = 'first'",
            "expect[1].state: either a message or a state",
        ),
        (FINE.replace('name = "mail"', 'name = { gap = "x" }'), "rows[1].queues[1].name: expected a plain value"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_a_fault(text: str, fault: str) -> None:
    found = faults_of(text)
    assert len(found) == 1
    assert fault in found[0]


def test_a_key_that_is_usual_need_not_be_repeated() -> None:
    assert faults_of('[usual.queues]\nname = "mail"\n' + FINE.replace('name = "mail", ', "")) == []


@pytest.mark.parametrize("hostile", ["a" + ".a" * 20_000 + " = 1", "[" * 100_000, "a = " + "9" * 10_000])
def test_what_no_reader_takes_is_a_fault(hostile: str) -> None:
    assert len(faults_of(hostile)) == 1


def test_a_rule_that_takes_too_long_for_so_many_looks_is_a_fault() -> None:
    patient = rules_from('[[rule]]\nname = "Patient"\nfrom = "queues"\nwhen = "length > 5"\nfor = "52w"\n')
    (fault,) = faults_of(FINE.replace("QueueStuck", "Patient"), patient)
    assert "more than 20,000 looks; look less often" in fault
    assert faults_of(FINE.replace("QueueStuck", "Patient").replace("quiet", 'every = "1d"\nquiet'), patient) == []
