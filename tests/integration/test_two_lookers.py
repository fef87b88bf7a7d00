"""Two lookers at one target: whoever commits first is right, and the other one writes nothing and continues from there."""

from collections.abc import Iterator

import pytest

from tests.builders.lookers import Looker, World
from tests.builders.outbox import T0, load, opened
from watchdog.core.history.frames import looks_of
from watchdog.core.incidents.routing import Recipient
from watchdog.core.model.queries import ReadEventCounters
from watchdog.daemon.handover import Handover, hand_over
from watchdog.store import OvertakenError, Store
from watchdog.store.sql import DatabasePlace


@pytest.fixture
def store(place: DatabasePlace) -> Iterator[Store]:
    with opened(place) as one:
        yield one


@pytest.fixture
def other_store(store: Store) -> Iterator[Store]:
    """The same database, from another process."""
    with Store.open(store.path, busy_timeout_s=0.5) as one:
        yield one


@pytest.fixture
def world() -> World:
    return World(lambda now: {"orders": 60.0 if now >= T0 else 0.0}, lambda now: (now - T0) * 10 + 10_000, T0)


@pytest.fixture
def first(store: Store, world: World) -> Looker:
    return Looker(store, world)


@pytest.fixture
def second(other_store: Store, world: World) -> Looker:
    return Looker(other_store, world)


def messages(store: Store) -> list[str]:
    return [one.id for one in store.outbox_shown().messages]


def test_a_look_that_another_overtook_is_refused(first: Looker, second: Looker, world: World) -> None:
    world.meanwhile = second.look
    with pytest.raises(OvertakenError, match="cycle 1 was committed since this one began after cycle 0"):
        first.cycle.run()


def test_of_two_that_see_a_fault_one_opens_the_incident_and_tells_it(first: Looker, second: Looker, world: World, store: Store) -> None:
    world.meanwhile = second.look
    assert first.look() is None
    assert [one.rule for one in load(store).open] == ["QueueBacklogHigh"]
    assert len(messages(store)) == 2, "one for each receiver"


def test_the_next_look_of_who_was_overtaken_continues_from_the_other(first: Looker, second: Looker, world: World, store: Store) -> None:
    world.meanwhile = second.look
    first.look()
    world.now += 10
    done = first.look()
    assert done is not None
    assert [row.cells["high_for"] for row in done.seen.windows[300.0]["queues"].rows] == [2.0]
    assert store.last_cycle("prod") == 2


def test_what_another_saw_is_remembered(first: Looker, second: Looker, world: World) -> None:
    for looker in (first, second, first, second):
        done = looker.look()
        world.now += 10
    assert done is not None
    assert [row.cells["high_for"] for row in done.seen.windows[300.0]["queues"].rows] == [4.0]


def test_an_answer_from_before_anothers_look_is_not_used_again(first: Looker, second: Looker, world: World) -> None:
    """Counters that fall are those of a Flower that was started anew: all that they count would count twice."""
    for looker in (first, second, first):
        done = looker.look()
        world.now += 1
    assert done is not None
    assert [row.cells["handled"] for row in done.seen.windows[300.0]["queues"].rows] == [10.0]


def test_what_another_target_was_told_before_anothers_look_is_not_used_either(first: Looker, second: Looker, world: World) -> None:
    for looker in (first, first, second, first):
        looker.look()
        world.now += 1
    assert first.sources["flower"].forgot == 2, "before its first look, and after that of another"


@pytest.mark.parametrize("alone", [True, False])
def test_one_that_nobody_disturbs_reuses_its_answers(store: Store, world: World, alone: bool) -> None:
    looker = Looker(store, world, alone=alone)
    for _ in range(3):
        looker.look()
        world.now += 1
    assert looker.asked(ReadEventCounters) == 1


def test_one_that_was_overtaken_although_it_is_alone_continues_too(store: Store, second: Looker, world: World) -> None:
    surprised = Looker(store, world, alone=True)
    surprised.look()
    second.look()
    assert [surprised.look() is None, surprised.look() is None] == [True, False]


def test_the_rows_of_every_look_are_kept_whoever_looked(first: Looker, second: Looker, world: World, store: Store) -> None:
    seen = []
    world.lengths = lambda now: {"orders": 70.0 if now == T0 + 20 else 60.0}  # which the second one sees alone
    for looker in (first, first, second, first, second, second):
        done = looker.look()
        assert done is not None
        seen.append(done.seen.windows[300.0]["queues"].rows)
        world.now += 10
    kept = list(looks_of(store.frames("prod", 0.0, world.now)))
    assert [look.windows[300.0]["queues"].rows for look in kept] == seen


# --- from one configuration to the next -----------------------------------------------------------------------------------


def handed_over(store: Store, fingerprint: str, *targets: str) -> None:
    """A daemon begins with a configuration."""
    hand_over(store, Handover((Recipient("ops"),), frozenset(targets), "watchdog", {}, {}, fingerprint), T0)


def test_a_look_by_the_configuration_in_force_is_committed(store: Store, other_store: Store, world: World) -> None:
    handed_over(store, "f1", "prod")
    assert Looker(other_store, world, configuration="f1").look() is not None


def test_a_look_that_began_before_a_handover_opens_nothing_at_a_target_that_is_no_longer_watched(
    store: Store, other_store: Store, world: World
) -> None:
    handed_over(store, "f1", "prod")
    world.meanwhile = lambda: handed_over(store, "f2")
    assert Looker(other_store, world, configuration="f1").look() is None
    assert (load(store).open, messages(store)) == ((), [])


def test_a_look_by_a_configuration_that_is_no_longer_in_force_is_refused(store: Store, other_store: Store, world: World) -> None:
    handed_over(store, "f2")
    with pytest.raises(OvertakenError, match="another configuration is in force than f1, by which this look was made; nothing was written"):
        Looker(other_store, world, configuration="f1").cycle.run()


def test_without_an_engine_nobody_looks_beside_the_daemon(store: Store, other_store: Store, world: World) -> None:
    handed_over(store, "f1", "prod")
    handed_over(store, "", "prod")
    assert Looker(other_store, world, configuration="f1").look() is None
