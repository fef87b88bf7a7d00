"""docs/doctor.md names every finding of the doctor's own, with its severities: on a cluster, and on an app without one."""

import re
from pathlib import Path

from watchdog.config.rulebook import read_once
from watchdog.config.shipped import app_rule_files, doctor_rule_files
from watchdog.tables import TABLES
from watchdog.tables.celery_app import APP_TABLES

PAGE = (Path(__file__).parents[2] / "docs/doctor.md").read_text()
OF_CLUSTERS = read_once(doctor_rule_files(), TABLES)
OF_APPS = read_once(app_rule_files(), APP_TABLES)
RULES = (*OF_CLUSTERS[0], *OF_APPS[0])


def test_the_rules_of_the_doctor_have_no_fault() -> None:
    assert (*OF_CLUSTERS[1:], *OF_APPS[1:]) == ((), (), (), ())


def test_the_page_lists_every_finding_with_its_severities() -> None:
    listed = [one for one in re.findall(r"^\| (\w+) \| ([\w, ]+) \|", PAGE, re.MULTILINE) if one[0] != "finding"]
    severities = {rule.name: [rule.severity.value, *(step.severity.value for step in rule.escalate)] for rule in RULES}
    assert {name: said.split(", ") for name, said in listed} == severities


def test_every_finding_says_what_mends_it() -> None:
    assert [rule.name for rule in RULES if not (rule.description and rule.runbook)] == []
