"""What is PostgreSQL's alone: the lease, connections that are lost or silent, and databases that are not watchdog's."""

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.builders.outbox import T0, attempt, commit, incident, load, message, opened, plan
from tests.servers.postgresql import RealPostgreSQL
from watchdog.core.incidents.outcome import Delivered
from watchdog.core.incidents.payload import encode
from watchdog.core.model.servers.database_url import DatabaseUrl
from watchdog.store import Store, StoreError
from watchdog.store.migrations import STEPS
from watchdog.store.postgresql import lease
from watchdog.store.postgresql.connection import PostgresConnection
from watchdog.store.postgresql.copying import copy
from watchdog.store.postgresql.database import WRITERS, PostgresDatabase
from watchdog.store.refusals import UnsureError

LEFT_ALONE = "UPDATE lease SET until = clock_timestamp() - interval '1 second'"


@pytest.fixture
def url(postgresql_server: RealPostgreSQL) -> DatabaseUrl:
    return DatabaseUrl(postgresql_server.emptied_database())


@pytest.fixture
def store(url: DatabaseUrl) -> Iterator[Store]:
    with opened(url) as one:
        yield one


@pytest.fixture
def database(url: DatabaseUrl) -> Iterator[PostgresDatabase]:
    """One whose loss of the lease ends no test."""
    losses: list[str] = []
    one = PostgresDatabase(url, busy_timeout_s=0.5, lost=lambda: losses.append("lost"))
    one.open("watchdog run")
    yield one
    one.close()


def written_by_another(url: DatabaseUrl, statement: str) -> None:
    with psycopg.connect(url.reveal(), autocommit=True) as connection:
        connection.execute(statement.encode())


# --- the lease ----------------------------------------------------------------------------------------------------------


def test_whoever_finds_it_renewed_is_refused_and_told_who_holds_it(store: Store, database: PostgresDatabase) -> None:
    with store.lease(), pytest.raises(StoreError, match=rf"another watchdog \(.*, pid {os.getpid()}\) uses postgresql://"):
        lease.take(database)


def test_one_that_was_given_back_is_free_at_once(store: Store, database: PostgresDatabase) -> None:
    with store.lease():
        pass
    with database.lease():
        assert store.watched().now is True


def test_one_whose_holder_died_is_waited_for(database: PostgresDatabase, url: DatabaseUrl) -> None:
    first = lease.take(database)  # nobody renews it
    assert lease.take(database, pause=lambda _: written_by_another(url, LEFT_ALONE)) == first + 1


def test_one_that_is_frozen_in_the_middle_of_a_batch_does_not_keep_others_from_it(database: PostgresDatabase, url: DatabaseUrl) -> None:
    """PostgreSQL ends a transaction that is idle, but not one in the middle of what psycopg sends as a pipeline."""
    written_by_another(url, "UPDATE lease SET session = 'frozen', until = '-infinity'")
    frozen = psycopg.connect(url.reveal(), autocommit=True, application_name="frozen")
    frozen.execute(f"BEGIN; SELECT pg_advisory_xact_lock({WRITERS})".encode())
    ended = pytest.raises(psycopg.OperationalError, match="server closed the connection")
    with ended, frozen.pipeline():
        frozen.execute("UPDATE changes SET number = 7")
        frozen.pgconn.send_flush_request()
        frozen.pgconn.flush()
        assert lease.take(database) > 0
    frozen.close()


def test_who_lost_it_writes_nothing(database: PostgresDatabase, url: DatabaseUrl) -> None:
    database._epoch = lease.take(database)
    written_by_another(url, LEFT_ALONE)
    refused = pytest.raises(StoreError, match="another watchdog took over, nothing was written")
    with opened(url) as other, other.lease(), refused, database.writing():
        raise AssertionError("it must not come this far")


def test_who_lost_it_is_told_by_its_renewal(database: PostgresDatabase, url: DatabaseUrl, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "RENEW_S", 0.05)
    lost = threading.Event()
    epoch = lease.take(database)
    renewal = lease.Renewal(database, epoch, lost.set)
    written_by_another(url, "UPDATE lease SET epoch = epoch + 1")
    assert lost.wait(10)
    renewal.give_back()


def test_one_that_could_not_be_renewed_in_time_is_kept_while_nobody_takes_it(database: PostgresDatabase, url: DatabaseUrl) -> None:
    database._epoch = lease.take(database)
    written_by_another(url, LEFT_ALONE)
    with database.writing() as connection:
        assert connection.execute("SELECT 1 AS one").fetchone()["one"] == 1


# --- connections --------------------------------------------------------------------------------------------------------


def backend_of(store: Store) -> int:
    connection = store._file.connection()
    assert isinstance(connection, PostgresConnection)
    return connection.raw.info.backend_pid


