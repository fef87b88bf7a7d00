"""What workers say of themselves, as part of what watchdog knows of itself; and the clock that they share with it."""

from dataclasses import dataclass

import pytest
from structlog.testing import capture_logs

from watchdog.core.model.self_seen import LookerSeen, RuleSeen, SelfSeen
from watchdog.daemon.engine.common_clock import CommonClock
from watchdog.daemon.engine.reporting import with_lookers
from watchdog.store import StoreError

FINE = RuleSeen("WorkerLost", took_ms=1.0)
FAILED = RuleSeen("WorkerLost", "prod: no such function", 3.0)


def test_a_rule_that_fails_at_a_worker_has_failed() -> None:
    seen = with_lookers(SelfSeen(rules=(FINE,)), [LookerSeen("one", rules=(FAILED,))], "")
    assert seen.rules == (FAILED,)


def test_a_rule_is_on_trial_only_if_it_is_everywhere() -> None:
    here, there = RuleSeen("New", trial=True), RuleSeen("New", trial=False)
    assert not with_lookers(SelfSeen(rules=(here,)), [LookerSeen("one", rules=(there,))], "").rules[0].trial


def test_the_longest_look_is_that_of_whoever_took_longest() -> None:
    assert with_lookers(SelfSeen(cycle_s=1.0), [LookerSeen("one", cycle_s=3.0)], "").cycle_s == 3.0


def test_workers_that_refuse_are_not_counted() -> None:
    assert with_lookers(SelfSeen(), [LookerSeen("one"), LookerSeen("two", refuses="another version")], "").engine_workers == 1


@dataclass
class Database:
    """A database whose clock is `ahead_s` ahead of this machine's, which stands still."""

    ahead_s: float = 0.0
    away: bool = False
    asked: int = 0
    stopwatch_s: float = 0.0

    def now(self) -> float:
        self.asked += 1
        if self.away:
            raise StoreError("away")
        return 1000.0 + self.ahead_s

    def clock(self) -> CommonClock:
        return CommonClock(self, lambda: 1000.0, lambda: self.stopwatch_s)  # type: ignore[arg-type]


def test_the_time_is_the_databases() -> None:
    assert Database(ahead_s=-3600.0).clock()() == -2600.0


def test_the_database_is_asked_now_and_then() -> None:
    database = Database()
    clock = database.clock()
    clock()
    clock()
    assert database.asked == 1
    database.stopwatch_s += 31
    clock()
    assert database.asked == 2


def test_while_the_database_is_away_the_distance_stays_as_it_was() -> None:
    database = Database(ahead_s=50.0)
    clock = database.clock()
    clock()
    database.away, database.stopwatch_s = True, 31.0
    assert (clock(), clock()) == (1050.0, 1050.0)
    assert database.asked == 2


def test_without_a_first_answer_there_is_no_time() -> None:
    with pytest.raises(StoreError):
        Database(away=True).clock()()


@pytest.mark.parametrize(("ahead_s", "lines"), [(0.5, 0), (5.0, 1), (-5.0, 1)])
def test_a_clock_that_is_off_is_said_once(ahead_s: float, lines: int) -> None:
    database = Database(ahead_s=ahead_s)
    clock = database.clock()
    with capture_logs() as logs:
        clock()
        database.stopwatch_s += 31
        clock()
    assert [line["event"] for line in logs] == ["clock_differs"] * lines
