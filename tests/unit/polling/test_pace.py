"""How long answers are reused, by what they cost."""

import pytest

from watchdog.core.model.gaps import Gap
from watchdog.core.model.queries import Inspected, InspectOne, Ping, Query, ReadEventCounters, RevokedTasks, RunningTasks
from watchdog.polling.pace import PollPace


def after(*batches: dict[Query, float]) -> PollPace:
    pace = PollPace()
    for took_s in batches:
        pace.note(took_s, dict.fromkeys(took_s, ()))
    return pace


def test_cheap_answers_are_good_for_as_long_as_their_questions_say() -> None:
    pace = after({ReadEventCounters(): 0.02, RunningTasks(): 0.02, Inspected(): 0.003})
    assert [pace.good_for_s(q) for q in (ReadEventCounters(), RunningTasks(), Inspected())] == [15.0, 30.0, 30.0]


def test_costly_answers_are_reused_for_longer_all_by_the_same_factor() -> None:
    pace = after({ReadEventCounters(): 0.09, RunningTasks(): 0.075, RevokedTasks(): 0.045})  # 6 + 2.5 + 1.5 ms a second
    assert [pace.good_for_s(q) for q in (ReadEventCounters(), RunningTasks(), RevokedTasks())] == pytest.approx([30.0, 60.0, 60.0])


def test_cheap_answers_among_costly_ones_are_asked_for_as_often_as_before() -> None:
    assert after({RunningTasks(): 0.6, Inspected(): 0.003}).good_for_s(Inspected()) == 30.0


def test_however_costly_they_are_they_stay_at_most_four_times_as_long() -> None:
    assert after({RunningTasks(): 60.0}).good_for_s(RunningTasks()) == 120.0


def test_one_slow_answer_among_quick_ones_changes_nothing() -> None:
    assert after({RunningTasks(): 0.02}, {RunningTasks(): 5.0}).good_for_s(RunningTasks()) == 30.0


def test_once_answers_are_cheap_again_so_is_asking() -> None:
    assert after({RunningTasks(): 1.0}, {RunningTasks(): 1.0}, {RunningTasks(): 0.02}).good_for_s(RunningTasks()) == 30.0


def test_a_gap_says_nothing_of_what_an_answer_costs() -> None:
    pace = PollPace()
    pace.note({RunningTasks(): 5.0}, {RunningTasks(): Gap("flower: no answer within 5s")})
    assert pace.good_for_s(RunningTasks()) == 30.0


def test_what_is_asked_no_more_weighs_no_more() -> None:
    pace = after({RunningTasks(): 5.0, ReadEventCounters(): 0.01})
    pace.keep({ReadEventCounters(): ()})
    assert pace.good_for_s(ReadEventCounters()) == 15.0


def test_questions_asked_anew_each_cycle_have_no_pace() -> None:
    pace = after({InspectOne("w"): 2.0})
    assert (pace.good_for_s(InspectOne("w")), pace.good_for_s(RunningTasks())) == (0.0, 30.0)


def test_a_slow_flower_does_not_slow_redis() -> None:
    assert after({RunningTasks(): 5.0}).good_for_s(Ping()) == 0.0
