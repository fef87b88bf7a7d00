"""The result of testing rules: each scenario with its differences, and the rules that no scenario is about.

In: scenarios as played, all rules. Out: a `ScenarioResults` with its exit code, of which every format is made.
"""

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from watchdog.core.incidents.lifecycle import State
from watchdog.core.incidents.messages import Event
from watchdog.core.rules.rule import Rule
from watchdog.core.scenarios.compare import Difference, differences
from watchdog.core.scenarios.played import Played
from watchdog.core.scenarios.scenario import Scenario

__all__ = ["Missing", "ScenarioResults", "Tested", "missing_scenarios", "tested"]


class Tested(Struct, frozen=True):
    """One scenario, and everything that is not as it expects."""

    scenario: Scenario
    differences: tuple[Difference, ...]


class Missing(Struct, frozen=True):
    """A rule without a scenario that fires it (`fires` false), or without one that keeps it quiet (`quiet` false)."""

    rule: str
    file: str
    line: int
    fires: bool
    quiet: bool

    def __str__(self) -> str:
        wanted = []
        if not self.fires:
            wanted.append(f'fires it ([[scenario.expect]] rule = "{self.rule}")')
        if not self.quiet:
            wanted.append(f'keeps it quiet (quiet = ["{self.rule}"])')
        return f"{self.file}:{self.line}: {self.rule} has no scenario that {' and none that '.join(wanted)}"


class ScenarioResults(Struct, frozen=True):
    """Everything that was tested. `missing` counts as wrong only if every rule needs scenarios (`complete`)."""

    tested: tuple[Tested, ...]
    missing: tuple[Missing, ...] = ()
    complete: bool = False

    @property
    def wrong(self) -> tuple[Tested, ...]:
        """The scenarios in which something is not as expected."""
        return tuple(one for one in self.tested if one.differences)

    @property
    def exit_code(self) -> int:
        """0 if all is as expected, 1 otherwise."""
        return 1 if self.wrong or (self.complete and self.missing) else 0


def tested(played: Played) -> Tested:
    """Return a played scenario with its differences."""
    return Tested(played.scenario, differences(played))


def missing_scenarios(rules: Iterable[Rule], scenarios: Sequence[Scenario]) -> tuple[Missing, ...]:
    """Return the rules that no scenario fires, or that none keeps quiet, in the order of the rules."""
    fired = {one.rule for scenario in scenarios for one in scenario.expects if one.message == Event.FIRST or one.state == State.FIRING}
    quiet: Mapping[str, int] = {rule: line for scenario in scenarios for rule, line in scenario.quiet.items()}
    return tuple(
        Missing(rule.name, rule.file, rule.line, rule.name in fired, rule.name in quiet)
        for rule in rules
        if rule.name not in fired or rule.name not in quiet
    )
