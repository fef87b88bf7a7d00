"""Scenarios made ready to be played: the rows of every look, and the rules that can have something to say about them.

A rule on a table that is true of no row in no look opens no incident, whatever else happens. So the rows of many scenarios are asked about
together: few statements find the few rules of each scenario that have to be judged look by look.

In: scenarios, the rules of their target. Out: for each scenario its looks, and those rules.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from watchdog.core.judging.evaluator import Evaluator
from watchdog.core.model.rows import Reading, Row, Table
from watchdog.core.rules.overrides import Tuned
from watchdog.core.rules.rule import Rule
from watchdog.core.scenarios.scenario import Scenario
from watchdog.core.scenarios.timeline import Timeline, written_columns

__all__ = ["Concern", "Prepared", "concerns", "prepared", "says_enough"]


class Prepared(Struct, frozen=True):
    """A scenario, the rules of its target, the columns that it writes, and what each look finds."""

    scenario: Scenario
    rules: tuple[Tuned, ...]
    written: Mapping[str, frozenset[str]]
    looks: tuple[Mapping[str, Reading], ...]

    @property
    def until_s(self) -> float:
        """When the last look is."""
        return (len(self.looks) - 1) * self.scenario.every_s

    def different_rows(self) -> Iterator[tuple[str, Row]]:
        """Yield the rows of all looks, with their tables; those of an unchanged table once."""
        seen: set[int] = set()
        for readings in self.looks:
            for name, reading in readings.items():
                if id(reading) not in seen:
                    seen.add(id(reading))
                    yield from ((name, row) for row in reading.rows)


class Concern(Struct, frozen=True):
    """The rules that are judged in a scenario, and those of its quiet ones that have a row to judge."""

    rules: tuple[Tuned, ...]
    covered: frozenset[str]


def prepared(scenario: Scenario, rules: tuple[Tuned, ...], tables: Mapping[str, Table]) -> Prepared:
    """Return a scenario with its looks, from the first to the last."""
    until_s = scenario.at_look(_until(scenario, {tuned.rule.name: tuned.rule for tuned in rules}))
    timeline = Timeline(scenario, tables)
    looks = tuple(timeline.at(number * scenario.every_s) for number in range(round(until_s / scenario.every_s) + 1))
    return Prepared(scenario, rules, written_columns(scenario, tables), looks)


def says_enough(rule: Rule, written: Mapping[str, frozenset[str]]) -> bool:
    """Whether a scenario says something of every column that decides this rule."""
    return all(table in written and columns <= written[table] for table, columns in rule.reads.items())


def _until(scenario: Scenario, rules: Mapping[str, Rule]) -> float:
    """Return when the last look is due: after every time that is named, and after the rules have had the time that they take."""
    if scenario.until_s is not None:
        return scenario.until_s
    changed_s = max((change.at_s for change in scenario.changes), default=0.0)
    named = [changed_s, *(expected.at_s for expected in scenario.expects if expected.at_s is not None)]
    patient = [rules[name].for_s for name in scenario.quiet if name in rules]
    open_ended = [rules[one.rule] for one in scenario.expects if one.at_s is None and one.rule in rules]
    patient += [rule.for_s + rule.keep_firing_for_s for rule in open_ended]
    return max([*named, *(changed_s + wait_s + scenario.every_s for wait_s in patient)])


def concerns(together: Sequence[Prepared], evaluator: Evaluator) -> list[Concern]:
    """Return what is to be judged in each of these scenarios, whose rules are the same."""
    rows: dict[str, list[Row]] = {}
    owners: dict[str, list[int]] = {}
    for number, one in enumerate(together):
        for table, row in one.different_rows():
            rows.setdefault(table, []).append(row)
            owners.setdefault(table, []).append(number)
    rules = together[0].rules if together else ()
    quiet = {name for one in together for name in one.scenario.quiet}
    said = [{tuned.rule.name for tuned in rules if says_enough(tuned.rule, one.written)} for one in together]
    anywhere = {
        one.rule.name: replace(one.rule, when="TRUE", clear=None, escalate=()) for one in rules if one.rule.name in quiet and one.rule.table
    }
    asked = [copy for tuned in rules for copy in tuned.copies if copy.table in rows and copy.enabled]
    evaluator.load({table: Reading(tuple(mine)) for table, mine in rows.items()}, [*asked, *anywhere.values()])

    def of(copies: Iterable[Rule]) -> set[int]:
        return {owners[rule.table][row] for rule in copies if rule.table in rows for row in evaluator.breaching(rule)}

    holding = [(tuned, of(copy for copy in tuned.copies if copy.enabled)) for tuned in rules]
    covered = {name: of((rule,)) for name, rule in anywhere.items()}
    return [
        Concern(
            tuple(tuned for tuned, held in holding if (number in held or tuned.rule.query is not None) and tuned.rule.name in said[number]),
            frozenset(name for name in one.scenario.quiet if name in said[number] and number in covered.get(name, ())),
        )
        for number, one in enumerate(together)
    ]
