"""How often ErrorBurst is wrong and how soon it is right, by simulation: each look is weighed as `tasks` and `errors` weigh it."""

import random
from collections import deque
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cache
from math import inf, log
from statistics import median

import pytest

from watchdog.config.rulebook import read_rule_book
from watchdog.tables import TABLES
from watchdog.tables.tasks.failure_rates import Evidence, weighed
from watchdog.tables.tasks.usual_errors import UsualErrors, has_past, noted, usual_count

RULE = next(rule for rule in read_rule_book((), TABLES).rules if rule.name == "ErrorBurst")
LIMIT, TIMES, RATE, OVER_S = (float(RULE.params[name]) for name in ("limit", "times", "rate", "over"))
LOOK_S, DAY_S = 10.0, 86400.0
SLOW_S = 30.0
"""How far apart the looks of whole weeks lie: windows of 10 minutes overlap enough."""
KIND = ("shop.pay", "TimeoutError")


@dataclass
class Watched:
    """One task that fails with a TimeoutError, or not, and what is known of it after looks in a row."""

    rng: random.Random
    now: float = 0.0
    usual: UsualErrors = field(default_factory=UsualErrors)
    evidence: Evidence = field(default_factory=Evidence)
    suspected_at: float = -inf
    began_at: float | None = None
    runs: float = 0.0
    within: deque[tuple[float, int, int]] = field(default_factory=deque)
    count: int = 0
    finished: int = 0
    until_failure: int = -1
    burning: bool = False
    quiet_s: float = 0.0
    opened: list[float] = field(default_factory=list)

    def look(self, rate: float, per_min: float, seconds: float = LOOK_S) -> None:
        """So many seconds pass, with so many runs a minute and this failure rate."""
        self.now += seconds
        finished = int(self.now * per_min / 60) - int((self.now - seconds) * per_min / 60)
        failed = self._failed(rate, finished)
        self.usual = noted(self.usual, [KIND] * failed, seconds, self.now)
        self.evidence = weighed(self.evidence, float(failed), float(finished)) if finished else self.evidence
        self.suspected_at = self.now if self.evidence.suspected else self.suspected_at
        self.runs += finished
        self.began_at = self.now if self.began_at is None and finished else self.began_at
        self.within.append((self.now, failed, finished))
        self.count, self.finished = self.count + failed, self.finished + finished
        while self.within[0][0] < self.now - RULE.window_s:
            _, old_failed, old_finished = self.within.popleft()
            self.count, self.finished = self.count - old_failed, self.finished - old_finished
        self._judge(seconds)

    def _failed(self, rate: float, finished: int) -> int:
        """How many of them fail: the distance between two failures is drawn, not each run."""
        left, failed = finished, 0
        while rate > 0:
            if self.until_failure < 0:
                self.until_failure = int(log(1 - self.rng.random()) / log(1 - rate)) if rate < 1 else 0
            if self.until_failure >= left:
                self.until_failure -= left
                break
            left -= self.until_failure + 1
            failed, self.until_failure = failed + 1, -1
        return failed

    def _fresh(self) -> int:
        """Failures within the window since the task as a whole was last suspected; mostly that is before the window, and they are all."""
        if self.suspected_at < self.within[0][0]:
            return self.count
        return sum(failed for at, failed, _ in self.within if at > self.suspected_at)

    def _judge(self, seconds: float) -> None:
        """The rule's `when` and `clear`, of category timeout, and the life of an incident."""
        fresh = self._fresh() if self.count >= LIMIT / 2 else 0
        last_s = next((self.now - at for at, failed, _ in reversed(self.within) if failed), inf) if self.count else inf
        usual = usual_count(self.usual.of(*KIND), self.count, self.usual.seconds, self.runs, RULE.window_s, self.finished)
        known = has_past(self.usual, self.began_at, RULE.window_s, self.now) or self.count > RATE * self.finished
        fires = known and last_s <= OVER_S and fresh > TIMES * usual and fresh >= LIMIT
        over = last_s > OVER_S or self.count <= 2 * usual or self.count < LIMIT / 2
        self.quiet_s = self.quiet_s + seconds if over and not fires else 0.0
        if fires and not self.burning:
            self.opened.append(self.now)
        self.burning = fires or (self.burning and self.quiet_s < RULE.keep_firing_for_s)


