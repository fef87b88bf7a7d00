"""Scenarios from a few lines of TOML, played on rules from a few more."""

from functools import cache
from time import perf_counter

from watchdog.config.rulebook import RuleBook, read_once, rules_that_fit
from watchdog.config.shipped import shipped_rule_files
from watchdog.core.incidents.quiet.flapping import NEVER_FLAPPING, Flapping
from watchdog.core.rules.files import read_rules
from watchdog.core.rules.rule import Override, Rule
from watchdog.core.scenarios.compare import differences
from watchdog.core.scenarios.played import Played
from watchdog.core.scenarios.reading.files import read_scenarios
from watchdog.core.scenarios.runner import Runner
from watchdog.core.scenarios.scenario import Scenario
from watchdog.tables import TABLES

__all__ = ["differences_of", "faults_of", "played", "rules_from", "scenarios_of", "shipped"]

FILE = "scenarios/a.toml"


@cache
def rules_from(text: str) -> tuple[Rule, ...]:
    rules, faults, _ = read_rules({"a.toml": text}, TABLES)
    assert [str(fault) for fault in faults] == []
    return rules


@cache
def shipped() -> tuple[Rule, ...]:
    return read_once(shipped_rule_files(), TABLES)[0]


def faults_of(text: str, rules: tuple[Rule, ...] | None = None) -> list[str]:
    """Its faults, without the file: `3: every: unknown key`."""
    faults = read_scenarios({FILE: text}, TABLES, _by_name(rules))[1]
    return [str(fault).removeprefix(f"{FILE}:") for fault in faults]


def scenarios_of(text: str, rules: tuple[Rule, ...] | None = None) -> tuple[Scenario, ...]:
    scenarios, faults = read_scenarios({FILE: text}, TABLES, _by_name(rules))
    assert [str(fault) for fault in faults] == []
    return scenarios


def played(
    text: str, rules: tuple[Rule, ...] | None = None, *, overrides: tuple[Override, ...] = (), flapping: Flapping = NEVER_FLAPPING
) -> tuple[Played, ...]:
    """What happened in each scenario of a file; by default on the shipped rules."""
    book = RuleBook(shipped() if rules is None else rules, overrides)
    runner = Runner(TABLES, lambda target: rules_that_fit(book, target, TABLES), flapping=flapping, stopwatch=perf_counter)
    try:
        return tuple(runner.play(scenarios_of(text, rules)))
    finally:
        runner.close()


def differences_of(text: str, rules: tuple[Rule, ...] | None = None) -> list[str]:
    """What is not as expected: `12: at 5m: expected …, found …; …`."""
    return [f"{one.line}: {one}" for all_of_them in map(differences, played(text, rules)) for one in all_of_them]


def _by_name(rules: tuple[Rule, ...] | None) -> dict[str, Rule]:
    return {rule.name: rule for rule in (shipped() if rules is None else rules)}
