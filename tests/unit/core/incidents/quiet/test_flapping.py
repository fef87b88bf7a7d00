"""What fires for the third time within a short time is one incident, which ends only after a long quiet."""

import pytest

from tests.builders.answers import NOW, a_target
from tests.builders.fake_store import FakeStore
from tests.builders.incidents import a_finding, a_notice, a_rule
from watchdog.core.incidents.decide import Situation, decide
from watchdog.core.incidents.lifecycle import Incident, State
from watchdog.core.incidents.messages import Event
from watchdog.core.incidents.payload import headline
from watchdog.core.incidents.quiet.flapping import NEVER_FLAPPING, Flapping, flapping_note
from watchdog.core.incidents.routing import Recipient
from watchdog.core.judging.findings import Judgement, Verdict
from watchdog.core.model.reading import Seen
from watchdog.core.rules.rule import Rule

WINDOW = 1800.0
QUIET = 900.0
FLAPPING = Flapping(WINDOW, QUIET)
RULE = a_rule(for_s=0.0, keep_firing_for_s=60.0)
INTERVAL = 10.0


class Watch:
    """Cycles over one queue, ten seconds apart, whose messages all arrive."""

    def __init__(self, rule: Rule = RULE, flapping: Flapping = FLAPPING) -> None:
        self.store, self.now = FakeStore(), NOW
        self.rule, self.flapping = rule, flapping
        self.messages: list[str] = []

    def sees(self, verdict: Verdict, seconds: float = INTERVAL) -> None:
        for _ in range(round(seconds / INTERVAL)):
            self.now += INTERVAL
            situation = Situation(a_target(), self.now, (Recipient("ops"),), flapping=self.flapping)
            loaded = self.store.load(self.flapping.window(self.now))
            findings = (a_finding(verdict, self.rule),) if loaded.open or verdict is Verdict.BREACH else ()
            plan = decide(situation, [Judgement(self.rule, findings)], loaded, Seen({}, {}, {}))
            self.store.commit(plan)
            self.messages += [headline(message) for message in plan.messages]
            self.store.deliver_all(["ops"])

    def clock_steps(self, by_s: float) -> None:
        self.now += by_s

    def comes_and_goes(self, times: int, gone_s: float = 100.0) -> None:
        for _ in range(times):
            self.sees(Verdict.BREACH, 20.0)
            self.sees(Verdict.CLEAR, gone_s)

    @property
    def last(self) -> Incident:
        return list(self.store.incidents.values())[-1]


def test_what_comes_and_goes_thirty_times_is_six_messages_of_which_the_last_is_the_end() -> None:
    watch = Watch()
    watch.comes_and_goes(30)
    assert watch.messages[-1] == "indexing holds 60 messages (flapping: fired 3 times in 4m)"
    watch.sees(Verdict.CLEAR, QUIET)
    assert len(watch.messages) == 6
    assert watch.messages[-1] == "Resolved: was: indexing holds 60 messages (flapped: fired 30 times in 58m)"


def test_the_third_firing_is_a_fact_of_its_incident() -> None:
    watch = Watch()
    watch.comes_and_goes(2)
    assert not watch.last.flapping
    watch.sees(Verdict.BREACH)
    assert (watch.last.flapping, watch.last.fires) == (True, 3)


def test_one_that_flaps_ends_when_its_quiet_began() -> None:
    watch = Watch()
    watch.comes_and_goes(2)
    watch.sees(Verdict.BREACH)
    over = watch.now + INTERVAL
    watch.sees(Verdict.CLEAR, QUIET)
    assert watch.last.state is State.RECOVERING
    watch.sees(Verdict.CLEAR)
    assert (watch.last.state, watch.last.resolved_at) == (State.RESOLVED, over)


def test_a_longer_keep_firing_for_is_never_lowered() -> None:
    assert FLAPPING.quiet_needed_s(a_rule(keep_firing_for_s=2 * QUIET), flapping=True) == 2 * QUIET


def test_a_rule_that_wants_every_end_at_once_never_flaps() -> None:
    watch = Watch(a_rule(for_s=0.0, keep_firing_for_s=0.0))
    watch.comes_and_goes(5)
    assert len(watch.messages) == 10
    assert not any(incident.flapping for incident in watch.store.incidents.values())


def test_a_window_of_nothing_switches_it_off_also_for_what_flaps_already() -> None:
    watch = Watch()
    watch.comes_and_goes(3)
    watch.flapping = NEVER_FLAPPING
    watch.sees(Verdict.CLEAR)
    assert watch.last.state is State.RESOLVED


def test_firings_further_apart_than_the_window_do_not_count() -> None:
    watch = Watch()
    watch.comes_and_goes(4, gone_s=WINDOW / 2)
    assert len(watch.messages) == 8


def test_what_fires_again_while_it_recovers_makes_nothing_flap() -> None:
    watch = Watch()
    watch.comes_and_goes(10, gone_s=30.0)
    watch.sees(Verdict.CLEAR, 60.0)
    assert (len(watch.messages), watch.last.flapping, watch.last.fires) == (2, False, 10)


def test_another_key_does_not_count() -> None:
    assert FLAPPING.counted(RULE, (), NOW) == ()


@pytest.mark.parametrize("earlier", [(NOW + 3600.0, NOW + 3700.0), (NOW - WINDOW - 1, NOW - 10.0), (NOW - 10.0,)])
def test_firings_of_another_time_do_not_count_whatever_the_clock_did(earlier: tuple[float, ...]) -> None:
    assert FLAPPING.counted(RULE, earlier, NOW) == ()


def test_a_clock_that_was_set_back_is_no_negative_time() -> None:
    notice = a_notice(event=Event.RESOLVED, flapping=True, fires=4, fires_over_s=0.0)
    assert flapping_note(notice) == " (flapped: fired 4 times in 0s)"


def test_one_that_does_not_flap_says_nothing_of_it() -> None:
    assert flapping_note(a_notice(fires=2, fires_over_s=60.0)) == ""
