"""The schedule of a real django-celery-beat, in SQLite and in PostgreSQL: read whole, and every reason why it cannot be."""

import socket
import threading
import time
from pathlib import Path

import psycopg
import pytest

from tests.servers.pgbouncer import PGBOUNCER, needs_pgbouncer, pgbouncer
from tests.servers.postgresql import RealPostgreSQL
from tests.servers.schedulers import run_django
from tests.servers.tcp_server import TcpServer
from watchdog.core.model.gaps import Gap
from watchdog.core.model.queries import Ping
from watchdog.core.model.schedules.periodic import PeriodicTask, PeriodicTasks
from watchdog.core.model.schedules.queries import DjangoTasks
from watchdog.demo.processes import free_port
from watchdog.sources.django.source import DjangoSettings, DjangoSource
from watchdog.sources.periodic.cron import cron_of

SCHEDULE = """
from datetime import datetime, timedelta, timezone
from django_celery_beat.models import *
ran = datetime(2026, 11, 28, 12, tzinfo=timezone.utc)
span = IntervalSchedule.objects.create(every=5, period="minutes")
cron = CrontabSchedule.objects.create(minute="30", hour="2", day_of_week="mon-fri", timezone="Europe/Berlin")
clock = ClockedSchedule.objects.create(clocked_time=datetime(2027, 1, 1, tzinfo=timezone.utc))
sun = SolarSchedule.objects.create(event="sunset", latitude=52, longitude=13)
add = PeriodicTask.objects.create
add(name="often", task="shop.often", interval=span, queue="fast", last_run_at=ran, kwargs='{"password": "hunter2"}')
add(name="nightly", task="shop.nightly", crontab=cron)
add(name="once", task="shop.once", clocked=clock, one_off=True)
add(name="sun", task="shop.sun", solar=sun)
add(name="off", task="shop.off", interval=span, enabled=False)
add(name="over", task="shop.over", interval=span, expires=ran)
add(name="later", task="shop.later", interval=span, start_time=datetime(2999, 1, 1, tzinfo=timezone.utc))
add(name="single", task="shop.single", interval=span, one_off=True)
"""
READ = (
    PeriodicTask("often", "shop.often", 300.0, queue="fast", last_run_at=1_795_867_200.0),
    PeriodicTask("nightly", "shop.nightly", cron=cron_of("30", "2", "*", "*", "mon-fri"), zone="Europe/Berlin"),
    PeriodicTask("once", "shop.once", at=1_798_761_600.0),
)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The URL of a database with that schedule."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('django')}/db.sqlite3"
    else:
        server: RealPostgreSQL = request.getfixturevalue("postgresql_server")
        url = server.new_database()
    run_django(url, SCHEDULE)
    return url


def answer(url: str, **more: object) -> PeriodicTasks | Gap:
    source = DjangoSource(DjangoSettings.model_validate({"url": url, **more}))
    found = source.ask([DjangoTasks()]).replies[DjangoTasks()]
    source.close()
    assert isinstance(found, PeriodicTasks | Gap)
    return found


def tasks(url: str) -> PeriodicTasks:
    found = answer(url)
    assert isinstance(found, PeriodicTasks), found
    return found


def test_what_is_enabled_now_is_read(database: str) -> None:
    assert tasks(database).entries == READ


def test_what_runs_by_the_sun_is_named(database: str) -> None:
    assert list(tasks(database).unread) == ["sun"]


def test_the_arguments_of_a_task_are_not_read(database: str) -> None:
    assert "hunter2" not in str(tasks(database))


def reason(url: str, **more: object) -> str:
    found = answer(url, **more)
    assert isinstance(found, Gap), found
    assert "hunter2" not in found.reason
    return found.reason


def test_a_database_without_the_tables_says_so(tmp_path: Path) -> None:
    (tmp_path / "empty.sqlite3").touch()
    assert "the tables of django-celery-beat are not there" in reason(f"sqlite:///{tmp_path}/empty.sqlite3")


