"""Rules that notified nobody, and for how long nobody could have judged them."""

from watchdog.core.report.report import QuietRule, Span, ToldRule
from watchdog.core.report.rules import LoadedRule, RuleOnTarget, TargetSeen, quiet_rules

WINDOW = Span(0.0, 1000.0)


def on(target: str = "prod", *tables: str, idle: str = "") -> RuleOnTarget:
    return RuleOnTarget(target, frozenset(tables), idle)


def quiet(*rules: LoadedRule, told: tuple[str, ...] = (), fired: dict[str, int] | None = None, **seen: TargetSeen) -> list[QuietRule]:
    return list(quiet_rules(rules, [ToldRule(name, 1, 1) for name in told], fired or {}, seen, WINDOW))


ALWAYS = TargetSeen((WINDOW,), {"queues": (WINDOW,)})


def test_a_rule_that_told_is_not_listed() -> None:
    assert quiet(LoadedRule("Loud", (on(),)), LoadedRule("Quiet", (on(),)), told=("Loud",), prod=ALWAYS) == [QuietRule("Quiet")]


def test_a_rule_could_not_be_judged_while_nobody_looked_at_its_target() -> None:
    [found] = quiet(LoadedRule("A", (on(),)), prod=TargetSeen((Span(0, 400), Span(600, 1000))))
    assert (found.unjudged_s, found.target) == (200.0, "prod")


def test_a_rule_could_not_be_judged_while_its_table_was_not_read() -> None:
    seen = TargetSeen((WINDOW,), {"queues": (Span(0, 700),), "workers": (WINDOW,)})
    found = quiet(LoadedRule("OnQueues", (on("prod", "queues"),)), LoadedRule("OnWorkers", (on("prod", "workers"),)), prod=seen)
    assert [(one.rule, one.unjudged_s) for one in found] == [("OnQueues", 300.0), ("OnWorkers", 0.0)]


def test_blindness_counts_once_where_it_overlaps_a_gap() -> None:
    seen = TargetSeen((Span(0, 500), Span(700, 1000)), blind={"A": (Span(600, 800),)})
    [found] = quiet(LoadedRule("A", (on(),)), prod=seen)
    assert found.unjudged_s == 300.0


def test_blindness_of_another_rule_does_not_count() -> None:
    [found] = quiet(LoadedRule("A", (on(),)), prod=TargetSeen((WINDOW,), blind={"B": (Span(0, 500),)}))
    assert found.unjudged_s == 0.0


def test_of_several_targets_the_worst_is_named() -> None:
    [found] = quiet(LoadedRule("A", (on("prod"), on("lab"))), prod=ALWAYS, lab=TargetSeen((Span(0, 100),)))
    assert (found.unjudged_s, found.target) == (900.0, "lab")


def test_a_rule_that_can_have_no_verdict_anywhere_says_why() -> None:
    assert quiet(LoadedRule("A", (on("prod", idle="needs redis"),)), prod=ALWAYS) == [QuietRule("A", idle="needs redis")]


def test_a_rule_that_is_idle_on_one_target_alone_is_judged_by_the_other() -> None:
    [found] = quiet(LoadedRule("A", (on("lab", idle="needs redis"), on("prod"))), prod=ALWAYS, lab=TargetSeen(()))
    assert (found.idle, found.unjudged_s) == ("", 0.0)


def test_what_fired_without_telling_anybody_is_counted() -> None:
    [found] = quiet(LoadedRule("A", (on(),)), fired={"A": 3}, prod=ALWAYS)
    assert found.fired == 3


def test_watchdogs_own_rules_have_no_gaps_of_a_target() -> None:
    [found] = quiet(LoadedRule("DeliveryFailing", (on("watchdog"),)))
    assert found.unjudged_s == 0.0
