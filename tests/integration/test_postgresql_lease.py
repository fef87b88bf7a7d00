"""The lease of a PostgreSQL database: who may take it and when, and what who lost it may do: nothing, not even send what it claimed."""

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from tests.builders.outbox import T0, FakeReceiver, commit, incident, message, opened, plan
from tests.servers.postgresql import RealPostgreSQL
from tests.servers.waiting import until
from watchdog.core.incidents.payload import encode
from watchdog.core.model.servers.database_url import DatabaseUrl
from watchdog.daemon.delivery import Delivery
from watchdog.store import Claimed, Store, StoreError
from watchdog.store.postgresql import lease
from watchdog.store.postgresql.connection import PostgresConnection
from watchdog.store.postgresql.database import WRITERS, PostgresDatabase
from watchdog.store.refusals import UnsureError
from watchdog.store.sql import StandBy

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


@pytest.fixture
def holder(url: DatabaseUrl) -> Iterator[psycopg.Connection]:
    """The connection of another that holds the lease and lives, as far as the database knows."""
    written_by_another(url, "UPDATE lease SET session = 'the other', until = clock_timestamp() + interval '1 hour'")
    with psycopg.connect(url.reveal(), autocommit=True, application_name="the other") as connection:
        yield connection


class Giving:
    """Stands by for so many looks; before each, what is done to the world."""

    def __init__(self, *before: Callable[[], object]) -> None:
        self.before = list(before)

    def up(self, seen: StandBy) -> bool:
        if self.before:
            self.before.pop(0)()
            return True
        return False


def nothing() -> None:
    """Is done."""


def dead(holder: psycopg.Connection) -> None:
    """Its connection is closed, and the server has seen that."""
    pid = holder.info.backend_pid
    holder.close()
    until(lambda: not Path(f"/proc/{pid}").exists(), 10, "its backend to end")


def at_once(seconds: float) -> None:
    """No time passes between two looks."""


def test_one_whose_holder_has_died_is_taken_before_it_runs_out(database: PostgresDatabase, holder: psycopg.Connection) -> None:
    assert lease.take(database, Giving(lambda: dead(holder)).up, pause=at_once) > 0


def test_one_whose_holder_is_connected_is_not_taken(database: PostgresDatabase, holder: psycopg.Connection) -> None:
    with pytest.raises(StoreError, match="another watchdog"):
        lease.take(database, Giving(nothing, nothing).up, pause=at_once)


def test_one_whose_holder_was_never_seen_to_be_connected_is_not_taken(database: PostgresDatabase, holder: psycopg.Connection) -> None:
    """As where a pooler renames connections."""
    holder.execute("SET application_name = 'renamed'")
    with pytest.raises(StoreError, match="another watchdog"):
        lease.take(database, Giving(lambda: dead(holder), nothing).up, pause=at_once)


def test_a_server_that_ended_everybodys_connections_is_no_sign_that_the_holder_died(
    database: PostgresDatabase, holder: psycopg.Connection, url: DatabaseUrl
) -> None:
    everybody = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    with pytest.raises(StoreError, match="another watchdog"):
        lease.take(database, Giving(lambda: written_by_another(url, everybody), nothing, nothing).up, pause=at_once)


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


# --- between the claim of a message and its sending ------------------------------------------------------------------


@pytest.fixture
def receiver(store: Store) -> FakeReceiver:
    """One for whom a message waits."""
    commit(store, plan(message("1"), incidents=[incident()]))
    return FakeReceiver()


@pytest.fixture
def delivery(store: Store, receiver: FakeReceiver) -> Delivery:
    return Delivery(store, [receiver], clock=lambda: T0)


@pytest.mark.parametrize("committed", [True, False])
def test_a_message_whose_claim_had_no_answer_is_sent_once(
    delivery: Delivery, receiver: FakeReceiver, monkeypatch: pytest.MonkeyPatch, committed: bool
) -> None:
    run = PostgresConnection.run

    def lost_at_commit(self: PostgresConnection, *statements: str) -> None:
        if committed or statements != ("COMMIT",):
            run(self, *statements)
        if statements == ("COMMIT",):
            self.close()
            raise psycopg.OperationalError("the connection is lost")

    monkeypatch.setattr(PostgresConnection, "run", lost_at_commit)
    with pytest.raises(UnsureError, match="it is not known whether it was"):
        delivery.drain_once("ops")
    monkeypatch.setattr(PostgresConnection, "run", run)
    assert (delivery.drain_once("ops"), delivery.drain_once("ops"), receiver.ids) == (1, 0, ["01MESSAGE1"])


def test_nothing_is_sent_while_the_database_does_not_say_who_holds_the_lease(
    store: Store, delivery: Delivery, receiver: FakeReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    with store.lease():
        monkeypatch.setattr(lease, "_IS_OURS", "SELECT pg_terminate_backend(pg_backend_pid()) AND ? > 0 AS ours")
        with pytest.raises(StoreError, match="connects again by itself"):
            delivery.drain_once("ops")
        assert receiver.ids == []
        monkeypatch.undo()
        assert delivery.drain_once("ops") == 1
    assert receiver.ids == ["01MESSAGE1"]


def test_what_could_not_be_sent_for_the_lease_is_no_attempt(store: Store, receiver: FakeReceiver, monkeypatch: pytest.MonkeyPatch) -> None:
    claimed = store.claim("ops", T0, "s1", encode)
    assert claimed is not None
    monkeypatch.setattr(store._file, "confirm_lease", lambda: (_ for _ in ()).throw(StoreError("away")))
    with pytest.raises(StoreError):
        store.confirm(claimed)
    assert store.claim("ops", T0, "s1", encode) == claimed


def test_what_could_not_be_sent_is_sent_under_the_new_name_of_its_receiver(
    store: Store, receiver: FakeReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    claimed = store.claim("ops", T0, "s1", encode)
    assert claimed is not None
    monkeypatch.setattr(store._file, "confirm_lease", lambda: (_ for _ in ()).throw(StoreError("away")))
    with pytest.raises(StoreError):
        store.confirm(claimed)
    with store.cycle() as transaction:
        transaction.rename_receiver("ops", "pager")
    assert store.is_due("pager", T0, "s1")
    again = store.claim("pager", T0, "s1", encode)
    assert again is not None
    assert (again.message.id, again.attempt) == (claimed.message.id, 1)
    assert not store.is_due("pager", T0, "s1")


def test_who_lost_the_lease_since_it_claimed_a_message_sends_nothing(
    store: Store, delivery: Delivery, receiver: FakeReceiver, url: DatabaseUrl, monkeypatch: pytest.MonkeyPatch
) -> None:
    confirm = store.confirm

    def taken_over_first(claimed: Claimed) -> None:
        written_by_another(url, "UPDATE lease SET epoch = epoch + 1")
        confirm(claimed)

    monkeypatch.setattr(store, "confirm", taken_over_first)
    monkeypatch.setattr(store._file, "_lost", nothing)
    with store.lease(), pytest.raises(StoreError, match="another watchdog took over, nothing was sent"):
        delivery.drain_once("ops")
    assert receiver.ids == []
