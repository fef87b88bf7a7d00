"""The scenarios of the doctor's rules: each rule has one that fires it and one that keeps it quiet, and all of them hold."""

from functools import cache
from pathlib import Path

from watchdog.cli.rules.testing.given import given
from watchdog.cli.rules.testing.played import play_all
from watchdog.core.scenarios.result import ScenarioResults

FOLDER = Path(__file__).parents[2] / "rules/doctor/scenarios"


@cache
def results() -> ScenarioResults:
    return play_all(given((str(FOLDER),), None, (), alone=True), complete=True)


def test_each_rule_of_the_doctor_is_fired_by_a_scenario_and_kept_quiet_by_one() -> None:
    assert [str(missing) for missing in results().missing] == []


def test_all_is_as_the_scenarios_expect() -> None:
    assert [str(difference) for one in results().tested for difference in one.differences] == []
