"""What real PostgreSQL servers refuse, as a command says it: one sentence with what to do, no traceback, no login."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest

from tests.processes.command_line import watchdog
from tests.servers.certificates import Certificates, make_certificates
from tests.servers.postgresql import USER, RealPostgreSQL, needs_postgresql, postgresql_installed, real_postgresql
from watchdog.core.model.servers.database_url import DatabaseUrl
from watchdog.store import AwayError, Store, StoreError

PASSWORD = "correct-horse-battery"
GUEST = "guest"
"""A role that needs the password."""
LOGINS = (
    f"host all {GUEST} all scram-sha-256",
    "hostssl all encrypted all trust",
    "host all encrypted all reject",
    f"host postgres,watchdog_1 {USER},crowded,locked,absent,unwanted all trust",
    f"host replication {USER} all trust",
    f"host all {USER} all trust",
    "host all all all reject",
)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def server(certificates: Certificates) -> Iterator[RealPostgreSQL]:
    """One that speaks TLS, with five places for those who are no superuser, and roles that it refuses for different reasons."""
    if not postgresql_installed():
        pytest.skip(needs_postgresql)
    with real_postgresql(settings={"max_connections": 8, "max_wal_senders": 4}, logins=LOGINS) as one:
        for kept in (certificates.certificate, certificates.key):
            shutil.copy(kept, one.folder / "data" / kept.name)
            shutil.chown(one.folder / "data" / kept.name, "postgres")
            (one.folder / "data" / kept.name).chmod(0o600)
        one.administer(f"ALTER SYSTEM SET ssl_cert_file = '{certificates.certificate.name}'")
        one.administer(f"ALTER SYSTEM SET ssl_key_file = '{certificates.key.name}'")
        one.administer("ALTER SYSTEM SET ssl = on")
        one.administer("SELECT pg_reload_conf()")
        one.administer(f"CREATE ROLE {GUEST} LOGIN PASSWORD '{PASSWORD}'")
        one.administer("CREATE ROLE crowded LOGIN CONNECTION LIMIT 0")
        one.administer("CREATE ROLE locked NOLOGIN")
        one.administer("CREATE ROLE unwanted LOGIN")
        Store.open(DatabaseUrl(one.new_database())).close()
        one.administer("REVOKE CONNECT ON DATABASE watchdog_1 FROM public")
        yield one


def said_of(url: str, folder: Path, *command: str) -> str:
    """What a command says of a database that it cannot use, after the name of the database."""
    done = watchdog(*(command or ("incidents",)), "--database", url, cwd=folder)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1), done.stderr
    assert PASSWORD not in done.stderr
    assert f"{GUEST}" not in done.stderr
    return done.stderr


@pytest.mark.parametrize(
    ("user", "more", "expected"),
    [
        (f"{GUEST}:not-{PASSWORD}", "", "the password is wrong, or there is no such user"),
        (GUEST, "", "it wants a password, and there is none"),
        ("absent", "", "there is no such user; CREATE ROLE … LOGIN"),
        ("locked", "", "this user may not log in; ALTER ROLE … LOGIN"),
        ("unwanted", "", "this user may not connect to it; GRANT CONNECT ON DATABASE"),
        (USER, "_2", "there is no database of this name; CREATE DATABASE"),
        ("crowded", "", "there is no connection left; close others, or raise max_connections, or the CONNECTION LIMIT"),
        ("encrypted", "?sslmode=disable", "it refuses this user from here, or without TLS; see pg_hba.conf"),
        (USER, "?sslmode=verify-full&sslrootcert=none.pem", "there is no certificate to check the server's with; name"),
        (USER, "?sslmode=verify-full&sslrootcert=client.pem", "the server's certificate is not of an authority that is trusted here"),
        (USER, "?sslmod=require", "an option of the URL, or its value, is unknown to libpq"),
        (USER, "?target_session_attrs=standby", "none of its servers is as target_session_attrs in the URL wants it"),
    ],
)
def test_what_it_refuses_is_said_with_what_to_do(
    server: RealPostgreSQL, certificates: Certificates, tmp_path: Path, user: str, more: str, expected: str
) -> None:
    more = more.replace("client.pem", str(certificates.client))
    assert expected in said_of(f"{server.url('watchdog_1', user)}{more}", tmp_path)


@pytest.mark.parametrize(
    ("user", "more", "passes"),
    [
        (f"{GUEST}:not-{PASSWORD}", "", False),
        ("absent", "", False),
        (USER, "_2", False),
        ("encrypted", "?sslmode=disable", False),
        (USER, "?sslmode=verify-full&sslrootcert=none.pem", False),
        (USER, "?sslmod=require", False),
        ("crowded", "", True),
        (USER, "?connect_timeout=3&port=1", True),
    ],
)
def test_what_no_waiting_mends_is_told_from_what_may_pass(server: RealPostgreSQL, user: str, more: str, passes: bool) -> None:
    with pytest.raises(AwayError) as refused:
        Store.beside_daemon(DatabaseUrl(f"{server.url('watchdog_1', user)}{more}"))
    assert refused.value.passes is passes, str(refused.value)


def test_tables_that_a_daemon_has_not_made_yet_are_waited_for(postgresql_server: RealPostgreSQL) -> None:
    with pytest.raises(StoreError, match="holds nothing of watchdog yet") as refused:
        Store.beside_daemon(DatabaseUrl(postgresql_server.new_database()))
    assert refused.value.passes


def test_a_certificate_for_another_host_is_not_taken(server: RealPostgreSQL, certificates: Certificates, tmp_path: Path) -> None:
    url = server.url("watchdog_1").replace("127.0.0.1", "localhost")
    said = said_of(f"{url}?sslmode=verify-full&sslrootcert={certificates.ca}", tmp_path)
    assert "the server's certificate is for another host; let the URL name the host as the certificate does" in said


def test_the_right_certificate_is_taken(server: RealPostgreSQL, certificates: Certificates, tmp_path: Path) -> None:
    url = f"{server.url('watchdog_1')}?sslmode=verify-full&sslrootcert={certificates.ca}"
    assert watchdog("incidents", "--database", url, cwd=tmp_path).returncode == 0


def test_a_server_without_tls_where_it_is_wanted(postgresql_server: RealPostgreSQL, tmp_path: Path) -> None:
    said = said_of(f"{postgresql_server.url()}?sslmode=require", tmp_path)
    assert "sslmode in the URL asks for TLS, and the server has none; switch `ssl` on there" in said


def test_a_server_whose_connections_are_all_taken(server: RealPostgreSQL, tmp_path: Path) -> None:
    with ExitStack() as stack:
        for _ in range(5):
            stack.enter_context(psycopg.connect(server.url(user=f"{GUEST}:{PASSWORD}")))
        said = said_of(server.url("watchdog_1", f"{GUEST}:{PASSWORD}"), tmp_path)
    assert "there is no connection left; close others, or raise max_connections" in said


@pytest.fixture(scope="module")
def standby(server: RealPostgreSQL) -> Iterator[RealPostgreSQL]:
    with real_postgresql(server) as one:
        yield one


@pytest.mark.parametrize("more", ["", "?target_session_attrs=read-write"])
def test_a_read_only_standby(standby: RealPostgreSQL, tmp_path: Path, more: str) -> None:
    writing = ("silence", "add", "rule=QueueBacklogHigh", "--for", "1h", "--comment", "known")
    said = said_of(f"{standby.url('watchdog_1')}{more}", tmp_path, *writing)
    assert "is read-only here, as a standby is, nothing was written; let the URL name the primary, or several hosts with" in said


def test_a_read_only_standby_can_be_read(standby: RealPostgreSQL, tmp_path: Path) -> None:
    assert watchdog("incidents", "--database", standby.url("watchdog_1"), cwd=tmp_path).returncode == 0
