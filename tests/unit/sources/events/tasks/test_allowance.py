"""What hearing of tasks may cost: when they are let go, and when they are taken again."""

from math import inf

import pytest

from watchdog.sources.events.tasks.allowance import BACK_AT, LONGEST_PAUSE_S, MEASURED_S, PAUSE_S, TRIAL_S, Allowance, Spent, Turn

SHARE = 0.01
A_READ_S = 2.0


class Clock:
    """A listener that reads every other second, at a cost that a test sets: the part of a core, and how many of the events are of tasks."""

    def __init__(self, share: float = SHARE) -> None:
        self.allowance = Allowance(share)
        self.spent = Spent(1000.0, 5.0, 0, 0)
        self.allowance.turn(self.spent)

    def runs(self, seconds: float, cost: float, *, tasks: int = 1000, workers: int = 0) -> list[Turn]:
        """Time passes; returns what was to be done, all reads with nothing to do aside. What is not heard costs nothing."""
        turns: list[Turn] = []
        for _ in range(round(seconds / A_READ_S)):
            before, heard = self.spent, tasks if self.allowance.subscribed else 0
            used = A_READ_S * cost if heard or workers else 0.0
            self.spent = Spent(before.at + A_READ_S, before.cpu_s + used, before.tasks + heard, before.workers + workers)
            turns.append(self.allowance.turn(self.spent))
        return [turn for turn in turns if turn is not Turn.GO_ON]


def let_go(cost: float = 0.03) -> Clock:
    clock = Clock()
    assert clock.runs(MEASURED_S, cost) == [Turn.LET_GO]
    return clock


def test_a_stream_that_costs_no_more_than_it_may_is_taken_for_good() -> None:
    assert Clock().runs(3600, SHARE * 0.99) == []


def test_one_that_costs_more_over_a_minute_is_let_go() -> None:
    assert Clock().runs(MEASURED_S, SHARE * 1.1) == [Turn.LET_GO]


def test_a_burst_within_a_quiet_minute_is_not() -> None:
    clock = Clock()
    assert clock.runs(10, 0.05) + clock.runs(50, 0.001) == []


def test_whoever_asks_for_all_of_them_gets_them_whatever_they_cost() -> None:
    assert Clock(inf).runs(3600, 0.9) == []


def test_what_heartbeats_cost_is_not_counted_against_tasks() -> None:
    assert Clock().runs(600, 0.03, tasks=10, workers=1000) == []


def test_why_they_are_let_go_is_said_with_what_they_cost_and_what_to_do() -> None:
    why = let_go(0.034).allowance.why_not
    assert why.startswith("those of tasks cost 3.4% of a core (500 a second), more than the 1% that they may")
    assert 'events = "all"' in why


def test_the_reason_stays_the_same_until_they_are_taken_again() -> None:
    clock = let_go(0.034)
    before = clock.allowance.why_not
    clock.runs(PAUSE_S + TRIAL_S, 0.08)
    assert clock.allowance.why_not == before


def test_after_a_pause_they_are_tried_and_taken_again_if_the_flood_is_over() -> None:
    clock = let_go()
    assert (clock.runs(PAUSE_S - A_READ_S, 0.001), clock.runs(A_READ_S, 0.001), clock.runs(TRIAL_S, 0.001)) == ([], [Turn.TRY], [Turn.TAKE])
    assert clock.allowance.why_not == ""


def test_while_they_are_tried_it_is_still_said_why_they_are_not_taken() -> None:
    clock = let_go()
    clock.runs(PAUSE_S, 0.001)
    assert (clock.allowance.subscribed, clock.allowance.why_not != "") == (True, True)


@pytest.mark.parametrize(("cost", "then"), [(SHARE * BACK_AT * 0.9, Turn.TAKE), (SHARE * 0.9, Turn.LET_GO)])
def test_what_costs_a_little_less_than_it_may_is_not_taken_again(cost: float, then: Turn) -> None:
    clock = let_go()
    assert clock.runs(PAUSE_S + TRIAL_S, cost) == [Turn.TRY, then]


def test_each_trial_in_vain_doubles_the_pause_up_to_an_hour() -> None:
    clock, at = let_go(), []
    for _ in range(8):
        began = clock.spent.at
        while clock.runs(A_READ_S, 0.03) != [Turn.TRY]:
            pass
        at.append(clock.spent.at - began)
        clock.runs(TRIAL_S, 0.03)
    assert at == [min(PAUSE_S * 2**nth, LONGEST_PAUSE_S) for nth in range(8)]


def test_a_stream_that_floods_again_soon_is_let_go_for_longer() -> None:
    clock = let_go()
    clock.runs(PAUSE_S + TRIAL_S, 0.001)
    clock.runs(MEASURED_S, 0.03)
    assert (clock.runs(2 * PAUSE_S - A_READ_S, 0.03), clock.runs(A_READ_S, 0.03)) == ([], [Turn.TRY])


def test_one_that_was_well_for_an_hour_starts_with_the_shortest_pause() -> None:
    clock = let_go()
    clock.runs(PAUSE_S + TRIAL_S, 0.001)
    clock.runs(LONGEST_PAUSE_S + MEASURED_S, 0.001)
    clock.runs(MEASURED_S, 0.03)
    assert clock.runs(PAUSE_S, 0.03) == [Turn.TRY]


def test_trials_of_a_flood_that_lasts_cost_less_than_half_of_what_is_allowed() -> None:
    clock = let_go(0.5)
    before = clock.spent
    clock.runs(86400, 0.5)
    assert (clock.spent.cpu_s - before.cpu_s) / 86400 < SHARE / 2
