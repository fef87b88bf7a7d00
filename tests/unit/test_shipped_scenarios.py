"""The scenarios of the shipped rules: each rule has one that fires it and one that keeps it quiet, and all of them hold.

A failure here names the file and line to fix; `watchdog rules test --complete` says the same.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pytest

from watchdog.cli.rules.testing.given import given
from watchdog.cli.rules.testing.played import play_all
from watchdog.config.rulebook import read_once
from watchdog.config.shipped import shipped_rule_files, shipped_scenario_files
from watchdog.core.scenarios.reading.files import read_scenarios
from watchdog.core.scenarios.result import Missing, ScenarioResults, missing_scenarios
from watchdog.core.scenarios.scenario import Scenario
from watchdog.tables import TABLES

RULES = {rule.name: rule for rule in read_once(shipped_rule_files(), TABLES)[0]}
FILES = shipped_scenario_files()
SCENARIOS, FAULTS = read_scenarios(FILES, TABLES, RULES)
MISSING: Mapping[str, Missing] = {missing.rule: missing for missing in missing_scenarios(RULES.values(), SCENARIOS)}


@cache
def results() -> ScenarioResults:
    with pytest.MonkeyPatch.context() as environment:
        environment.chdir(Path(__file__).parent)  # where there is no configuration
        environment.delenv("WATCHDOG_CONFIG", raising=False)
        return play_all(given((), None, ()))


def test_no_scenario_has_a_fault_or_names_a_rule_that_there_is_not() -> None:
    assert [str(fault) for fault in FAULTS] == []


@pytest.mark.parametrize("rule", RULES)
def test_each_rule_is_fired_by_a_scenario_and_kept_quiet_by_one(rule: str) -> None:
    assert str(MISSING.get(rule, "")) == ""


@pytest.mark.parametrize("number", range(len(SCENARIOS)), ids=[scenario.name for scenario in SCENARIOS])
def test_all_is_as_a_scenario_expects(number: int) -> None:
    one = results().tested[number]
    assert [f"{one.scenario.file}:{difference.line}: {difference}" for difference in one.differences] == []


def test_each_file_of_scenarios_is_that_of_a_file_of_rules() -> None:
    assert {Path(name).name for name in FILES} <= {Path(name).name for name in shipped_rule_files()}


@pytest.mark.parametrize("scenario", SCENARIOS, ids=[scenario.name for scenario in SCENARIOS])
def test_a_scenario_is_in_the_file_of_one_of_its_rules(scenario: Scenario) -> None:
    assert Path(scenario.file).name in {Path(RULES[name].file).name for name in scenario.rules}
