"""Who stands by on PostgreSQL: known to all while it waits, and in an order with those of other versions."""

from collections.abc import Iterator
from contextlib import ExitStack

import psycopg
import pytest

from tests.builders.outbox import opened
from tests.servers.postgresql import RealPostgreSQL
from watchdog.core.model.servers.database_url import DatabaseUrl
from watchdog.store import Store, StoreError
from watchdog.store.migrations import STEPS
from watchdog.store.postgresql import database as database_module
from watchdog.store.postgresql import lease, schema, standbys
from watchdog.store.postgresql.database import PostgresDatabase
from watchdog.store.sql import Daemons, StandBy


@pytest.fixture
def url(postgresql_server: RealPostgreSQL) -> DatabaseUrl:
    return DatabaseUrl(postgresql_server.emptied_database())


@pytest.fixture
def empty(postgresql_server: RealPostgreSQL) -> DatabaseUrl:
    return DatabaseUrl(postgresql_server.new_database())


@pytest.fixture
def store(url: DatabaseUrl) -> Iterator[Store]:
    with opened(url) as one:
        yield one


def written_by_another(url: DatabaseUrl, statement: str) -> None:
    with psycopg.connect(url.reveal(), autocommit=True) as connection:
        connection.execute(statement.encode())


def test_who_stands_by_is_known_until_it_is_gone(store: Store, url: DatabaseUrl) -> None:
    seen: list[Daemons | None] = []

    def wait(standing_by: StandBy) -> bool:
        seen.append(store.daemons())
        if len(seen) == 2:
            written_by_another(url, f"UPDATE standbys SET seen_at = seen_at - make_interval(secs => {standbys.GONE_S})")
        return len(seen) < 3

    with store.lease(), opened(url) as other, pytest.raises(StoreError), other.lease(wait):
        raise AssertionError("it must not come this far")
    me = lease.own_name()
    assert [*seen, store.daemons()] == [Daemons(me), Daemons(me, (me,)), Daemons(me), Daemons()]


def test_who_took_over_stands_by_no_longer(store: Store, url: DatabaseUrl) -> None:
    with opened(url) as other, ExitStack() as first:
        first.enter_context(store.lease())
        waited: list[StandBy] = []

        def wait(standing_by: StandBy) -> bool:
            waited.append(standing_by)
            if len(waited) == 2:
                first.close()
            return True

        with other.lease(wait):
            assert store.daemons() == Daemons(lease.own_name())
    assert waited[0].holder == lease.own_name()


def test_who_waits_without_the_database_does_not_know_for_whom(url: DatabaseUrl) -> None:
    nowhere = PostgresDatabase(DatabaseUrl("postgresql://shop@127.0.0.1:1/watchdog"))
    seen: list[StandBy] = []

    def wait(standing_by: StandBy) -> bool:
        seen.append(standing_by)
        return False

    with pytest.raises(StoreError), nowhere.lease(wait):
        raise AssertionError("it must not come this far")
    assert [(one.holder, "nothing listens there" in one.reason) for one in seen] == [("", True)]


def of_version(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (database_module, schema):
        monkeypatch.setattr(module, "STEPS", STEPS[:number])


def test_a_newer_watchdog_waits_for_an_older_one_and_then_changes_the_schema(empty: DatabaseUrl, monkeypatch: pytest.MonkeyPatch) -> None:
    of_version(len(STEPS) - 1, monkeypatch)
    with ExitStack() as older:
        holder = older.enter_context(Store.open(empty))
        older.enter_context(holder.lease())
        monkeypatch.undo()
        with Store.open(empty) as newer:
            with pytest.raises(StoreError, match="an older watchdog works on it"):
                newer.check_current()

            def wait(standing_by: StandBy) -> bool:
                older.close()
                return standing_by.older

            with newer.lease(wait):
                newer.check_current()


def test_an_older_watchdog_gives_back_a_lease_on_a_newer_schema(empty: DatabaseUrl, monkeypatch: pytest.MonkeyPatch) -> None:
    of_version(len(STEPS) - 1, monkeypatch)
    with Store.open(empty) as older:
        monkeypatch.undo()
        Store.open(empty).close()
        of_version(len(STEPS) - 1, monkeypatch)
        with pytest.raises(StoreError, match="install the newer watchdog again"), older.lease():
            raise AssertionError("it must not come this far")
        assert older.daemons() == Daemons()


def test_a_command_that_writes_does_not_wait_for_an_older_watchdog(empty: DatabaseUrl, monkeypatch: pytest.MonkeyPatch) -> None:
    of_version(len(STEPS) - 1, monkeypatch)
    with Store.open(empty) as older, older.lease():
        monkeypatch.undo()
        with pytest.raises(StoreError, match=r"runs an older watchdog on .*; stop it first"):
            Store.open(empty, create=False, write=True)
