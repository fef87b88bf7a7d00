"""How often TaskFailureRateHigh is wrong and how soon it is right, by simulation: each run is weighed as the `tasks` table weighs it.

A month of 20 tasks at 10 runs a minute is 8.6 million runs, so
the successes between two failures are weighed at once. `test_weighing_successes_at_once_changes_nothing` shows that this is the same.
"""

import random
from collections.abc import Iterator
from math import log
from statistics import quantiles

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from watchdog.config.rulebook import read_rule_book
from watchdog.tables import TABLES
from watchdog.tables.tasks.failure_rates import OVER, OVER_AT_MOST, USUAL, Evidence, Sum, _weights, interval, weighed

RULE = next(rule for rule in read_rule_book((), TABLES).rules if rule.name == "TaskFailureRateHigh")
LIMIT, PROOF, AT_LEAST, ENDS = (float(RULE.params[name]) for name in ("limit", "proof", "at_least", "over"))
PER_MIN = 10
SOMEWHAT, MUCH = _weights(USUAL, 0.2), _weights(USUAL, 0.5)


def fires(known: Evidence) -> bool:
    """The rule's `when`, of one task."""
    unbroken = known.failed_in_a_row >= AT_LEAST and not known.has_succeeded
    return unbroken or (known.odds >= PROOF and interval(*known.runs)[0] > LIMIT)


def runs_until_told(rate: float, rng: random.Random, most: int = 2000) -> int:
    """How many runs after its rate jumped from 5 % to this one."""
    known = Evidence()
    for _ in range(300):
        known = weighed(known, float(rng.random() < 0.05), 1.0)
    for nth in range(1, most):
        known = weighed(known, float(rng.random() < rate), 1.0)
        if fires(known):
            return nth
    return most


def minutes(rate: float, tries: int = 200) -> tuple[float, float]:
    """The time until a jump is notified: median, and nine of ten."""
    rng = random.Random(7)
    tenths = quantiles([runs_until_told(rate, rng) / PER_MIN for _ in range(tries)], n=10)
    return tenths[4], tenths[8]


def incidents(rate: float, runs: int, seed: int) -> int:
    """How often a task with this rate is notified in so many runs; each time, the successes that end it are awaited."""
    rng, known, told, burning, nth = random.Random(seed), weighed(Evidence(), 0.0, 1.0), 0, False, 0
    quiet = log(1 - rate)
    while nth < runs:
        successes = min(int(log(1 - rng.random()) / quiet), runs - nth)
        known = _with_successes(known, successes)
        known = weighed(known, 1.0, 1.0)
        nth += successes + 1
        told += fires(known) and not burning
        burning = fires(known)
    return told


def _with_successes(known: Evidence, count: int) -> Evidence:
    """So many successes, all at once: each sum falls by as much for each of them, and what is over is forgotten."""
    while count and (known.proved[1] or max(known.sums)[0] >= OVER):  # what is proved, and what ends it, changes with each of them
        known, count = weighed(known, 0.0, 1.0), count - 1
    if count == 0:
        return known
    over = min(known.over - count * SOMEWHAT[1], OVER_AT_MOST)
    sums = [_fallen(one, weights[1], count) for one, weights in zip(known.sums, (SOMEWHAT, MUCH), strict=True)]
    return replace(known, sums=(sums[0], sums[1]), over=over, failed_in_a_row=0.0, has_succeeded=True)


def _fallen(known: Sum, by: float, count: int) -> Sum:
    score, failed, finished = known
    return (score + count * by, failed, finished + count) if score + count * by > 0 else (0.0, 0.0, 0.0)


def is_over(known: Evidence) -> bool:
    """The rule's `clear`, of one task."""
    rare = known.failed_in_a_row == 0 and known.runs[1] < 20 and known.odds < PROOF
    return known.over_odds >= ENDS or rare


def incidents_of_a_day(rate: float, seed: int) -> int:
    """How many incidents a steady rate opens in a day of looks, 10 s apart; one ends after it was gone for `keep_firing_for`."""
    rng, known, opened, burning, quiet_s = random.Random(seed), Evidence(), 0, False, 0.0
    for look in range(8640):
        finished = (look + 1) * PER_MIN // 6 - look * PER_MIN // 6
        known = weighed(known, float(sum(rng.random() < rate for _ in range(finished))), float(finished))
        quiet_s = quiet_s + 10 if not fires(known) and is_over(known) else 0.0
        opened += fires(known) and not burning
        burning = fires(known) or (burning and quiet_s < RULE.keep_firing_for_s)
    return opened


