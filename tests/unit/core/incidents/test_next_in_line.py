"""From when `after` counts where something held an incident back: lives of an incident, cycle by cycle, with a first in line and a boss."""

from collections.abc import Mapping, Sequence
from datetime import UTC

import pytest
from msgspec.structs import replace

from tests.builders.answers import NOW, a_target
from tests.builders.incidents import a_finding, a_rule
from watchdog.core.incidents.decide import Situation, decide
from watchdog.core.incidents.explain.as_it_was import as_it_was
from watchdog.core.incidents.lifecycle import Incident, State, Transition
from watchdog.core.incidents.messages import Event, Notified
from watchdog.core.incidents.plan import Loaded
from watchdog.core.incidents.quiet.matchers import parse_matchers
from watchdog.core.incidents.quiet.windows import Span, Window
from watchdog.core.incidents.routing import Recipient, Route, Routing, Terms
from watchdog.core.judging.findings import Judgement, Verdict
from watchdog.core.model.reading import Seen
from watchdog.core.model.severity import Severity
from watchdog.core.rules.rule import Rule
from watchdog.core.text.times_of_day import DAYS

MINUTE = 60.0
AFTER_S = 5 * MINUTE
CAUSE = a_rule("Cause", key=(), for_s=0.0, keep_firing_for_s=0.0, inhibits=("Effect",))
EFFECT = a_rule("Effect", for_s=0.0)
FIRST, BOSS = Recipient("first"), Recipient("boss")
BOTH = Routing([Route({"boss": Terms(after_s=AFTER_S)}, goes_on=True), Route({"first": Terms()})])
NOON = Window("noon", (Span(frozenset(range(len(DAYS))), 0, 0, UTC),))


class Life:
    """A target with two rules, judged once a minute; `told`: receiver -> the minute in which it heard of the effect."""

    def __init__(self, routing: Routing = BOTH) -> None:
        self.routing, self.trial = routing, False
        self.incidents: dict[str, Incident] = {}
        self.notified: dict[tuple[str, str], Notified] = {}
        self.told: dict[str, int] = {}
        self.minute = 0

    def minutes(self, count: int, *, cause: Verdict, effect: Verdict = Verdict.BREACH) -> "Life":
        """Let so many cycles pass, all with these verdicts."""
        for _ in range(count):
            self._cycle([self._judged(CAUSE, (), cause), self._judged(EFFECT, ("indexing",), effect)])
            self.minute += 1
        return self

    @property
    def effect(self) -> Incident:
        """The last incident of the effect."""
        return next(one for one in reversed(self.incidents.values()) if one.rule == "Effect")

    def _judged(self, rule: Rule, key: tuple[str, ...], verdict: Verdict) -> Judgement:
        mine = replace(rule, trial=self.trial and rule is EFFECT)
        return Judgement(mine, (a_finding(verdict, mine, key),))

    def _cycle(self, judgements: Sequence[Judgement]) -> None:
        now = NOW + self.minute * MINUTE
        target = replace(a_target(), interval_s=MINUTE)
        open_ = tuple(one for one in self.incidents.values() if one.open)
        loaded = Loaded(open=open_, notified=self.notified, previous_cycle_at=now - MINUTE)
        plan = decide(Situation(target, now, (FIRST, BOSS), self.routing), judgements, loaded, Seen({}, {}, {}))
        self.incidents |= {one.id: one for one in plan.incidents}
        for message in plan.messages:
            for notice in message.notices:
                told = Notified(notice.incident, message.receiver, notice.event, notice.severity, notice.sequence, now)
                self.notified = {**self.notified, (notice.incident, message.receiver): told}
                if notice.rule == "Effect" and notice.event is Event.FIRST:
                    self.told.setdefault(message.receiver, self.minute)


def test_what_no_cause_explains_is_passed_on_after_it_has_fired_that_long() -> None:
    assert Life().minutes(10, cause=Verdict.CLEAR).told == {"first": 0, "boss": 5}


