"""Deploys in a real file."""

from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from tests.builders.outbox import T0, commit, load, opened, plan
from watchdog.core.incidents.quiet.deploys import Deploy
from watchdog.store import NotFoundError, Store
from watchdog.store.sql import DatabasePlace

DAY = 86400.0
V1 = Deploy("01V1", "v1", ("*",), T0, T0 + 600, "ci")
V2 = Deploy("01V2", "v2", ("prod-*", "shared"), T0 + 60, T0 + 660)


@pytest.fixture
def store(place: DatabasePlace) -> Iterator[Store]:
    with opened(place) as one:
        yield one


def test_a_deploy_comes_back_as_it_was_written_to_every_cycle(store: Store) -> None:
    assert store.start_deploy(V1) == store.start_deploy(V2) == ()
    assert load(store).deploys == load(store, "staging").deploys == store.deploys() == (V1, V2)


def test_a_deploy_ends_those_that_it_replaces(store: Store) -> None:
    store.start_deploy(V2)
    later = replace(V1, starts_at=T0 + 120)
    assert store.start_deploy(later) == (V2,)
    assert store.deploys() == (later, replace(V2, ends_at=T0 + 120))


def test_one_that_has_ended_is_replaced_by_none(store: Store) -> None:
    store.start_deploy(V1)
    assert store.start_deploy(replace(V1, id="01V3", starts_at=T0 + 700, ends_at=T0 + 800)) == ()
    assert store.deploys()[0] == V1


def test_the_only_one_that_goes_on_needs_no_name_to_be_ended(store: Store) -> None:
    store.start_deploy(V1)
    assert store.end_deploy(None, T0 + 30) == (replace(V1, ends_at=T0 + 30),)
    assert store.deploys() == (replace(V1, ends_at=T0 + 30),)


def test_of_several_one_must_be_named(store: Store) -> None:
    store.start_deploy(V1)
    store.start_deploy(V2)
    with pytest.raises(NotFoundError, match=r"2 deploys go on: v1 \(\*\), v2 \(prod-\*, shared\); name"):
        store.end_deploy(None, T0 + 90)
    assert [one.version for one in store.end_deploy("v2", T0 + 90)] == ["v2"]
    assert [one.covers(T0 + 90) for one in store.deploys()] == [True, False]


def test_to_end_what_has_ended_changes_nothing(store: Store) -> None:
    assert store.end_deploy(None, T0) == ()
    store.start_deploy(V1)
    assert store.end_deploy("v1", T0 + 900) == store.end_deploy(None, T0 + 900) == ()
    assert store.deploys() == (V1,)


def test_a_version_that_was_never_deployed_cannot_be_ended(store: Store) -> None:
    with pytest.raises(NotFoundError, match='no deploy "v9"; there was none'):
        store.end_deploy("v9", T0)
    store.start_deploy(V1)
    with pytest.raises(NotFoundError, match=r'no deploy "v9"; going on: v1 \(\*\)'):
        store.end_deploy("v9", T0)
    with pytest.raises(NotFoundError, match='no deploy "v9"; the last one was v1'):
        store.end_deploy("v9", T0 + 700)


def test_one_that_ended_more_than_a_day_before_the_last_cycle_is_not_loaded_but_listed(store: Store) -> None:
    store.start_deploy(V1)
    commit(store, plan(at=V1.ends_at + DAY + 1))
    assert (load(store).deploys, store.deploys()) == ((), (V1,))


def test_deploys_are_deleted_with_what_else_is_old(store: Store) -> None:
    store.start_deploy(V1)
    store.retention(V1.ends_at + 31 * DAY)
    assert store.deploys() == ()
