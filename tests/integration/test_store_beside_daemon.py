"""PostgreSQL as several processes use it: opened beside the daemon that has the lease, and cycles that are committed side by side."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from tests.builders.lookers import Looker, World
from tests.builders.outbox import T0, commit, incident, load, message, opened, plan
from tests.servers.postgresql import RealPostgreSQL
from watchdog.core.model.servers.database_url import DatabaseUrl
from watchdog.store import NotApartError, Store, StoreError, UnsureError
from watchdog.store.migrations import STEPS
from watchdog.store.postgresql import lease
from watchdog.store.postgresql.connection import PostgresConnection
from watchdog.store.postgresql.database import WRITERS


@pytest.fixture
def url(postgresql_server: RealPostgreSQL) -> DatabaseUrl:
    return DatabaseUrl(postgresql_server.emptied_database())


@pytest.fixture
def store(url: DatabaseUrl) -> Iterator[Store]:
    with opened(url) as one:
        yield one


@pytest.fixture
def beside(store: Store, url: DatabaseUrl) -> Iterator[Store]:
    with Store.beside_daemon(url, busy_timeout_s=0.5) as one:
        yield one


@pytest.fixture
def empty(postgresql_server: RealPostgreSQL) -> DatabaseUrl:
    return DatabaseUrl(postgresql_server.new_database())


def number_of_tables(url: DatabaseUrl) -> int:
    with psycopg.connect(url.reveal()) as connection:
        [found] = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone() or (0,)
    return int(found)


def at_version(url: DatabaseUrl, version: int) -> None:
    with psycopg.connect(url.reveal(), autocommit=True) as connection:
        connection.execute("UPDATE watchdog_schema SET version = %s", (version,))


# --- opened without a lease ---------------------------------------------------------------------------------------------


def test_it_writes_while_another_has_the_lease(store: Store, beside: Store) -> None:
    with store.lease(), beside.cycle() as transaction:
        transaction.commit(plan(incidents=[incident()]))
    assert load(store).open == (incident(),)


def test_before_the_first_daemon_it_is_refused_and_makes_nothing(empty: DatabaseUrl) -> None:
    with pytest.raises(StoreError, match="holds nothing of watchdog yet; start `watchdog run` of this version first"):
        Store.beside_daemon(empty)
    assert number_of_tables(empty) == 0


@pytest.mark.parametrize("version", [len(STEPS) - 1, len(STEPS) + 1])
def test_another_version_is_refused_and_left_as_it_is(empty: DatabaseUrl, version: int) -> None:
    Store.open(empty).close()
    at_version(empty, version)
    with pytest.raises(StoreError, match=f"is of version {version}, this watchdog"):
        Store.beside_daemon(empty)


def test_it_writes_nothing_once_a_newer_watchdog_has_changed_the_tables(empty: DatabaseUrl) -> None:
    with Store.open(empty), Store.beside_daemon(empty) as beside:
        at_version(empty, len(STEPS) + 1)
        with pytest.raises(StoreError, match="a newer watchdog changed its tables, nothing was written"), beside.cycle():
            raise AssertionError("it must not come this far")


def test_a_file_is_refused(tmp_path: Path) -> None:
    Store.open(tmp_path / "watchdog.db").close()
    with pytest.raises(StoreError, match="at which one daemon works alone; several look at targets only with PostgreSQL"):
        Store.beside_daemon(tmp_path / "watchdog.db")


# --- side by side -------------------------------------------------------------------------------------------------------


def test_cycles_of_two_targets_that_change_nothing_are_committed_side_by_side(store: Store, beside: Store) -> None:
    with store.cycle("prod") as first, beside.cycle("staging") as second:
        first.commit(plan())
        second.commit(plan(target="staging"))
    assert [store.last_cycle("prod"), store.last_cycle("staging")] == [1, 1]


def test_a_cycle_of_the_same_target_waits(store: Store, beside: Store) -> None:
    with store.cycle("prod"), pytest.raises(StoreError, match="writes for too long"), beside.cycle("prod"):
        raise AssertionError("it must not come this far")


def test_whoever_changes_something_waits_for_those_that_do_not(store: Store, beside: Store) -> None:
    with store.cycle("prod"), pytest.raises(StoreError, match="writes for too long"), beside.cycle():
        raise AssertionError("it must not come this far")


def test_those_that_change_nothing_wait_for_who_does(store: Store, beside: Store) -> None:
    with store.cycle(), pytest.raises(StoreError, match="writes for too long"), beside.cycle("prod"):
        raise AssertionError("it must not come this far")


@pytest.mark.parametrize("changing", [plan(incidents=[incident()]), plan(message("1")), plan(withdrawn=["01MESSAGE1"])])
def test_what_others_read_is_not_written_side_by_side(store: Store, changing: object) -> None:
    with pytest.raises(NotApartError, match="what its cycle changes is not written beside"), store.cycle("prod") as transaction:
        transaction.commit(changing)  # type: ignore[arg-type]
    assert store.last_cycle("prod") == 0


def test_a_look_goes_on_beside_another_target_until_it_sees_a_fault(store: Store, beside: Store) -> None:
    world = World(lambda now: {"orders": 60.0 if now > T0 else 0.0}, now=T0)
    looker = Looker(store, world)
    with beside.cycle("staging"):
        assert looker.look() is not None
        world.now += 10
        with pytest.raises(StoreError, match="writes for too long"):
            looker.look()
    assert looker.look() is not None
    assert [one.rule for one in load(store).open] == ["QueueBacklogHigh"]


@pytest.mark.parametrize("lock", [f"pg_advisory_xact_lock({WRITERS})", f"pg_advisory_xact_lock_shared({WRITERS})"])
def test_one_that_is_frozen_in_the_middle_of_a_batch_keeps_nobody_from_writing_for_long(
    store: Store, url: DatabaseUrl, monkeypatch: pytest.MonkeyPatch, lock: str
) -> None:
    monkeypatch.setattr(lease, "TTL_S", 0.2)
    frozen = psycopg.connect(url.reveal(), autocommit=True, application_name="watchdog 0123")
    frozen.execute(f"BEGIN; SELECT {lock}".encode())
    frozen.pgconn.enter_pipeline_mode()
    frozen.pgconn.send_query_params(b"SELECT 1", None)
    frozen.pgconn.send_flush_request()
    frozen.pgconn.flush()
    with closing(frozen):
        with pytest.raises(StoreError, match="writes for too long"):
            commit(store, plan())
        commit(store, plan())
    assert store.last_cycle("prod") == 1


def test_one_that_is_at_work_is_waited_for_and_not_ended(store: Store, beside: Store) -> None:
    with beside.cycle() as transaction:
        with pytest.raises(StoreError, match="writes for too long"):
            commit(store, plan())
        transaction.commit(plan())
    assert store.last_cycle("prod") == 1


# --- a commit of which nothing is known ---------------------------------------------------------------------------------


@pytest.mark.parametrize("arrives", [True, False])
def test_the_look_after_one_whose_commit_is_unknown_continues_from_what_is_there(
    store: Store, monkeypatch: pytest.MonkeyPatch, arrives: bool
) -> None:
    world = World(lambda _: {"orders": 60.0}, now=T0)
    looker, run = Looker(store, world, alone=True), PostgresConnection.run
    looker.look()

    def lost_at_commit(self: PostgresConnection, *statements: str) -> None:
        if statements != ("COMMIT",) or arrives:
            run(self, *statements)
        if statements == ("COMMIT",):
            self.close()
            raise psycopg.OperationalError("the connection is lost")

    monkeypatch.setattr(PostgresConnection, "run", lost_at_commit)
    world.now += 10
    with pytest.raises(UnsureError):
        looker.look()
    monkeypatch.setattr(PostgresConnection, "run", run)
    world.now += 10
    done = looker.look()
    assert done is not None
    assert [row.cells["high_for"] for row in done.seen.windows[300.0]["queues"].rows] == [3.0 if arrives else 2.0]