@pytest.mark.parametrize(("rate", "most"), [(0.08, 1), (0.1, 3), (0.12, 2), (0.15, 1), (0.2, 1), (0.3, 1)])
def test_a_steady_rate_does_not_come_and_go(rate: float, most: int) -> None:
    opened = [incidents_of_a_day(rate, seed) for seed in range(4)]
    assert max(opened) <= most, opened


def minutes_until_over(rate: float, rng: random.Random) -> float:
    """After a thousand runs at this rate the task fails in 2 % of its runs again."""
    known, nth = Evidence(), 0
    for _ in range(1000):
        known = weighed(known, float(rng.random() < rate), 1.0)
    while not is_over(known):
        known, nth = weighed(known, float(rng.random() < 0.02), 1.0), nth + 1
    return nth / PER_MIN


@pytest.mark.parametrize(("rate", "most"), [(0.12, 18.0), (0.2, 9.0), (1.0, 8.0)])
def test_what_is_mended_is_over_within_minutes(rate: float, most: float) -> None:
    rng = random.Random(11)
    assert quantiles([minutes_until_over(rate, rng) for _ in range(100)], n=10)[4] <= most


def test_what_was_proved_is_known_while_its_sum_begins_anew() -> None:
    assert Evidence(proved=(90.0, 600.0)).runs == (90.0, 600.0)


def test_a_rare_task_is_over_with_its_first_success() -> None:
    known = Evidence()
    for _ in range(5):
        known = weighed(known, 1.0, 1.0)
    known = weighed(known, 0.0, 1.0)
    assert (fires(known), is_over(known)) == (False, True)


def test_twenty_tasks_that_fail_as_often_as_ever_are_told_once_in_a_month_at_most() -> None:
    assert incidents(0.05, runs=20 * 30 * 24 * 60 * PER_MIN, seed=1) <= 1


@pytest.mark.parametrize(("rate", "median", "nine_of_ten"), [(0.2, 10.5, 19.0), (0.3, 5.0, 9.0), (0.5, 2.0, 3.5), (1.0, 0.8, 0.8)])
def test_a_jump_is_told_within_minutes(rate: float, median: float, nine_of_ten: float) -> None:
    told = minutes(rate)
    assert (told[0] <= median, told[1] <= nine_of_ten) == (True, True), told


def test_a_rare_task_that_always_fails_is_told_at_its_fifth_failure() -> None:
    known, told = Evidence(), []
    for _ in range(5):
        known = weighed(known, 1.0, 1.0)
        told.append(fires(known))
    assert told == [False, False, False, False, True]


def test_a_task_that_used_to_succeed_and_now_always_fails_is_told_within_ten_runs() -> None:
    assert runs_until_told(1.0, random.Random(3)) <= 10


def test_what_a_task_does_as_a_rule_is_nothing_to_tell() -> None:
    rng, known, told = random.Random(5), Evidence(), 0
    for _ in range(20_000):
        known = weighed(known, float(rng.random() < 0.15), 1.0, usual=0.15)
        told += fires(known)
    assert told == 0


def batches() -> Iterator[tuple[int, int]]:
    rng = random.Random(9)
    for _ in range(500):
        finished = rng.randrange(1, 6)
        yield sum(rng.random() < 0.2 for _ in range(finished)), finished


def test_looks_that_hold_several_runs_prove_about_the_same() -> None:
    at_once, one_by_one = Evidence(), Evidence()
    for failed, finished in batches():
        at_once = weighed(at_once, float(failed), float(finished))
        for nth in range(finished):
            one_by_one = weighed(one_by_one, float(nth < failed), 1.0)
    assert fires(at_once) == fires(one_by_one)


@given(st.lists(st.booleans(), max_size=200))
def test_weighing_successes_at_once_changes_nothing(runs: list[bool]) -> None:
    whole = skipped = weighed(Evidence(), 0.0, 1.0)
    pending = 0
    for failed in runs:
        whole = weighed(whole, float(failed), 1.0)
        pending += not failed
        if failed:
            skipped, pending = weighed(_with_successes(skipped, pending), 1.0, 1.0), 0
    skipped = _with_successes(skipped, pending)
    assert skipped.proved == whole.proved
    assert [*sum(skipped.sums, ()), skipped.over] == pytest.approx([*sum(whole.sums, ()), whole.over])
    assert (skipped.failed_in_a_row, skipped.has_succeeded) == (whole.failed_in_a_row, whole.has_succeeded)


@given(st.integers(0, 500), st.integers(1, 500), st.floats(0.05, 0.9))
def test_evidence_stays_within_its_bounds(failed: int, more: int, usual: float) -> None:
    known = weighed(weighed(Evidence(), float(failed), float(failed + more), usual), float(failed), float(failed + more), usual)
    low, high = interval(*known.runs)
    assert 1.0 <= known.odds <= 1.01e12
    assert 0.0 <= low <= high <= 1.0