@pytest.mark.parametrize("outage", [1, 4, 30])
def test_what_a_cause_held_back_is_passed_on_that_long_after_it_was_let_go(outage: int) -> None:
    """After an outage of half an hour the boss must not be woken in the second in which the first one hears of it."""
    lived = Life().minutes(outage, cause=Verdict.BREACH).minutes(10, cause=Verdict.CLEAR)
    assert lived.told == {"first": outage, "boss": outage + 5}


@pytest.mark.parametrize("comes_at", [1, 4])
def test_a_cause_that_comes_later_takes_no_time_away(comes_at: int) -> None:
    """The first one has known of it from the beginning: who is next hears of it as soon as the cause is over."""
    lived = Life().minutes(comes_at, cause=Verdict.CLEAR).minutes(6, cause=Verdict.BREACH).minutes(3, cause=Verdict.CLEAR)
    assert lived.told == {"first": 0, "boss": comes_at + 6}


def test_a_cause_that_comes_and_goes_does_not_keep_it_from_the_next_in_line() -> None:
    lived = Life().minutes(2, cause=Verdict.BREACH)
    for _ in range(5):
        lived.minutes(1, cause=Verdict.CLEAR).minutes(1, cause=Verdict.BREACH)
    assert lived.minutes(1, cause=Verdict.CLEAR).told == {"first": 2, "boss": 8}


def test_a_cause_that_is_not_for_the_boss_lets_the_time_count() -> None:
    """It is never told instead there, so waiting for its end would be waiting for nothing."""
    routing = Routing(
        [
            Route({"boss": Terms(after_s=AFTER_S)}, matchers=parse_matchers("rule=Effect"), goes_on=True),
            Route({"first": Terms()}),
        ]
    )
    assert Life(routing).minutes(20, cause=Verdict.BREACH).told == {"boss": 5}


def test_a_trial_that_ends_counts_from_its_end() -> None:
    lived = Life()
    lived.trial = True
    lived.minutes(8, cause=Verdict.CLEAR)
    lived.trial = False
    assert lived.minutes(6, cause=Verdict.CLEAR).told == {"first": 8, "boss": 13}


def test_a_window_that_mutes_only_the_first_lets_the_time_count() -> None:
    routing = Routing([Route({"boss": Terms(after_s=AFTER_S)}, goes_on=True), Route({"first": Terms(mutes=(NOON,))})])
    assert Life(routing).minutes(7, cause=Verdict.CLEAR).told == {"boss": 5}


def test_what_cannot_be_seen_when_its_cause_ends_counts_from_when_it_is_seen_to_fire() -> None:
    lived = Life().minutes(3, cause=Verdict.BREACH).minutes(10, cause=Verdict.CLEAR, effect=Verdict.UNKNOWN)
    assert lived.minutes(6, cause=Verdict.CLEAR).told == {"first": 13, "boss": 18}


def test_an_effect_that_is_for_nobody_was_not_held_back() -> None:
    routing = Routing([Route({"boss": Terms(after_s=AFTER_S)}, min_severity=Severity.CRITICAL)])
    lived = Life(routing).minutes(3, cause=Verdict.BREACH)
    assert (lived.effect.state, lived.effect.held_back, lived.told) == (State.FIRING, False, {})


def test_without_a_next_in_line_nothing_is_noted() -> None:
    """It would cost a decision for each incident and receiver, which nobody reads."""
    assert not Life(Routing([Route({"first": Terms()})])).minutes(3, cause=Verdict.BREACH).effect.held_back


def test_as_it_was_then_it_was_held_back_until_it_was_let_go() -> None:
    incident = Life().minutes(3, cause=Verdict.BREACH).minutes(2, cause=Verdict.CLEAR).effect
    moves = [Transition(incident.id, NOW, "", "firing", "breach")]
    then: Mapping[float, Incident | None] = {at: as_it_was(incident, moves, NOW + at * MINUTE) for at in (2.0, 3.0)}
    assert [(one.held_back, one.let_go_at) for one in then.values() if one is not None] == [(True, 0.0), (False, NOW + 3 * MINUTE)]
