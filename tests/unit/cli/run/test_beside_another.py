"""`watchdog run` where another daemon has the lease, which here is only said to be so."""

import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import structlog

from tests.processes.command_line import watchdog
from watchdog.cli.run.reading import _moved
from watchdog.core.model.servers.database_url import DatabaseUrl
from watchdog.store import Store, StoreError
from watchdog.store.sql import StandBy, Wait

CONFIG = """
database = "watchdog.db"
log_format = "logfmt"
[http]
listen = "127.0.0.1:{port}"
[[target]]
name = "prod"
redis = "redis://127.0.0.1:1/0"
"""
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
ALREADY_BEGUN_ANEW = {"_WATCHDOG_BEGUN_ANEW": "long ago"}


@contextmanager
def held(_: Store, wait: Wait) -> Iterator[None]:
    """The lease of a database at which another daemon works."""
    wait(StandBy("another watchdog (one, pid 7) uses …", "one, pid 7"))
    yield


@pytest.fixture
def taken() -> Iterator[int]:
    """A port at which somebody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


def test_an_address_that_is_taken_is_refused_while_standing_by_as_at_any_start(
    tmp_path: Path, taken: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "watchdog.toml").write_text(CONFIG.format(port=taken))
    monkeypatch.setattr(Store, "lease", held)
    done = watchdog("run", cwd=tmp_path, environ=ALREADY_BEGUN_ANEW)
    assert done.returncode == 2
    assert f"127.0.0.1:{taken}" in done.stderr.splitlines()[-1]
    assert "please report it" not in done.stderr


def test_what_is_logged_before_the_configuration_is_in_force_is_in_its_format(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def lease(_: Store, _wait: Wait) -> None:
        structlog.get_logger().info("lease_taken", epoch=7)
        raise StoreError("database …: gone")

    (tmp_path / "watchdog.toml").write_text(CONFIG.format(port=0))
    monkeypatch.setattr(Store, "lease", lease)
    done = watchdog("run", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert "event=lease_taken" in done.stderr


@pytest.fixture
def own_signals() -> Iterator[None]:
    """What a daemon handles in this process is handled as before afterwards."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    yield
    for number, act in before.items():
        signal.signal(number, act)


@pytest.mark.usefixtures("own_signals")
def test_one_whose_database_was_renamed_while_it_stood_by_ends_so_that_it_is_started_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """systemd starts nobody again who ended with 2."""

    @contextmanager
    def lease(_: Store, _wait: Wait) -> Iterator[None]:
        config.write_text(CONFIG.format(port=0).replace("watchdog.db", "another.db"))
        yield

    config = tmp_path / "watchdog.toml"
    config.write_text(CONFIG.format(port=0))
    monkeypatch.setattr(Store, "lease", lease)
    done = watchdog("run", cwd=tmp_path)
    assert done.returncode == 1
    assert "another database needs a restart" in done.stderr


def test_a_new_password_is_said_to_need_a_restart_without_being_shown() -> None:
    said = _moved(DatabaseUrl("postgresql://me:new@db/watchdog"), DatabaseUrl("postgresql://me:old@db/watchdog"))
    assert said == "database: postgresql://db/watchdog has another login or other options than when watchdog started; that needs a restart"
