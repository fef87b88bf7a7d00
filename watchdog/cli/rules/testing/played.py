"""Plays the scenarios of the command line, with its progress: the part between what is given and what is shown."""

import time
from collections.abc import Callable, Iterator, Mapping

from msgspec.structs import replace

from watchdog.cli.output.refusals import Refused
from watchdog.cli.rules.testing.given import Given
from watchdog.cli.rules.testing.recordings import place_of, recordings_of
from watchdog.config.rulebook import rules_that_fit
from watchdog.config.settings import Settings
from watchdog.core.incidents.quiet.flapping import Flapping
from watchdog.core.scenarios.played import Played
from watchdog.core.scenarios.reading.files import read_scenarios
from watchdog.core.scenarios.recorded.recording import Recording
from watchdog.core.scenarios.result import Missing, ScenarioResults, missing_scenarios, tested
from watchdog.core.scenarios.runner import Runner
from watchdog.core.scenarios.scenario import Scenario
from watchdog.tables import TABLES

__all__ = ["play_all"]


def play_all(what: Given, progress: Callable[[str], None] = lambda _: None, *, complete: bool = False) -> ScenarioResults:
    """Return the result of all scenarios. Refused with every fault of every file. `complete`: every rule needs scenarios."""
    scenarios, faults = read_scenarios(what.texts, TABLES, {rule.name: rule for rule in what.book.rules})
    recordings, unread = recordings_of(scenarios)
    if faults or unread:
        raise Refused(*map(str, (*faults, *unread)))
    runner = Runner(
        TABLES,
        lambda target: rules_that_fit(what.book, target, TABLES),
        flapping=_usual_flapping(),
        stopwatch=time.perf_counter,
    )
    try:
        results = []
        for number, played in enumerate(_played(runner, scenarios, recordings), 1):
            progress(f"scenario {number} of {len(scenarios)}: {played.scenario.name}")
            results.append(tested(played))
    finally:
        runner.close()
    return ScenarioResults(tuple(results), _missing(what, scenarios), complete)


def _played(runner: Runner, scenarios: tuple[Scenario, ...], recordings: Mapping[str, Recording]) -> Iterator[Played]:
    """Yield what happened in each: first those of rows, which are played together."""
    yield from runner.play(scenario for scenario in scenarios if not scenario.answers)
    for scenario in scenarios:
        if scenario.answers:
            recording = recordings[place_of(scenario)]
            yield runner.play_answers(replace(scenario, every_s=recording.every_s), recording)


def _missing(what: Given, scenarios: tuple[Scenario, ...]) -> tuple[Missing, ...]:
    return missing_scenarios((rule for rule in what.book.rules if rule.file in what.own), scenarios)


def _usual_flapping() -> Flapping:
    """Flapping as a configuration without its own settings has it."""
    fields = Settings.model_fields
    return Flapping(fields["flap_window"].default, fields["flap_quiet"].default)