def watched(rate: float, per_min: float, seconds: float, seed: int = 1, before: Watched | None = None, look_s: float = LOOK_S) -> Watched:
    """After so long; its past is an hour's list of Flower's, as in a first look."""
    task = before or Watched(random.Random(seed))
    if before is None:
        task.usual = noted(
            task.usual, [KIND] * round(min(rate * per_min * 60, 200)), min(200 / (rate * per_min / 60 or inf), 3600) or 3600, 0.0
        )
    for _ in range(int(seconds / look_s)):
        task.look(rate, per_min, look_s)
    return task


@cache
def after_a_day(rate: float, per_min: float, seed: int) -> Watched:
    """Begin with a copy of it."""
    return watched(rate, per_min, DAY_S, seed)


def seconds_until_told(before: float, rate: float, per_min: float, seed: int) -> float:
    """After a day at one rate, another one begins."""
    task = deepcopy(after_a_day(before, per_min, seed))
    began, known, task.until_failure = task.now, len(task.opened), -1
    while len(task.opened) == known and task.now < began + 3600:
        task.look(rate, per_min)
    return task.now - began


def test_a_steady_one_percent_of_600_runs_a_minute_is_never_told_in_30_days() -> None:
    assert watched(0.01, 600, 30 * DAY_S, look_s=SLOW_S).opened == []


@pytest.mark.parametrize("rate", [0.005, 0.0017])
def test_nor_is_one_whose_count_lies_about_the_limit_or_well_below(rate: float) -> None:
    assert [watched(rate, 600, 7 * DAY_S, seed, look_s=SLOW_S).opened for seed in range(3)] == [[], [], []]


@pytest.mark.parametrize("rate", [0.002, 0.01, 0.03])
def test_nor_is_one_that_failed_so_from_the_moment_when_watching_began(rate: float) -> None:
    started = [Watched(random.Random(seed)) for seed in range(4)]
    assert [watched(rate, 600, DAY_S / 6, before=task).opened for task in started] == [[]] * 4


@pytest.mark.parametrize("rate", [0.002, 0.01, 0.03])
def test_nor_is_a_new_task_that_fails_so_from_its_first_runs(rate: float) -> None:
    idle = [watched(0.0, 0, DAY_S / 24, before=Watched(random.Random(seed))) for seed in range(4)]
    assert [watched(rate, 600, DAY_S / 6, before=task).opened for task in idle] == [[]] * 4


def test_twenty_tasks_at_a_steady_five_percent_and_10_runs_a_minute_are_never_told() -> None:
    assert [watched(0.05, 10, 3 * DAY_S, seed, look_s=60.0).opened for seed in range(20)] == [[]] * 20


@pytest.mark.xdist_group("bursts after a day")  # two after the same day, which is simulated once
@pytest.mark.parametrize(("before", "rate", "most_s"), [(0.0, 0.01, 320), (0.0, 0.05, 70), (0.01, 0.05, 320), (0.01, 0.09, 170)])
def test_half_of_the_bursts_are_told_within_minutes(before: float, rate: float, most_s: float) -> None:
    assert median(seconds_until_told(before, rate, 600, seed) for seed in range(11)) <= most_s


def test_a_burst_ends_with_its_failures() -> None:
    task = watched(0.0, 600, 3600)
    burst = watched(0.02, 600, 180, before=task)
    told = burst.burning
    assert [told, watched(0.0, 600, OVER_S + RULE.keep_firing_for_s + 20, before=burst).burning] == [True, False]


def test_what_came_to_stay_is_one_incident() -> None:
    task = watched(0.01, 600, 14 * DAY_S, before=watched(0.0, 600, DAY_S), look_s=SLOW_S)
    assert (len(task.opened), task.burning) == (1, False)


def test_traffic_that_grows_tenfold_is_no_burst() -> None:
    night = watched(0.01, 60, DAY_S / 3)
    assert watched(0.01, 600, 3600, before=night).opened == []


@pytest.mark.parametrize("rate", [0.2, 0.5, 1.0])
def test_what_the_task_as_a_whole_is_told_of_is_not_told_twice(rate: float) -> None:
    task = watched(rate, 600, 1800, before=watched(0.0, 600, DAY_S / 4))
    assert watched(0.0, 600, 1800, before=task).opened == []
