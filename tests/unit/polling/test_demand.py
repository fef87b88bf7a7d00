"""What is costly is asked only where somebody reads it."""

from time import perf_counter

import pytest
from msgspec.structs import replace

from tests.builders.answers import NOW, a_target, a_task
from tests.builders.cluster import healthy
from tests.builders.incidents import a_rule
from tests.builders.looks import Watch
from tests.unit.polling.test_poller import Pretending
from watchdog.config.rulebook import read_rule_book, rules_for
from watchdog.core.judging.evaluator import Evaluator
from watchdog.core.judging.judge import demand_of
from watchdog.core.model.demand import NOT_READ, Demand
from watchdog.core.model.queries import FailedTasks, Query, RecentTasks, RevokedTasks, RunningTasks, TaskMeta
from watchdog.core.model.reading import Past, read_tables
from watchdog.core.model.severity import Severity
from watchdog.core.rules.overrides import Tuned
from watchdog.polling.check import Checker
from watchdog.polling.poller import Poller
from watchdog.tables import TABLES

COSTLY = {RunningTasks, FailedTasks, RecentTasks, RevokedTasks, TaskMeta}


def asked(demand: Demand) -> set[type[Query]]:
    """The kinds of costly questions that a look asks."""
    cluster = healthy()
    cluster.tasks = [a_task()]
    Poller(a_target(), {name: Pretending(name, cluster) for name in ("redis", "flower")}, TABLES).ask(Past(), NOW, demand=demand)
    return {type(query) for query in cluster.asked} & COSTLY


@pytest.mark.parametrize(
    ("reads", "kinds"),
    [
        ({}, set()),
        ({"queues": {"length"}, "tasks": {"last_success_s"}}, set()),
        ({"tasks": {"failed"}}, {RecentTasks, FailedTasks}),
        ({"cluster": {"workers_online"}}, set()),
        ({"cluster": {"error_rate"}}, {RecentTasks, FailedTasks}),
        ({"errors": {"count"}}, {FailedTasks}),
        ({"tasks": {"received", "expired"}}, {RecentTasks, RevokedTasks}),
        ({"tasks": {"most_redelivered"}}, {RunningTasks}),
        ({"running": {"running_s"}}, {RunningTasks}),
        ({"running": set()}, {RunningTasks}),
        ({"running": {"progress_still_s"}}, {RunningTasks, TaskMeta}),
    ],
)
def test_only_what_is_read_is_asked(reads: dict[str, set[str]], kinds: set[type[Query]]) -> None:
    assert asked(Demand({table: frozenset(columns) for table, columns in reads.items()})) == kinds


def test_where_everything_is_wanted_everything_is_asked() -> None:
    assert asked(Demand()) == COSTLY


def test_the_shipped_rules_read_what_is_costly() -> None:
    assert asked(demand_of(rules_for(read_rule_book([], TABLES), "prod", TABLES))) == COSTLY


@pytest.mark.parametrize("table", ["running", "errors"])
def test_a_table_that_nobody_reads_is_idle(table: str) -> None:
    seen = read_tables(TABLES, a_target(), Past(), Watch(healthy())._ask(NOW), NOW, demand=Demand({}))
    assert set(seen.windows[300.0][table].idle.values()) == {NOT_READ}


def test_a_rule_wants_what_it_decides_by_and_what_it_shows() -> None:
    rule = a_rule(table="running", columns=("progress",), reads={"running": frozenset({"running_s"})})
    assert demand_of([Tuned(rule)]).reads == {"running": frozenset({"progress", "running_s"})}


def test_a_rule_that_is_switched_off_wants_nothing() -> None:
    assert demand_of([Tuned(replace(a_rule(), enabled=False))]).reads == {}


def test_a_rule_that_is_switched_on_for_some_keys_is_wanted() -> None:
    rule = replace(a_rule(), enabled=False)
    assert demand_of([Tuned(rule, ((a_rule(), lambda _: True),))]).wants("queues", "length")


def test_what_is_read_beside_the_rules_is_wanted_too() -> None:
    assert demand_of([Tuned(a_rule())], {"errors": frozenset({"count"})}).wants("errors", "count")


def checker(cluster_asked: list[Query]) -> Checker:
    cluster = healthy()
    cluster.asked = cluster_asked
    poller = Poller(a_target(), {name: Pretending(name, cluster) for name in ("redis", "flower")}, TABLES)
    rules = {"prod": (Tuned(a_rule()),)}
    return Checker([poller], TABLES, rules, (), lambda: Evaluator(TABLES, stopwatch=perf_counter), lambda: NOW)


def test_a_check_asks_what_its_rules_read() -> None:
    asked: list[Query] = []
    checker(asked).check(Severity.WARNING)
    assert {type(query) for query in asked} & COSTLY == set()


def test_a_query_asks_what_it_reads() -> None:
    asked: list[Query] = []
    checker(asked).readings("prod", {"errors": frozenset()})
    assert {type(query) for query in asked} & COSTLY == {FailedTasks}