def test_a_connection_that_was_ended_is_opened_again(store: Store, url: DatabaseUrl) -> None:
    written_by_another(url, f"SELECT pg_terminate_backend({backend_of(store)})")
    with pytest.raises(StoreError, match="connects again by itself"):
        store.incidents()
    assert store.incidents() == ()


def test_a_transaction_is_begun_anew_on_a_connection_that_was_lost_since_the_last(store: Store, url: DatabaseUrl) -> None:
    written_by_another(url, f"SELECT pg_terminate_backend({backend_of(store)})")
    commit(store, plan(incidents=[incident()]))
    assert load(store).open == (incident(),)


def test_a_server_that_is_silent_costs_a_bounded_time(store: Store) -> None:
    frozen = backend_of(store)
    os.kill(frozen, signal.SIGSTOP)
    try:
        with pytest.raises(StoreError, match="did not answer in time"):
            store.incidents()
        assert store.incidents() == ()
    finally:
        os.kill(frozen, signal.SIGCONT)


def test_a_message_whose_claim_was_committed_unseen_is_claimed_again(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    commit(store, plan(message("1"), incidents=[incident()]))
    run = PostgresConnection.run

    def lost_at_commit(self: PostgresConnection, *statements: str) -> None:
        run(self, *statements)
        if statements == ("COMMIT",):
            self.close()
            raise psycopg.OperationalError("the connection is lost")

    monkeypatch.setattr(PostgresConnection, "run", lost_at_commit)
    with pytest.raises(UnsureError, match="it is not known whether it was"):
        store.claim("ops", T0, "s1", encode)
    monkeypatch.setattr(PostgresConnection, "run", run)
    assert attempt(store, Delivered()) == "01MESSAGE1"


def test_a_message_that_is_being_sent_is_not_taken_back(store: Store) -> None:
    commit(store, plan(message("1"), incidents=[incident()]))
    store.claim("ops", T0, "s1", encode)
    store._unsure["ops"] = "1"  # the mark of something else
    assert store.claim("ops", T0, "s1", encode) is None


# --- databases that are not watchdog's ----------------------------------------------------------------------------------


@pytest.fixture
def empty(postgresql_server: RealPostgreSQL) -> DatabaseUrl:
    return DatabaseUrl(postgresql_server.new_database())


def test_another_programs_tables_are_left_alone(empty: DatabaseUrl) -> None:
    written_by_another(empty, "CREATE TABLE songs (title TEXT)")
    with pytest.raises(StoreError, match="holds tables of another program, and was left as it is"):
        Store.open(empty)


def test_a_newer_schema_is_left_alone(empty: DatabaseUrl) -> None:
    Store.open(empty).close()
    written_by_another(empty, "UPDATE watchdog_schema SET version = 999")
    with pytest.raises(StoreError, match=f"knows versions up to {len(STEPS)}"):
        Store.open(empty)


def test_who_only_reads_creates_nothing(empty: DatabaseUrl) -> None:
    with pytest.raises(StoreError, match="`watchdog run` creates its tables"):
        Store.open(empty, create=False)


def test_a_database_that_is_not_there_is_named(empty: DatabaseUrl) -> None:
    with pytest.raises(StoreError, match="there is no database of this name; CREATE DATABASE makes it"):
        Store.open(DatabaseUrl(f"{empty.reveal()}_2"))


# --- moving a file ------------------------------------------------------------------------------------------------------


def test_a_copied_file_goes_on_where_it_was(tmp_path: Path, url: DatabaseUrl) -> None:
    with opened(tmp_path) as file:
        commit(file, plan(message("1"), message("2", receiver="chat"), incidents=[incident()]))
        attempt(file, Delivered())
        before = load(file)
    rows = copy(tmp_path / "watchdog.db", url, "watchdog database copy")
    with opened(url) as store:
        assert (rows["incidents"], rows["messages"], load(store)) == (1, 2, before)
        commit(store, plan(message("3"), at=T0 + 10))
        assert [one.id for one in load(store).waiting] == ["01MESSAGE2", "01MESSAGE3"]


def test_a_file_that_a_daemon_uses_is_not_copied(tmp_path: Path, url: DatabaseUrl) -> None:
    with opened(tmp_path) as file, file.lease(), pytest.raises(StoreError, match="another watchdog"):
        copy(tmp_path / "watchdog.db", url, "watchdog database copy")


def test_a_database_that_was_written_to_is_left_alone(tmp_path: Path, store: Store, url: DatabaseUrl) -> None:
    commit(store, plan())
    with opened(tmp_path) as file:
        commit(file, plan(incidents=[incident()]))
    with pytest.raises(StoreError, match="holds what a watchdog wrote already"):
        copy(tmp_path / "watchdog.db", url, "watchdog database copy")
