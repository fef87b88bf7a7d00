"""What is PostgreSQL's alone, beside the lease: connections that are lost or silent, and databases that are not watchdog's."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.builders.outbox import T0, attempt, commit, incident, load, message, opened, plan
from tests.servers.postgresql import RealPostgreSQL
from tests.servers.waiting import until
from watchdog.core.incidents.outcome import Delivered
from watchdog.core.model.servers.database_url import DatabaseUrl
from watchdog.store import Store, StoreError
from watchdog.store.migrations import STEPS
from watchdog.store.postgresql.connection import PostgresConnection
from watchdog.store.postgresql.copying import copy
from watchdog.store.postgresql.database import WRITERS


@pytest.fixture
def url(postgresql_server: RealPostgreSQL) -> DatabaseUrl:
    return DatabaseUrl(postgresql_server.emptied_database())


@pytest.fixture
def store(url: DatabaseUrl) -> Iterator[Store]:
    with opened(url) as one:
        yield one


def written_by_another(url: DatabaseUrl, statement: str) -> None:
    with psycopg.connect(url.reveal(), autocommit=True) as connection:
        connection.execute(statement.encode())


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


def test_one_that_is_opened_again_and_finds_others_writing_can_be_read_afterwards(url: DatabaseUrl) -> None:
    with opened(url) as store, psycopg.connect(url.reveal(), autocommit=True) as other:
        other.execute(f"SELECT pg_advisory_lock({WRITERS}), pg_terminate_backend({backend_of(store)})".encode())
        with pytest.raises(StoreError, match="writes for too long"):
            commit(store, plan(incidents=[incident()]))
        assert store.incidents() == ()


def test_a_statement_whose_client_died_is_ended_by_the_server(store: Store) -> None:
    backend, connection = backend_of(store), store._file.connection()
    assert isinstance(connection, PostgresConnection)
    connection.raw.pgconn.send_query(b"SELECT pg_sleep(60)")
    connection.close()
    until(lambda: not Path(f"/proc/{backend}").exists(), 10, "its backend to end")


def test_a_server_that_is_silent_costs_a_bounded_time(store: Store) -> None:
    frozen = backend_of(store)
    os.kill(frozen, signal.SIGSTOP)
    try:
        with pytest.raises(StoreError, match="did not answer in time"):
            store.incidents()
        assert store.incidents() == ()
    finally:
        os.kill(frozen, signal.SIGCONT)


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
