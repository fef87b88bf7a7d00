"""Regular tasks while events are heard beside Flower: what they count is known without it, and nothing is missed when it starts anew."""

import pytest

from tests.builders.both_tell import NAME, World
from tests.unit.tables.periodic.watched import Watched
from watchdog.core.model.rows import Row
from watchdog.core.model.schedules.periodic import WorkerPlan
from watchdog.core.model.schedules.schedule import Schedule

TABLES = ("workers", "queues", "running", "tasks", "schedulers", "schedules", "rhythms")
EVERY_MINUTE = Schedule(NAME, every_s=60.0, grace_s=30.0)
NO_ANSWER = "flower: no answer"


def watched(seconds: float = 0.0, *, scheduled: bool = True) -> World:
    world = World(tables=TABLES, schedules=(EVERY_MINUTE,) if scheduled else ())
    world.look()
    return passes(world, seconds)


def passes(world: World, seconds: float) -> World:
    for _ in range(int(seconds / 10)):
        world.look()
    return world


def of(world: World, table: str) -> Row:
    (row,) = world.readings[table].rows
    return row


def overdue(world: World) -> object:
    row = of(world, "schedules")
    return row.gaps.get("overdue_s") or row.cells["overdue_s"]


def test_a_success_that_is_late_is_known_while_flower_is_away() -> None:
    world = watched(10.0)
    world.flower_goes()
    assert overdue(passes(world, 120.0)) == pytest.approx(50.0)


def test_a_success_that_is_heard_while_flower_is_away_is_none_too_late() -> None:
    world = watched(10.0)
    world.flower_goes()
    world.ends("succeeded")
    assert overdue(passes(world, 80.0)) == 0.0


def test_while_neither_tells_of_tasks_nobody_knows() -> None:
    world = watched(10.0)
    world.flower_goes()
    world.events_go()
    assert overdue(passes(world, 120.0)) == NO_ANSWER


def test_once_events_come_back_nobody_knows_before_flower_tells_what_was_missed() -> None:
    world = watched(10.0)
    world.flower_goes()
    world.events_go()
    passes(world, 20.0)
    world.events_come()
    blind = overdue(passes(world, 100.0))
    world.flower_comes()
    world.ends("succeeded")
    assert (blind, overdue(passes(world, 30.0))) == (NO_ANSWER, 0.0)


def test_a_flower_that_starts_anew_begins_no_wait_anew_while_events_are_heard() -> None:
    world = watched(10.0)
    world.flower_begins_anew()
    assert overdue(passes(world, 80.0)) == pytest.approx(40.0)


def test_it_begins_the_wait_anew_where_they_are_not() -> None:
    world = watched(10.0)
    world.events_go()
    world.look()
    world.flower_begins_anew()
    assert overdue(passes(world, 80.0)) == 0.0


def test_the_silence_of_a_rhythm_is_known_while_flower_is_away() -> None:
    world = watched(scheduled=False)
    for _ in range(7):
        world.ends("succeeded")
        passes(world, 130.0)
    world.flower_goes()
    passes(world, 150.0)
    assert of(world, "rhythms").cells["missed"] == 2.0


def test_the_silence_of_a_scheduler_is_known_while_flower_is_away() -> None:
    beat = Watched(seen={"shop.tick": 0.0})
    beat.look(0.0)
    beat.gap, beat.by_events = NO_ANSWER, True
    assert beat.scheduler_at(215.0)["missed"] == 3.0


def test_a_worker_that_started_since_may_have_another_schedule() -> None:
    beat = Watched(seen={"shop.tick": 0.0})
    beat.look(-50.0)
    beat.gap, beat.by_events, beat.online = NO_ANSWER, True, ()
    beat.more = {"new@x": WorkerPlan(None, None)}
    assert beat.scheduler_at(215.0)["missed"] == NO_ANSWER
