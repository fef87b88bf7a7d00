"""What a cycle read before is used again only where the file says the same."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

import watchdog.store
from tests.builders.outbox import T0, attempt, commit, incident, message, notice, opened, over, plan
from watchdog.core.incidents.messages import Event
from watchdog.core.incidents.outcome import Delivered, Later
from watchdog.core.incidents.payload import encode
from watchdog.core.incidents.plan import Loaded
from watchdog.core.model.severity import Severity
from watchdog.store import CachedTarget, Store, cycles
from watchdog.store.outbox import notification_log
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
    worse = replace(incident("A"), severity=Severity.CRITICAL, values={"length": 99.0})
    with opened(place) as beside:
        commit(beside, plan(message("B", notice("A", Event.ESCALATED, 7, Severity.CRITICAL)), incidents=[worse], at=T0 + 10))
        attempt(beside, Delivered(), now=T0 + 10)
    after = load(store, kept)
    assert after.open[0] == worse
    assert after.notified["01INCIDENTA", "ops"].sequence == 7
    assert after.open[1] is unchanged


def test_what_was_undone_by_a_recount_is_read(store: Store) -> None:
    kept = CachedTarget()
    commit(store, plan(message("B", notice("B")), at=T0 + 10))
    assert store.claim("ops", T0 + 10, "s1", encode) is not None
    assert load(store, kept).notified["01INCIDENTB", "ops"].event is Event.FIRST
    store.settle("01MESSAGEB", Later("refused", never_arrived=True), T0 + 10)
    assert ("01INCIDENTB", "ops") not in load(store, kept).notified


def test_every_statement_that_writes_such_rows_marks_them() -> None:
    sources = [path.read_text() for path in Path(watchdog.store.__file__).parent.rglob("*.py")]
    written = [found for text in sources for found in re.findall(r'(?:INSERT INTO|UPDATE) (?:incidents|told)\b[^"]*', text)]
    assert len(written) == 3  # incidents, what was said of them, and the same counted again
    for statement in (cycles._UPSERT, notification_log._COUNT, notification_log._NOTE):
        new, upserts, changed = statement.partition("DO UPDATE SET")
        assert "mark" in new
        assert ("mark" in changed) == bool(upserts)


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
    with opened(place) as beside:
        commit(beside, plan(incidents=[over(incident("B"))], at=T0 + 60))
    assert [one.id for one in load(store, kept).open] == ["01INCIDENTA"]
    assert load(store, kept).notified["01INCIDENTA", "ops"].event is Event.FIRST
