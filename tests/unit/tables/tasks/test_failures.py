"""The failures that `tasks` remembers: each is new once, however long it stays in a list."""

import pytest

from tests.builders.answers import NOW, a_target
from watchdog.core.model.replies import TaskSeen
from watchdog.tables.tasks.failures import MOST_KEPT, Failures, failures_now

TARGET = a_target()
EVERY_S = 600.0


def failed(task_id: str, at: float) -> TaskSeen:
    return TaskSeen(task_id, "shop.mail", "FAILURE", "celery@one", failed=at, timestamp=at, exception="Refused()")


def looked(memory: Failures, now: float, *listed: TaskSeen) -> Failures:
    return failures_now(memory, listed, TARGET, NOW - 9000.0, now)


def test_a_failure_that_stays_listed_for_hours_is_not_new_again() -> None:
    old, memory, news = failed("a", NOW), Failures(), 0
    for nth in range(20):
        before, memory = memory, looked(memory, NOW + nth * EVERY_S, old)
        news += len(set(memory.known) - set(before.known))
    assert news == 1


def test_a_task_that_fails_again_after_hours_is_new() -> None:
    memory = looked(looked(Failures(), NOW, failed("a", NOW)), NOW + 4000.0, failed("a", NOW))
    assert not memory.known
    assert set(looked(memory, NOW + 5000.0, failed("a", NOW + 4990.0)).known) == {"a"}


def test_what_is_dropped_because_there_are_more_is_not_new_in_the_next_list() -> None:
    many = [failed(f"t{nth}", NOW + nth) for nth in range(MOST_KEPT)]
    memory = looked(looked(Failures(), NOW + MOST_KEPT, *many), NOW + 600.0, failed("last", NOW + 599.0))
    assert "t0" not in looked(memory, NOW + 610.0, many[0], failed("last", NOW + 599.0)).known


@pytest.mark.parametrize("apart_s", [3600.0, -19800.0])
def test_the_same_failure_told_in_another_time_zone_is_not_new(apart_s: float) -> None:
    memory = looked(Failures(), NOW, failed("a", NOW - 5.0))
    assert looked(memory, NOW + 10.0, failed("a", NOW - 5.0 + apart_s)).known == memory.known
