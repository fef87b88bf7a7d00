"""For every history of breaches, quiet and gaps: what flaps ends only after a long quiet, and nobody hears of it often."""

from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders.incidents import a_rule
from tests.unit.core.incidents.quiet.test_flapping import INTERVAL, Watch
from watchdog.core.incidents.lifecycle import Ended, State
from watchdog.core.incidents.messages import Event
from watchdog.core.incidents.quiet.flapping import TOO_OFTEN, Flapping
from watchdog.core.judging.findings import Verdict

RULE = a_rule(for_s=0.0, keep_firing_for_s=20.0)
FLAPPING = Flapping(window_s=120.0, quiet_s=60.0)
MOST_PER_WINDOW = 2 * (TOO_OFTEN - 1) + 2 * round(FLAPPING.window_s / FLAPPING.quiet_s) + 2
"""Two short incidents, as many flapping ones as their quiet leaves room for, and one that began before: each a beginning and an end."""


@dataclass(frozen=True)
class Turn:
    """So many cycles with the same verdict; before them the clock may step."""

    verdict: Verdict
    cycles: int
    step_s: float


def histories(steps: st.SearchStrategy[float]) -> st.SearchStrategy[list[Turn]]:
    verdicts = st.sampled_from([Verdict.BREACH, Verdict.CLEAR, Verdict.BREACH, Verdict.CLEAR, Verdict.UNKNOWN])
    return st.lists(st.builds(Turn, verdict=verdicts, cycles=st.integers(1, 8), step_s=steps), max_size=60)


STEADY = histories(st.just(0.0))
UNSTEADY = histories(st.sampled_from([0.0, 0.0, 0.0, 3600.0, -3600.0, 65.0, -65.0]))


@settings(max_examples=150)
@given(UNSTEADY)
def test_what_flaps_recovers_only_after_a_long_quiet_that_was_watched(history: list[Turn]) -> None:
    watch, quiet_s = Watch(RULE, FLAPPING), 0.0
    for turn in history:
        watch.clock_steps(turn.step_s)
        for _ in range(turn.cycles):
            before = watch.last if watch.store.incidents else None
            passed_s = watch.now + INTERVAL - (watch.store.previous_at or 0.0)
            watch.sees(turn.verdict)
            recovers = before is not None and before.state is State.RECOVERING and turn.verdict is not Verdict.BREACH
            quiet_s = quiet_s if recovers else 0.0
            if recovers and turn.verdict is Verdict.CLEAR:
                quiet_s += min(max(passed_s, 0.0), 2 * INTERVAL)
            if recovers and watch.last.flapping and watch.last.ended is Ended.RECOVERED:
                assert quiet_s >= FLAPPING.quiet_s


@settings(max_examples=150)
@given(STEADY)
def test_within_one_window_nobody_hears_of_it_more_often_than_this(history: list[Turn]) -> None:
    watch, heard_at = Watch(RULE, FLAPPING), []
    for turn in history:
        for _ in range(turn.cycles):
            before = len(watch.messages)
            watch.sees(turn.verdict)
            heard_at += [watch.now] * (len(watch.messages) - before)
    assert all(sum(at <= other < at + FLAPPING.window_s for other in heard_at) <= MOST_PER_WINDOW for at in heard_at)


@settings(max_examples=150)
@given(STEADY)
def test_everything_heard_ends_once_it_is_quiet_and_its_end_comes_last(history: list[Turn]) -> None:
    watch = Watch(RULE, FLAPPING)
    for turn in history:
        watch.sees(turn.verdict, turn.cycles * INTERVAL)
    watch.sees(Verdict.CLEAR, FLAPPING.quiet_s + 2 * INTERVAL)
    stories = [[notice.event for notice in notices] for notices in watch.store.heard.values()]
    assert all(story == [Event.FIRST, Event.RESOLVED] for story in stories)


@settings(max_examples=150)
@given(STEADY)
def test_its_end_counts_every_time_that_it_fired_since_the_first_that_counts(history: list[Turn]) -> None:
    watch = Watch(RULE, FLAPPING)
    for turn in history:
        watch.sees(turn.verdict, turn.cycles * INTERVAL)
    for incident in watch.store.incidents.values():
        assert incident.fires >= TOO_OFTEN if incident.flapping else incident.fires >= 1
        assert (incident.first_fire_at or 0.0) <= (incident.fired_at or 0.0) <= (incident.last_fire_at or 0.0)
