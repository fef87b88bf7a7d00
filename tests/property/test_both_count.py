"""Flower and events both tell of tasks, and either may go and come back: each failure is counted once and listed once."""

from collections.abc import Callable, Mapping
from functools import partial

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders.both_tell import World

Step = Callable[[World], None]
FAILS, SUCCEEDS = partial(World.ends, how="failed"), partial(World.ends, how="succeeded")
COMES_AND_GOES: Mapping[str, Step] = {
    "look": World.look,
    "fails": FAILS,
    "succeeds": SUCCEEDS,
    "events go": World.events_go,
    "events come": World.events_come,
    "flower goes": World.flower_goes,
    "flower comes": World.flower_comes,
    "flower begins anew": World.flower_begins_anew,
}
ANYTHING: Mapping[str, Step] = {
    **COMES_AND_GOES,
    "fails, heard late by flower": partial(FAILS, late=True),
    "fails, told early by flower": partial(FAILS, early=True),
    "daemon begins anew": World.daemon_begins_anew,
}


def lived(steps: list[str]) -> World:
    world = World()
    for step in steps:
        ANYTHING[step](world)
    world.settles()
    return world


@given(st.lists(st.sampled_from(sorted(ANYTHING)), max_size=40))
@settings(max_examples=25, deadline=None)
def test_each_failure_is_counted_once_and_listed_once(steps: list[str]) -> None:
    world = lived(steps)
    assert world.counted["failed"] == world.ended["failed"]
    assert len(world.listed) == len(set(world.listed)) == world.ended["failed"]


@given(st.lists(st.sampled_from(sorted(COMES_AND_GOES)), max_size=40))
@settings(max_examples=25, deadline=None)
def test_each_success_is_counted_once_where_flower_hears_at_once(steps: list[str]) -> None:
    world = lived(steps)
    assert world.counted["succeeded"] == world.ended["succeeded"]


@given(st.lists(st.sampled_from(sorted(COMES_AND_GOES)), max_size=40))
@settings(max_examples=20, deadline=None)
def test_tasks_are_unknown_only_while_neither_tells_of_them(steps: list[str]) -> None:
    world = lived(steps)
    world.flower_goes()
    assert world.unread() is None
    world.events_go()
    assert world.unread() == "flower: no answer"
