"""What `watchdog run` serves over HTTP, from its start to its end, through reloads."""

import contextlib
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.processes.running import Daemon, running
from tests.servers.waiting import until

TARGET = '[[target]]\nname = "prod"\nredis = {url = "redis://127.0.0.1:1/0", connect_timeout = "100ms"}\n'


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def configure(folder: Path, port: int | None, more: str = "") -> None:
    http = f'[http]\nlisten = "127.0.0.1:{port}"\n{more}' if port else ""
    (folder / "watchdog.toml").write_text(f'interval = "0.2s"\ndatabase = "watchdog.db"\n{http}{TARGET}')


def status(port: int, path: str = "/healthz", **headers: str) -> int | None:
    """The status of the answer; None where nothing listens."""
    with contextlib.suppress(httpx.ConnectError):
        return httpx.get(f"http://127.0.0.1:{port}{path}", headers=headers, trust_env=False).status_code
    return None


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def daemon(tmp_path: Path, port: int) -> Iterator[Daemon]:
    configure(tmp_path, port)
    with running(tmp_path) as started:
        yield started


def reload(daemon: Daemon, event: str = "configuration_reloaded") -> None:
    daemon.send(signal.SIGHUP)
    daemon.wait_for(event)


def test_it_is_ready_once_the_target_was_looked_at(daemon: Daemon, port: int) -> None:
    until(lambda: status(port, "/readyz") == 200, 10, "the first look")
    assert status(port) == 200


def test_a_reload_takes_new_authentication(daemon: Daemon, port: int, tmp_path: Path) -> None:
    before = status(port, "/nothing")
    configure(tmp_path, port, 'token = "a-token-of-24-characters"\n')
    reload(daemon)
    with_token = status(port, "/nothing", Authorization="Bearer a-token-of-24-characters")
    assert (before, status(port, "/nothing"), with_token) == (404, 401, 404)


def test_a_reload_moves_to_another_address(daemon: Daemon, port: int, tmp_path: Path) -> None:
    other = free_port()
    configure(tmp_path, other)
    reload(daemon)
    assert (status(port), status(other)) == (None, 200)


def test_a_reload_to_an_address_in_use_changes_nothing_and_says_so(daemon: Daemon, port: int, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        configure(tmp_path, taken.getsockname()[1])
        reload(daemon, "reload_rejected")
    assert "cannot be listened on: Address already in use; choose another address or port" in daemon.own_text
    assert status(port) == 200


def test_a_reload_without_it_serves_nothing(daemon: Daemon, port: int, tmp_path: Path) -> None:
    configure(tmp_path, None)
    reload(daemon)
    assert status(port) is None


def test_a_start_on_an_address_in_use_ends_with_2_and_the_reason(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        configure(tmp_path, taken.getsockname()[1])
        daemon = Daemon(tmp_path)
        assert daemon.process.wait(30) == 2
    assert "http.listen: 127.0.0.1" in daemon.text
    assert "Traceback" not in daemon.text


def test_it_ends_at_once_with_a_connection_left_open(daemon: Daemon, port: int) -> None:
    with httpx.Client(trust_env=False) as kept:
        kept.get(f"http://127.0.0.1:{port}/healthz")
        assert daemon.end(timeout=10) == 0
