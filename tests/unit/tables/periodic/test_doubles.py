"""Two beats: told by runs that come twice at each of their times; not by retries, other senders, or a deploy."""

import random
from collections.abc import Iterable
from math import ceil

import pytest

from tests.unit.tables.periodic.watched import BEGAN
from watchdog.core.model.replies import TaskSeen
from watchdog.core.model.schedules.periodic import PeriodicTask
from watchdog.core.model.schedules.schedule import Schedule
from watchdog.sources.periodic.cron import cron_of
from watchdog.tables.periodic.doubles import candidates, sent_twice

EVERY_MINUTE = Schedule("t", cron=cron_of("*", "*", "*", "*", "*"))
NIGHTLY = Schedule("t", cron=cron_of("30", "2", "*", "*", "*"))
HOUR = 3600.0


def listed(times: Iterable[float], retries: int = 0) -> tuple[TaskSeen, ...]:
    """As Flower lists them: the last hundred that succeeded, newest first."""
    seen = [TaskSeen(f"t{at}", "t", "SUCCESS", received=BEGAN + at, succeeded=BEGAN + at + 1, retries=retries) for at in times]
    return tuple(sorted(seen, key=lambda task: -(task.received or 0.0)))[:100]


def beat(every_s: float, start_s: float = 0.0, until_s: float = HOUR, seed: int = 1) -> list[float]:
    """When runs of one beat are received: a little late, each a little differently."""
    late = random.Random(seed)
    return [start_s + nth * every_s + late.uniform(0, 0.3) for nth in range(ceil((until_s - start_s) / every_s))]


def twice(times: Iterable[float], schedule: Schedule | float, now: float = HOUR, retries: int = 0) -> bool:
    when = Schedule("t", every_s=schedule) if isinstance(schedule, float) else schedule
    return sent_twice(when, listed(times, retries), BEGAN + now)


@pytest.mark.parametrize("every_s", [10.0, 30.0, 60.0, 300.0])
@pytest.mark.parametrize("apart_s", [0.0, 0.2, 3.0, 7.0])
def test_two_beats_are_seen_by_an_interval(every_s: float, apart_s: float) -> None:
    assert twice([*beat(every_s), *beat(every_s, apart_s, seed=2)], every_s)


@pytest.mark.parametrize("every_s", [10.0, 30.0, 60.0, 300.0])
def test_one_beat_is_one(every_s: float) -> None:
    assert not twice(beat(every_s), every_s)


def test_two_beats_are_seen_by_a_cron() -> None:
    assert twice([*beat(60.0), *beat(60.0, 0.1, seed=2)], EVERY_MINUTE)


def test_one_beat_is_one_by_a_cron() -> None:
    assert not twice(beat(60.0), EVERY_MINUTE)


def test_a_nightly_task_that_came_twice_for_three_nights_is_seen() -> None:
    nights = [14.5 * HOUR + 86400 * nth + more for nth in range(3) for more in (0.1, 1.5)]
    assert twice(nights, NIGHTLY, now=3 * 86400.0)


def test_a_nightly_task_that_was_run_again_once_is_not() -> None:
    nights = [14.5 * HOUR + 86400 * nth for nth in range(3)]
    assert not twice([*nights, 14.5 * HOUR + 5], NIGHTLY, now=3 * 86400.0)


def test_retries_are_no_second_run() -> None:
    both = [*listed(beat(60.0)), *listed(beat(60.0, 3.0, seed=2), retries=1)]
    assert not sent_twice(Schedule("t", every_s=60.0), both, BEGAN + HOUR)


def test_a_deploy_during_which_two_beats_run_is_not_told() -> None:
    assert not twice([*beat(30.0), *beat(30.0, HOUR - 240.0, seed=2)], 30.0)


def test_two_beats_of_an_hour_ago_are_over() -> None:
    assert not twice([*beat(30.0), *beat(30.0, 3.0, seed=2)], 30.0, now=2 * HOUR)


def test_what_application_code_sends_besides_fits_no_second_rhythm() -> None:
    told = 0
    for seed in range(2000):
        chance = random.Random(seed)
        others = [chance.uniform(0, HOUR) for _ in range(chance.choice([30, 60, 90, 120, 150]))]
        told += twice([*beat(60.0, seed=seed), *others], 60.0) + twice([*beat(60.0, seed=seed), *others], EVERY_MINUTE)
    assert told == 0


def test_those_that_run_most_often_are_looked_at_but_not_every_second() -> None:
    spans = {"a": 1.0, "b": 60.0, "c": 10.0, "d": 3600.0, "e": 300.0}
    planned: list[tuple[PeriodicTask, Schedule | str]] = [
        (PeriodicTask(name, name, span), Schedule(name, every_s=span)) for name, span in spans.items()
    ]
    assert [task for task, _ in candidates(planned, BEGAN)] == ["c", "b", "e"]


def test_a_task_with_two_entries_comes_twice_by_right() -> None:
    planned: list[tuple[PeriodicTask, Schedule | str]] = [
        (PeriodicTask(entry, "t", 60.0), Schedule("t", every_s=60.0)) for entry in ("for-a", "for-b")
    ]
    assert candidates(planned, BEGAN) == []
