"""On trial: judged and kept, and nobody is notified."""

import pytest
from msgspec.structs import replace

from tests.builders.answers import NOW, a_target
from tests.builders.fake_store import FakeStore
from tests.builders.incidents import a_finding, a_rule
from watchdog.core.incidents.decide import Situation, decide
from watchdog.core.incidents.lifecycle import Incident, State
from watchdog.core.incidents.messages import Event
from watchdog.core.incidents.routing import Recipient
from watchdog.core.judging.blindness import Blindness, blindness_after
from watchdog.core.judging.findings import Judgement, Verdict
from watchdog.core.model.reading import Seen
from watchdog.core.model.target import Target
from watchdog.core.rules.rule import Rule

RULE = a_rule(for_s=0.0, keep_firing_for_s=0.0)
ON_TRIAL = replace(RULE, trial=True)
PROD = a_target()
PROD_ON_TRIAL = replace(PROD, trial=True)
EFFECT = a_rule("Effect", for_s=0.0, identity="effect")


class Watch:
    """Cycles of one target, whose messages all arrive."""

    def __init__(self) -> None:
        self.store, self.now = FakeStore(), NOW

    def sees(self, *judgements: Judgement, target: Target = PROD) -> None:
        self.now += 10.0
        plan = decide(Situation(target, self.now, (Recipient("ops"),)), judgements, self.store.load(), Seen({}, {}, {}))
        self.store.commit(plan)
        self.store.deliver_all(["ops"])

    def sees_a_breach(self, rule: Rule, target: Target = PROD) -> None:
        self.sees(Judgement(rule, (a_finding(rule=rule),)), target=target)

    @property
    def told(self) -> list[tuple[str, Event]]:
        return [(notice.rule, notice.event) for notices in self.store.heard.values() for notice in notices]

    @property
    def only(self) -> Incident:
        (incident,) = self.store.incidents.values()
        return incident


@pytest.mark.parametrize(("rule", "target"), [(ON_TRIAL, PROD), (RULE, PROD_ON_TRIAL)], ids=["rule", "target"])
def test_what_is_on_trial_is_kept_and_told_to_nobody(rule: Rule, target: Target) -> None:
    watch = Watch()
    watch.sees_a_breach(rule, target)
    assert (watch.only.state, watch.only.trial, watch.told) == (State.FIRING, True, [])


def test_its_end_is_told_to_nobody_either() -> None:
    watch = Watch()
    watch.sees_a_breach(ON_TRIAL)
    watch.sees(Judgement(ON_TRIAL, (a_finding(Verdict.CLEAR, ON_TRIAL),)))
    assert (watch.only.state, watch.only.trial, watch.told) == (State.RESOLVED, True, [])


def test_what_burns_when_the_trial_ends_is_told_then() -> None:
    watch = Watch()
    watch.sees_a_breach(ON_TRIAL)
    watch.sees_a_breach(RULE)
    assert (watch.only.trial, watch.told) == (False, [(RULE.name, Event.FIRST)])


def test_what_was_told_before_the_trial_began_hears_its_end_and_nothing_else() -> None:
    watch = Watch()
    watch.sees_a_breach(RULE)
    watch.sees_a_breach(ON_TRIAL)
    watch.sees(Judgement(ON_TRIAL, (a_finding(Verdict.CLEAR, ON_TRIAL),)))
    assert watch.told == [(RULE.name, Event.FIRST), (RULE.name, Event.RESOLVED)]


def test_only_the_keys_that_an_override_puts_on_trial_are_silent() -> None:
    watch = Watch()
    watch.sees(Judgement(RULE, (a_finding(rule=ON_TRIAL, key=("bulk",)), a_finding(rule=RULE, key=("mail",)))))
    assert [notice.key["name"] for notices in watch.store.heard.values() for notice in notices] == ["mail"]


def test_a_cause_on_trial_explains_nothing_to_others() -> None:
    cause = replace(ON_TRIAL, inhibits=(EFFECT.name,))
    watch = Watch()
    watch.sees(Judgement(cause, (a_finding(rule=cause),)), Judgement(EFFECT, (a_finding(rule=EFFECT),)))
    assert watch.told == [(EFFECT.name, Event.FIRST)]


def test_a_cycle_without_a_verdict_leaves_the_trial_as_it_is() -> None:
    watch = Watch()
    watch.sees_a_breach(RULE)
    watch.sees(Judgement(ON_TRIAL, unknown="redis: down"))
    assert not watch.only.trial


def test_an_incident_whose_trial_did_not_change_is_not_written() -> None:
    watch = Watch()
    watch.sees_a_breach(ON_TRIAL)
    plan = decide(Situation(PROD, watch.now), [Judgement(ON_TRIAL, (a_finding(rule=ON_TRIAL),))], watch.store.load(), Seen({}, {}, {}))
    assert plan.incidents == ()


@pytest.mark.parametrize(
    "unseen", [Judgement(ON_TRIAL, unknown="redis: down"), Judgement(RULE, (a_finding(Verdict.UNKNOWN, ON_TRIAL, reason="redis: down"),))]
)
def test_what_a_rule_on_trial_cannot_see_is_no_blindness(unseen: Judgement) -> None:
    known = blindness_after(Blindness(), [Judgement(unseen.rule)], NOW)
    assert blindness_after(known, [unseen], NOW + 10).causes == {}
