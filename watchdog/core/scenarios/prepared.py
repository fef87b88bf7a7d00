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

__all__ = ["Concern", "Prepared", "RowsTogether", "concerns", "prepared", "says_enough"]


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

    def different_readings(self) -> Iterator[tuple[str, Reading]]:
        """Yield what all looks read, with the names of the tables; what has not changed once."""
        seen: set[int] = set()
        for readings in self.looks:
            for name, reading in readings.items():
                if id(reading) not in seen:
                    seen.add(id(reading))
                    yield name, reading


class Concern(Struct, frozen=True):
    """What is to be judged in a scenario.

    `rules`: those that can have something to say. `held`: the ids of the readings in which one of them is true of a row.
    `covered`: of the rules that must be quiet, those that have a row to judge, and know what they read of it.
    """

    rules: tuple[Tuned, ...]
    held: frozenset[int]
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
    rules = together[0].rules if together else ()
    rows = RowsTogether([one.different_readings() for one in together])
    quiet = {name for one in together for name in one.scenario.quiet}
    anywhere = [
        replace(one.rule, when=f"({one.rule.when}) IS NOT NULL", clear=None, escalate=())
        for one in rules
        if one.rule.name in quiet and one.rule.table
    ]
    asked = [copy for tuned in rules for copy in tuned.copies if copy.enabled]
    evaluator.load(rows.readings, [rule for rule in (*asked, *anywhere) if rule.table in rows.readings])
    found = [_Found({}, set(), set()) for _ in together]
    for order, tuned in enumerate(rules):
        for number, reading in rows.where(evaluator, [copy for copy in tuned.copies if copy.enabled]):
            found[number].rules[order] = tuned
            found[number].held.add(reading)
        if tuned.rule.query is not None:
            for one in found:
                one.rules[order] = tuned
    for rule in anywhere:
        for number, _ in rows.where(evaluator, [rule]):
            found[number].covered.add(rule.name)
    return [mine.of(one) for mine, one in zip(found, together, strict=True)]


class RowsTogether:
    """The rows of all looks of several scenarios, by table; and which scenario and reading each is of."""

    def __init__(self, looked: Iterable[Iterable[tuple[str, Reading]]]) -> None:
        """`looked`: for each scenario what its looks read, with the names of the tables."""
        rows: dict[str, list[Row]] = {}
        self._owners: dict[str, list[tuple[int, int]]] = {}
        for number, readings in enumerate(looked):
            for table, reading in readings:
                rows.setdefault(table, []).extend(reading.rows)
                self._owners.setdefault(table, []).extend([(number, id(reading))] * len(reading.rows))
        self.readings = {table: Reading(tuple(mine)) for table, mine in rows.items()}

    def where(self, evaluator: Evaluator, copies: Iterable[Rule]) -> set[tuple[int, int]]:
        """Return (number of the scenario, id of the reading) where one of these rules is true of a row."""
        return {self._owners[rule.table][row] for rule in copies if rule.table in self._owners for row in evaluator.breaching(rule)}


class _Found(Struct):
    """What was found of one scenario. `rules`: by their place among all."""

    rules: dict[int, Tuned]
    held: set[int]
    covered: set[str]

    def of(self, one: Prepared) -> Concern:
        """Return what is to be judged; nothing that the scenario does not say enough of."""
        judged = [self.rules[order] for order in sorted(self.rules) if says_enough(self.rules[order].rule, one.written)]
        named = {tuned.rule.name: tuned.rule for tuned in one.rules if tuned.rule.name in one.scenario.quiet}
        covered = {name for name in self.covered & named.keys() if says_enough(named[name], one.written)}
        return Concern(tuple(judged), frozenset(self.held), frozenset(covered))
