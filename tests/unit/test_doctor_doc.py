"""docs/doctor.md names every finding of the doctor's own, with its severities."""

import re
from pathlib import Path

from watchdog.config.shipped import doctor_rule_files
from watchdog.core.rules.files import read_rules
from watchdog.tables import TABLES

PAGE = (Path(__file__).parents[2] / "docs/doctor.md").read_text()
RULES, FAULTS, WARNINGS = read_rules(doctor_rule_files(), TABLES)


def test_the_rules_of_the_doctor_have_no_fault() -> None:
    assert (FAULTS, WARNINGS) == ((), ())


def test_the_page_lists_every_finding_with_its_severities() -> None:
    listed = re.findall(r"^\| (\w+) \| ([\w, ]+) \|", PAGE, re.MULTILINE)[1:]
    severities = {rule.name: [rule.severity.value, *(step.severity.value for step in rule.escalate)] for rule in RULES}
    assert {name: said.split(", ") for name, said in listed} == severities


def test_every_finding_says_what_mends_it() -> None:
    assert [rule.name for rule in RULES if not (rule.description and rule.runbook)] == []
