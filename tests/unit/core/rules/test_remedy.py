"""A rule's remedy: read from a rule or an override, every fault with its line."""

import pytest

from watchdog.config.rulebook import RuleBook, remedies_not_allowed
from watchdog.core.rules.files import read_rules
from watchdog.core.rules.overrides import check_overrides, tune
from watchdog.core.rules.remedy import Remedy, RemedyWritten
from watchdog.core.rules.rule import Override, Rule
from watchdog.tables import TABLES

HEAD = '[[rule]]\nname = "Stuck"\nfrom = "queues"\nwhen = "length > 5"\n'
WITHOUT = read_rules({"a.toml": HEAD}, TABLES)[0]
RESTART = RemedyWritten("restart-consumer", 60.0, "3 per 30m", "length > 9")


def read(text: str, head: str = HEAD) -> tuple[tuple[Rule, ...], list[str]]:
    rules, faults, _ = read_rules({"a.toml": head + text}, TABLES)
    return rules, [str(fault) for fault in faults]


def tuned(written: RemedyWritten, rules: tuple[Rule, ...] = WITHOUT) -> Remedy | None:
    return tune(rules, (Override("Stuck", remedy=written),), "prod")[0].rule.remedy


def faults_of(written: RemedyWritten, rules: tuple[Rule, ...] = WITHOUT) -> list[str]:
    return [str(one) for one in check_overrides((Override("*", remedy=written, where_from="w.toml:7"),), rules, TABLES)[0]]


def test_a_rule_names_its_remedy() -> None:
    (rule,), _ = read('remedy = "restart-consumer"\nafter = "1m"\nat_most = "3 per 30m"\nwhen_still = "length > 9"\n')
    assert rule.remedy == Remedy("restart-consumer", 60.0, 3, 1800.0, "length > 9", frozenset({"length"}))


def test_without_the_other_keys_it_is_begun_at_once_and_twice_an_hour_at_most() -> None:
    (rule,), _ = read('remedy = "restart-consumer"\n')
    assert rule.remedy == Remedy("restart-consumer", 0.0, 2, 3600.0)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('remedy = "restart-consumers"', 'a.toml:5: rule "Stuck": remedy: no remedy "restart-consumers"; did you mean "restart-consumer"?'),
        ('remedy = "restart-consumer"\nat_most = "often"', "a.toml:6: "),
        ('remedy = "restart-consumer"\nat_most = "0 per 1h"', "expected a number from 1 to 999"),
        ('remedy = "restart-consumer"\nat_most = "2 per 8d"', "a duration of at most 1w"),
        ('remedy = "restart-consumer"\nat_most = "2 per hour"', 'such as "2 per 1h", found "2 per hour"'),
        ('remedy = "restart-consumer"\nwhen_still = "lenght > 9"', 'a.toml:6: rule "Stuck": when_still: '),
        ('remedy = "restart-consumer"\nafter = "soon"', "a.toml:6: "),
        ('after = "1m"', 'after: belongs to a remedy; write remedy = "restart-consumer", too'),
    ],
)
def test_a_wrong_remedy_is_a_fault_with_its_line(text: str, fault: str) -> None:
    _, faults = read(text + "\n")
    assert [fault in one for one in faults] == [True]


def test_it_is_for_rules_on_queues() -> None:
    head = '[[rule]]\nname = "Lost"\nfrom = "workers"\nwhen = "state = \'lost\'"\n'
    assert ['for rules with from = "queues"' in one for one in read('remedy = "restart-consumer"\n', head)[1]] == [True]


def test_an_override_gives_a_rule_a_remedy() -> None:
    assert tuned(RESTART) == Remedy("restart-consumer", 60.0, 3, 1800.0, "length > 9", frozenset({"length"}))


def test_an_override_changes_one_thing_of_it() -> None:
    (rule,), _ = read('remedy = "restart-consumer"\nat_most = "3 per 30m"\n')
    assert tuned(RemedyWritten(after_s=5.0), (rule,)) == Remedy("restart-consumer", 5.0, 3, 1800.0)


def test_an_override_takes_it_away() -> None:
    (rule,), _ = read('remedy = "restart-consumer"\n')
    assert tuned(RemedyWritten("none"), (rule,)) is None


@pytest.mark.parametrize(
    ("written", "fault"),
    [
        (RemedyWritten("restart"), 'w.toml:7: override of "*": remedy: no remedy "restart"'),
        (RemedyWritten("restart-consumer", at_most="x"), "at_most: expected a number"),
        (RemedyWritten("restart-consumer", when_still="no_column > 1"), "when_still: "),
        (RemedyWritten(after_s=5.0), "after: belongs to a remedy"),
    ],
)
def test_a_wrong_override_is_a_fault_with_its_line(written: RemedyWritten, fault: str) -> None:
    assert [fault in one for one in faults_of(written)] == [True]


def test_a_right_override_is_none() -> None:
    assert faults_of(RESTART) == []


def test_what_is_not_in_allow_is_a_fault_with_its_line() -> None:
    (rule,), _ = read('remedy = "restart-consumer"\n')
    book = RuleBook((rule,), (Override("Stuck", remedy=RESTART, where_from="w.toml:7"),))
    faults = remedies_not_allowed(book, ("purge",))
    assert [one.partition(" rule" if one.startswith("a") else " override")[0] for one in faults] == ["a.toml:1:", "w.toml:7:"]
    assert remedies_not_allowed(book, ("restart-consumer",)) == ()
