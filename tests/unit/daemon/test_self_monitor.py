"""What watchdog knows of its rules and cycles, over all targets."""

from tests.builders.incidents import a_rule
from watchdog.core.incidents.plan import Plan
from watchdog.core.judging.findings import Judgement
from watchdog.core.model.reading import Seen
from watchdog.core.model.self_seen import RuleSeen
from watchdog.daemon.cycle import Done
from watchdog.daemon.self_monitor import SelfMonitor

FAST, SLOW = a_rule("Fast"), a_rule("Slow")


def done(target: str, *judgements: Judgement) -> Done:
    return Done(Seen({}, {}, {}), judgements, Plan(target, 0.0))


def monitor() -> SelfMonitor:
    """Two targets: the second is slower, and one rule fails in both."""
    seen = SelfMonitor()
    seen.cycle_ended("shop", done("shop", Judgement(SLOW, took_ms=2.0, failed="first"), Judgement(FAST, took_ms=1.0)), 0.5)
    seen.cycle_ended("blog", done("blog", Judgement(SLOW, took_ms=5.0, failed="second"), Judgement(FAST, took_ms=0.5)), 12.0, late=True)
    return seen


def test_each_rule_is_seen_with_its_longest_run_and_the_first_targets_error() -> None:
    assert monitor().seen((), 0).rules == (RuleSeen("Fast", "", 1.0), RuleSeen("Slow", "shop: first", 5.0))


def test_the_longest_cycle_and_those_that_were_late_are_seen() -> None:
    seen = monitor().seen((), 0)
    assert (seen.cycle_s, seen.late_cycles) == (12.0, 1)


def test_a_rule_that_no_longer_fails_has_no_error() -> None:
    seen = monitor()
    seen.cycle_ended("shop", done("shop", Judgement(SLOW)), 0.5)
    seen.cycle_ended("blog", done("blog", Judgement(SLOW)), 0.5)
    assert [rule.error for rule in seen.seen((), 0).rules] == ["", ""]


def test_targets_and_rules_that_are_no_longer_configured_are_forgotten() -> None:
    seen = monitor()
    seen.forget_all_but({"blog"}, {"Slow"})
    assert seen.seen((), 0).rules == (RuleSeen("Slow", "blog: second", 5.0),)


def test_a_rule_is_on_trial_if_it_is_wherever_it_is_judged() -> None:
    seen = SelfMonitor()
    seen.cycle_ended("shop", done("shop", Judgement(a_rule("Fast", trial=True)), Judgement(a_rule("Slow", trial=True))), 0.5)
    seen.cycle_ended("blog", done("blog", Judgement(FAST), Judgement(a_rule("Slow", trial=True))), 0.5)
    assert [(rule.name, rule.trial) for rule in seen.seen((), 0).rules] == [("Fast", False), ("Slow", True)]
