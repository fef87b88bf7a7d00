import pytest

from watchdog.config.rulebook import read_rule_book, rules_for
from watchdog.core.judging.idleness import idle_by_configuration
from watchdog.core.model.target import Target
from watchdog.core.rules.rule import Rule
from watchdog.sources import SOURCES
from watchdog.tables import TABLES


def rule(table: str, *columns: str) -> Rule:
    return Rule("R", table, "1", reads={table: frozenset(columns)})


def idle(target: Target, asked: Rule) -> str | None:
    return idle_by_configuration(TABLES, target, [asked]).get("R")


RULES = {tuned.rule.name: tuned.rule for tuned in rules_for(read_rule_book([], TABLES), "prod", TABLES)}
BOTH = Target("prod", frozenset({"flower", "redis"}))


def test_a_rule_whose_source_is_not_configured_is_idle() -> None:
    assert "needs `flower`" in str(idle(Target("prod", frozenset({"redis"})), rule("workers", "state")))


def test_a_rule_on_lengths_is_not_idle_without_redis() -> None:
    assert idle(Target("prod", frozenset({"flower"})), rule("queues", "length", "drain_s", "consumers", "idle_with_backlog_s")) is None
    assert idle(Target("prod", frozenset({"flower"})), rule("cluster", "backlog")) is None


def test_a_rule_on_what_only_redis_tells_is_idle_without_it() -> None:
    for asked in (rule("queues", "oldest_s"), rule("broker", "unacked"), rule("cluster", "unacked")):
        assert "needs Redis" in str(idle(Target("prod", frozenset({"flower"})), asked))


def test_a_rule_on_a_column_that_nothing_fills_yet_is_idle() -> None:
    assert "unacked" in str(idle(BOTH, rule("queues", "unacked")))


def test_a_rule_that_only_needs_a_second_look_is_not_idle() -> None:
    assert idle(BOTH, rule("queues", "growth_per_min", "drain_s")) is None
    assert idle(BOTH, rule("broker", "evicted")) is None
    assert idle(BOTH, rule("tasks", "error_rate")) is None


def test_what_can_be_filled_is_not_idle() -> None:
    assert idle(BOTH, rule("queues", "length")) is None


def shipped(target: Target) -> dict[str, str]:
    return idle_by_configuration(TABLES, target, [tuned.rule for tuned in rules_for(read_rule_book([], TABLES), target.name, TABLES)])


@pytest.mark.parametrize("broker", ["redis", "rabbitmq"])
def test_without_flower_rules_about_workers_tasks_and_queues_are_not_idle(broker: str) -> None:
    target = Target("prod", frozenset({broker, "celery", "events"}), hears_tasks=True)
    of_workers = {
        name for name, rule in RULES.items() if not rule.reads.keys().isdisjoint(("workers", "hosts", "kinds", "tasks", "queues"))
    }
    assert of_workers & shipped(target).keys() == set()


OF_EVENTS = {"TaskRunsTwice"}
"""Only events of tasks tell."""
OF_SCHEDULES = {"BeatSilent", "TwoBeats", "ScheduleUnreadable", "ScheduledTaskNotRegistered", "TaskOverdue"}


def test_of_the_shipped_rules_those_that_need_redis_are_idle_without_it() -> None:
    idle_rules = shipped(Target("prod", frozenset({"flower"}), min_workers=1))
    of_objectives = {"ObjectiveBurnsFast", "ObjectiveBurnsSlowly", "ObjectiveMissed"}
    of_redis = {
        "BrokerMemoryHigh",
        "BrokerAlarm",
        "BrokerNodeDown",
        "BrokerPartitioned",
        "BrokerEviction",
        "BrokerLostMessages",
        "BrokerReadOnly",
        "UnackedStale",
        "ProgressStalled",
        "QueueStuck",
        "BrokerPersistenceFailing",
        "BrokerConnectionsHigh",
        "BrokerSlow",
        "UnackedRestoreStuck",
    }
    assert set(idle_rules) == {"BrokerUnreachable", "ResultsUnreachable", *OF_SCHEDULES, *OF_EVENTS, *of_objectives, *of_redis}
    assert {idle_rules[name].partition("needs ")[1] for name in of_redis} == {"needs "}


def test_a_rule_whose_where_no_row_can_meet_is_idle_and_says_so() -> None:
    assert (
        shipped(Target("prod", frozenset({"flower"})))["BrokerUnreachable"]
        == "sources has no row here for it: where name in ('redis', 'rabbitmq')"
    )


def test_a_minimum_that_nobody_set_is_watched_by_nobody() -> None:
    assert ("WorkersBelowMinimum" in shipped(BOTH), "WorkersBelowMinimum" in shipped(Target("a", BOTH.sources, min_workers=1))) == (
        True,
        False,
    )


def test_with_all_sources_configured_no_shipped_rule_is_idle_but_those_for_schedules_objectives_and_events_of_tasks() -> None:
    idle_rules = shipped(Target("prod", frozenset(SOURCES), min_workers=1))
    assert {
        rule: why.rpartition("no ")[2] for rule, why in idle_rules.items() if rule not in (OF_SCHEDULES | OF_EVENTS) - {"TaskOverdue"}
    } == {
        "TaskOverdue": "[[target.schedule]] is configured",
        **dict.fromkeys(("ObjectiveBurnsFast", "ObjectiveBurnsSlowly", "ObjectiveMissed"), "[[target.objective]] is configured"),
    }
