"""A scenario tells what a daemon tells: the daemon's cycle, with its SQLite store and its outbox, on the same rows at the same times."""

from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from time import perf_counter

import pytest
from msgspec.structs import replace

from watchdog.config.rulebook import RuleBook, read_rule_book, rules_for, rules_that_fit
from watchdog.config.shipped import shipped_scenario_files
from watchdog.core.history.frames import WHOLE_EVERY_S, Recorder
from watchdog.core.incidents.decide import Situation
from watchdog.core.incidents.messages import Message, Notice
from watchdog.core.incidents.outcome import Delivered
from watchdog.core.incidents.quiet.flapping import Flapping
from watchdog.core.judging.evaluator import Evaluator, Evaluators
from watchdog.core.model.reading import Past
from watchdog.core.model.rows import Look, Reading, Table
from watchdog.core.model.target import Target
from watchdog.core.scenarios.audience import LISTENER, SERVERS
from watchdog.core.scenarios.course import START
from watchdog.core.scenarios.played import Played
from watchdog.core.scenarios.reading.files import read_scenarios
from watchdog.core.scenarios.runner import Runner
from watchdog.core.scenarios.scenario import Scenario
from watchdog.core.scenarios.timeline import Timeline
from watchdog.daemon.cycle import Cycle, Recorded
from watchdog.polling.poller import Poller
from watchdog.store import Store
from watchdog.tables import TABLES

BOOK = read_rule_book((), TABLES)
FLAPPING = Flapping(1800.0, 900.0)
COMES_AND_GOES = """
[[scenario]]
name   = "comes and goes"
ignore = ["*"]
quiet  = ["BrokerMemoryHigh"]
""" + "".join(
    f'[[scenario.rows]]\nat = "{3 * n}m"\nbroker = [{{ memory_ratio = 0.1, evicted = {1 - n % 2}, eviction_policy = "noeviction" }}]\n'
    for n in range(12)
)
LONG_CRITICAL = """
[[scenario]]
name  = "critical for hours"
every = "1m"
until = "5h"
quiet = ["FlowerUnreachable"]
ignore = ["*"]
[[scenario.rows]]
sources = [{ name = "redis", up = false, error = "refused" }, { name = "flower", up = true }]
"""
SCENARIOS, FAULTS = read_scenarios(
    {**shipped_scenario_files(), "more.toml": COMES_AND_GOES + LONG_CRITICAL}, TABLES, {rule.name: rule for rule in BOOK.rules}
)

Said = tuple[float, str, str, tuple[str, ...], str, str]


def said(at_s: float, notice: Notice) -> Said:
    return round(at_s, 6), notice.event.value, notice.rule, tuple(notice.key.values()), notice.severity.value, notice.summary


def book_of(scenario: Scenario) -> RuleBook:
    return replace(BOOK, rules=tuple(replace(r, enabled=True) if r.name in scenario.switched_on else r for r in BOOK.rules))


def as_played(scenario: Scenario) -> Played:
    with closing(Runner(TABLES, lambda target: rules_that_fit(BOOK, target, TABLES), flapping=FLAPPING, stopwatch=perf_counter)) as runner:
        (played,) = runner.play([scenario])
    return played


class Daemon:
    """The cycles of one target over the rows of a scenario, each followed by the delivery of everything that is due."""

    def __init__(self, scenario: Scenario, store: Store, keep_rows_s: float = 0.0) -> None:
        self.scenario, self.store, self.now = scenario, store, START
        self.timeline = Timeline(scenario, TABLES)
        tables = {name: replace(table, asks=lambda _: (), read=self._reads(table)) for name, table in TABLES.items()}
        target = Target(scenario.target, interval_s=scenario.every_s)
        self.evaluator = Evaluator(tables, stopwatch=perf_counter)
        self.cycle = Cycle(
            Poller(target, {}, tables),
            tables,
            rules_for(book_of(scenario), scenario.target, TABLES),
            Evaluators(lambda: self.evaluator),
            store,
            Situation(
                target, 0.0, (LISTENER,), loaded_rules=frozenset(rule.name for rule in BOOK.rules), flapping=FLAPPING, servers=SERVERS
            ),
            clock=lambda: self.now,
            past=lambda _: Past(),
            history=Recorded(recorder=Recorder(tables, WHOLE_EVERY_S) if keep_rows_s else None, keep_rows_s=keep_rows_s),
        )

    def _reads(self, table: Table) -> "Reads":
        return Reads(self, table)

    def said(self, until_s: float) -> Iterator[Said]:
        for number in range(round(until_s / self.scenario.every_s) + 1):
            at_s = number * self.scenario.every_s
            self.now = START + at_s
            self.cycle.run()
            yield from (said(at_s, notice) for message in self._delivered() for notice in message.notices)

    def _delivered(self) -> Iterator[Message]:
        while (claimed := self.store.claim(LISTENER.name, self.now, "", lambda _: b"{}")) is not None:
            self.store.settle(claimed.message.id, Delivered(), self.now)
            yield claimed.message


class Reads:
    """A table that finds the rows of the scenario."""

    def __init__(self, daemon: Daemon, table: Table) -> None:
        self.daemon, self.table = daemon, table

    def __call__(self, look: Look) -> Reading:
        readings: Mapping[str, Reading] = self.daemon.timeline.at(look.now - START)
        nothing = Reading(idle={column.name: "not in this scenario" for column in self.table.columns})
        return readings.get(self.table.name, nothing)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=[scenario.name for scenario in SCENARIOS])
def test_a_daemon_tells_what_its_scenario_tells(scenario: Scenario, tmp_path: Path) -> None:
    assert FAULTS == ()
    played = as_played(scenario)
    with Store.open(tmp_path / "watchdog.db") as store:
        daemon = Daemon(scenario, store)
        with closing(daemon.evaluator):
            told = list(daemon.said(played.until_s))
    assert sorted(told) == sorted(said(one.at_s, one.notice) for one in played.told)


def test_these_scenarios_flap_remind_and_are_held_back() -> None:
    played = {scenario.name: as_played(scenario) for scenario in SCENARIOS}
    assert any(told.notice.flapping for told in played["comes and goes"].told)
    assert [told.notice.event.value for told in played["critical for hours"].told] == ["first", "reminder", "reminder"]
    incidents = [({lived.incident.id for lived in one.lived}, {told.notice.incident for told in one.told}) for one in played.values()]
    assert any(lived > told > set() for lived, told in incidents)