def test_a_file_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    assert "it cannot be opened or read" in reason(f"sqlite:///{tmp_path}/db.sqlite3")
    assert list(tmp_path.iterdir()) == []


def test_a_file_of_another_kind_says_so(tmp_path: Path) -> None:
    (tmp_path / "db.sqlite3").write_text("hunter2 " * 500)
    assert "expected a SQLite database" in reason(f"sqlite:///{tmp_path}/db.sqlite3")


def test_a_server_that_is_not_there_is_a_gap_without_its_password() -> None:
    assert reason(f"postgresql://shop:hunter2@127.0.0.1:{free_port()}/shop").startswith("django: cannot read the database at 127.0.0.1")


def test_another_question_is_a_gap() -> None:
    found = DjangoSource(DjangoSettings.model_validate({"url": "sqlite:////srv/db"})).ask([Ping()]).replies[Ping()]
    assert found == Gap("django: does not know the question Ping")


def test_postgresql_says_what_is_missing(postgresql_server: RealPostgreSQL) -> None:
    reasons = [reason(postgresql_server.new_database()), reason(postgresql_server.url("other"))]
    assert ["are not there" in reasons[0], reasons[1].endswith("there is no such user or database")] == [True, True]


@pytest.mark.skipif(PGBOUNCER is None, reason=needs_pgbouncer)
def test_a_pgbouncer_that_shares_sessions_is_no_obstacle(postgresql_server: RealPostgreSQL, tmp_path: Path) -> None:
    with pgbouncer(in_schema(postgresql_server, "public"), "transaction", tmp_path) as url:
        assert answer(url) == PeriodicTasks()


def test_the_tables_may_be_in_a_schema_that_the_url_names(postgresql_server: RealPostgreSQL) -> None:
    assert answer(f"{in_schema(postgresql_server, 'tenant')}?options=-csearch_path%3Dtenant") == PeriodicTasks()


def in_schema(server: RealPostgreSQL, schema: str) -> str:
    """The URL of a database with empty tables, as far as they are read."""
    url = server.new_database()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}; SET search_path = {schema};{TABLES}".encode())
    return url


TABLES = """
CREATE TABLE django_celery_beat_periodictask (
    id int, name text, task text, queue text, one_off bool, last_run_at timestamptz, enabled bool, expires timestamptz,
    start_time timestamptz, interval_id int, crontab_id int, clocked_id int);
CREATE TABLE django_celery_beat_intervalschedule (id int, every int, period text);
CREATE TABLE django_celery_beat_crontabschedule (
    id int, minute text, hour text, day_of_month text, month_of_year text, day_of_week text, timezone text);
CREATE TABLE django_celery_beat_clockedschedule (id int, clocked_time timestamptz);
"""


def lets_in_and_falls_silent(connection: socket.socket, closing: threading.Event) -> None:
    """A pooler whose server is frozen: it lets clients in by itself, and never answers a question."""
    while len(asked := connection.recv(1000)) == 8:  # for TLS, or GSSAPI
        connection.sendall(b"N")
    if asked:
        connection.sendall(b"R\x00\x00\x00\x08\x00\x00\x00\x00" + b"Z\x00\x00\x00\x05I")
    closing.wait(30)


def test_a_database_that_hangs_holds_up_nobody() -> None:
    with TcpServer(lets_in_and_falls_silent) as server:
        source = DjangoSource(DjangoSettings.model_validate({"url": f"postgresql://shop@127.0.0.1:{server.port}/shop", "timeout": "0.1s"}))
        began = time.monotonic()
        reasons = [source.ask([DjangoTasks()]).replies[DjangoTasks()] for _ in range(2)]
        took_s = time.monotonic() - began
    assert ["no answer from the database" in str(reasons[0]), "an earlier question" in str(reasons[1])] == [True, True]
    assert took_s < 10
