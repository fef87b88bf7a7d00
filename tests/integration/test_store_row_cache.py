"""What a cycle read before is used again only where the file says the same."""

from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from tests.builders.outbox import T0, attempt, commit, incident, message, opened, plan
from watchdog.core.incidents.messages import Event
from watchdog.core.incidents.outcome import Delivered
from watchdog.core.incidents.plan import Loaded
from watchdog.store import CachedTarget, Store
from watchdog.store.sql import DatabasePlace


@pytest.fixture
def store(place: DatabasePlace) -> Iterator[Store]:
    with opened(place) as one:
        commit(one, plan(message("A"), incidents=[incident("A"), incident("B")]))
        attempt(one, Delivered())
        yield one


def load(store: Store, kept: CachedTarget) -> Loaded:
    with store.cycle() as transaction:
        return transaction.load("prod", kept)


def test_what_did_not_change_is_the_same_object(store: Store) -> None:
    kept = CachedTarget()
    before, after = load(store, kept), load(store, kept)
    assert [id(one) for one in after.open] == [id(one) for one in before.open]
    assert {key: id(told) for key, told in after.notified.items()} == {key: id(told) for key, told in before.notified.items()}


def test_what_another_process_wrote_is_read(store: Store, place: DatabasePlace) -> None:
    kept = CachedTarget()
    unchanged = load(store, kept).open[1]
    with opened(place) as beside, beside._file.writing() as other:
        other.execute("UPDATE incidents SET severity = 'critical', \"values\" = '{\"length\":99.0}' WHERE id = '01INCIDENTA'")
        other.execute("UPDATE told SET sequence = 7")
    after = load(store, kept)
    assert (after.open[0].severity, after.open[0].values) == ("critical", {"length": 99.0})
    assert after.notified["01INCIDENTA", "ops"].sequence == 7
    assert after.open[1] is unchanged


def test_what_was_rolled_back_is_not_believed(store: Store) -> None:
    kept = CachedTarget()
    before = load(store, kept)

    def fails_late() -> None:
        with store.cycle() as transaction:
            transaction.commit(plan(incidents=[replace(incident("A"), summary="never written")], at=T0 + 10))
            assert transaction.load("prod", kept).open[0].summary == "never written"
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails_late()
    assert load(store, kept).open == before.open


def test_what_ended_is_not_kept(store: Store, place: DatabasePlace) -> None:
    kept = CachedTarget()
    load(store, kept)
    with opened(place) as beside, beside._file.writing() as other:
        other.execute("UPDATE incidents SET state = 'resolved' WHERE id = '01INCIDENTB'")
    assert [one.id for one in load(store, kept).open] == ["01INCIDENTA"]
    assert load(store, kept).notified["01INCIDENTA", "ops"].event is Event.FIRST
