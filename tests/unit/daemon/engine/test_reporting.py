"""What workers say of themselves, as part of what watchdog knows of itself; and the clock that they share with it."""

from dataclasses import dataclass, field

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
    """A database whose clock is `ahead_s` ahead of this machine's. `frozen_s`: how long this process is frozen after each answer."""

    ahead_s: float = 0.0
    away: bool = False
    asked: int = 0
    stopwatch_s: float = 0.0
    set_by_s: float = 0.0
    frozen_s: list[float] = field(default_factory=list)

    def now(self) -> float:
        self.asked += 1
        if self.away:
            raise StoreError("away")
        there = self.machine() + self.ahead_s
        self.stopwatch_s += self.frozen_s.pop(0) if self.frozen_s else 0.0
        return there

    def machine(self) -> float:
        return 1000.0 + self.stopwatch_s + self.set_by_s

    def clock(self) -> CommonClock:
        return CommonClock(self, self.machine, lambda: self.stopwatch_s)  # type: ignore[arg-type]


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
    assert (clock(), clock()) == (1081.0, 1081.0)
    assert database.asked == 2


def test_without_a_first_answer_there_is_no_time() -> None:
    clock = Database(away=True).clock()
    for _ in range(2):
        with pytest.raises(StoreError):
            clock()


def test_a_process_that_was_frozen_as_it_asked_asks_again() -> None:
    database = Database(ahead_s=50.0, frozen_s=[20.0])
    assert database.clock()() == 1070.0


def test_of_slow_answers_the_quickest_counts_to_half_of_its_time() -> None:
    database = Database(ahead_s=50.0, frozen_s=[20.0, 2.0, 8.0, 20.0])
    assert database.clock()() == 1030.0 + 50.0 - 1.0
    assert database.asked == 3


def test_a_machine_whose_clock_is_set_asks_at_once() -> None:
    database = Database(ahead_s=50.0)
    clock = database.clock()
    clock()
    database.set_by_s, database.ahead_s = 3600.0, 50.0 - 3600.0
    assert clock() == 1050.0


def test_a_clock_that_is_set_while_the_database_is_away_is_measured_once_it_is_back() -> None:
    database = Database(ahead_s=50.0)
    clock = database.clock()
    clock()
    database.set_by_s, database.ahead_s, database.away = 3600.0, 50.0 - 3600.0, True
    clock()
    database.away, database.stopwatch_s = False, 2.0
    assert clock() == 1052.0


@pytest.mark.parametrize(("ahead_s", "lines"), [(0.5, 0), (5.0, 1), (-5.0, 1)])
def test_a_clock_that_is_off_is_said_once(ahead_s: float, lines: int) -> None:
    database = Database(ahead_s=ahead_s)
    clock = database.clock()
    with capture_logs() as logs:
        clock()
        database.stopwatch_s += 31
        clock()
    assert [line["event"] for line in logs] == ["clock_differs"] * lines
