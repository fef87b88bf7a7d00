"""Plays the scenarios of the command line, with its progress: the part between what is given and what is shown."""

import time
from collections.abc import Callable

from watchdog.cli.output.refusals import Refused
from watchdog.cli.rules.testing.given import Given
from watchdog.config.rulebook import rules_that_fit
from watchdog.config.settings import Settings
from watchdog.core.incidents.quiet.flapping import Flapping
from watchdog.core.scenarios.reading.files import read_scenarios
from watchdog.core.scenarios.result import Missing, ScenarioResults, missing_scenarios, tested
from watchdog.core.scenarios.runner import Runner
from watchdog.core.scenarios.scenario import Scenario
from watchdog.tables import TABLES

__all__ = ["play_all"]


def play_all(what: Given, progress: Callable[[str], None] = lambda _: None, *, complete: bool = False) -> ScenarioResults:
    """Return the result of all scenarios. Refused with every fault of every file. `complete`: every rule needs scenarios."""
    scenarios, faults = read_scenarios(what.texts, TABLES, {rule.name: rule for rule in what.book.rules})
    if faults:
        raise Refused(*map(str, faults))
    runner = Runner(
        TABLES,
        lambda target: rules_that_fit(what.book, target, TABLES),
        flapping=_usual_flapping(),
        stopwatch=time.perf_counter,
    )
    try:
        results = []
        for number, played in enumerate(runner.play(scenarios), 1):
            progress(f"scenario {number} of {len(scenarios)}: {played.scenario.name}")
            results.append(tested(played))
    finally:
        runner.close()
    return ScenarioResults(tuple(results), _missing(what, scenarios), complete)


def _missing(what: Given, scenarios: tuple[Scenario, ...]) -> tuple[Missing, ...]:
    return missing_scenarios((rule for rule in what.book.rules if rule.file in what.own), scenarios)


def _usual_flapping() -> Flapping:
    """Flapping as a configuration without its own settings has it."""
    fields = Settings.model_fields
    return Flapping(fields["flap_window"].default, fields["flap_quiet"].default)
