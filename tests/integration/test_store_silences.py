"""Silences in a real file."""

from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from tests.builders.outbox import T0, commit, load, opened, plan
from watchdog.core.incidents.quiet.matchers import parse_matchers
from watchdog.core.incidents.quiet.silences import Silence
from watchdog.store import NotFoundError, Store
from watchdog.store.sql import DatabasePlace

DAY = 86400.0
GPUS = Silence("01AAAAAA", parse_matchers('rule=WorkerLost, name=~"celery@gpu-\\\\d+"'), T0, T0 + 7200, "new GPUs", "ops")
LATER = Silence("01AABBBB", parse_matchers("target=staging"), T0 + DAY, T0 + 2 * DAY)


@pytest.fixture
def store(place: DatabasePlace) -> Iterator[Store]:
    with opened(place) as one:
        yield one


def test_a_silence_comes_back_as_it_was_written_to_every_cycle(store: Store) -> None:
    store.add_silence(GPUS)
    store.add_silence(LATER)
    assert load(store).silences == load(store, "staging").silences == store.silences() == (GPUS, LATER)


def test_texts_that_are_no_utf_8_are_kept_as_escapes(store: Store) -> None:
    store.add_silence(Silence("01", parse_matchers("name=\udc80"), T0, T0 + 1, "\udc80"))
    assert [(str(one.matchers[0]), one.comment) for one in store.silences()] == [('name="\\\\udc80"', "\\udc80")]


def test_one_that_ended_more_than_a_day_before_the_last_cycle_is_not_loaded_but_listed(store: Store) -> None:
    store.add_silence(GPUS)
    commit(store, plan(at=GPUS.ends_at + DAY + 1))
    assert (load(store).silences, store.silences()) == ((), (GPUS,))


def test_a_silence_is_ended_by_the_beginning_of_its_id(store: Store) -> None:
    store.add_silence(GPUS)
    store.add_silence(LATER)
    assert store.expire_silence("01aaa", T0 + 60) == GPUS
    assert [one.ends_at for one in store.silences()] == [T0 + 60, LATER.ends_at]


def test_a_silence_that_is_amended_keeps_its_id(store: Store) -> None:
    store.add_silence(GPUS)
    asked = replace(GPUS, id="01AACCCC", ends_at=T0 + 9000, comment="takes longer", author="bob")
    changed = store.amend_silence(GPUS.id, asked, T0 + 60)
    assert store.silences() == (changed,) == (replace(asked, id=GPUS.id),)


def test_a_silence_that_cannot_be_amended_ends_and_another_begins(store: Store) -> None:
    store.add_silence(GPUS)
    asked = replace(LATER, id="01AACCCC", starts_at=T0)
    held = store.amend_silence(GPUS.id, asked, T0 + 60)
    assert store.silences() == (replace(GPUS, ends_at=T0 + 60), held) == (replace(GPUS, ends_at=T0 + 60), replace(asked, starts_at=T0 + 60))


def test_only_a_whole_id_names_the_silence_to_amend(store: Store) -> None:
    store.add_silence(GPUS)
    with pytest.raises(NotFoundError, match="silence not found"):
        store.amend_silence(GPUS.id[:-1], GPUS, T0 + 60)
    assert store.silences() == (GPUS,)


NOT_ONE = [("01A", "2 silences begin with 01A"), ("02", "no silence that has not ended begins with 02"), ("", "silence")]


@pytest.mark.parametrize(("named", "said"), NOT_ONE)
def test_an_id_that_does_not_name_one_silence_ends_none(store: Store, named: str, said: str) -> None:
    store.add_silence(GPUS)
    store.add_silence(LATER)
    with pytest.raises(NotFoundError, match=said):
        store.expire_silence(named, T0 + 60)
    assert store.silences() == (GPUS, LATER)


def test_one_that_has_ended_cannot_be_ended_again(store: Store) -> None:
    store.add_silence(GPUS)
    with pytest.raises(NotFoundError, match="no silence that has not ended"):
        store.expire_silence("01AAAAAA", GPUS.ends_at)


def test_silences_are_deleted_with_what_else_is_old(store: Store) -> None:
    store.add_silence(GPUS)
    store.retention(GPUS.ends_at + 31 * DAY)
    assert store.silences() == ()
