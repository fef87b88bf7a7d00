"""A daemon whose Flower is behind a login: the incident names the page, and ends once there is a token."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes.cluster import Cluster
from tests.processes.command_line import watchdog
from tests.processes.running import SHORT, running, told, watchdog_process
from tests.servers.auth_proxy import AuthProxy
from tests.servers.receiver import RecordingReceiver
from tests.servers.token_endpoint import TokenEndpoint
from tests.servers.waiting import until

CLIENT = ("watchdog", "cl1ent-s3cr3t")


@pytest.fixture
def endpoint() -> Iterator[TokenEndpoint]:
    with TokenEndpoint(CLIENT) as opened:
        yield opened


@pytest.fixture
def proxy(cluster: Cluster, endpoint: TokenEndpoint) -> Iterator[AuthProxy]:
    with AuthProxy(cluster.flower_url, endpoint.valid) as opened:
        yield opened


def configured(folder: Path, proxy: AuthProxy, flower: str, hook: str = "http://127.0.0.1:1") -> None:
    lines = ['interval = "0.3s"', 'database = "watchdog.db"', '[[target]]\nname = "prod"', f'flower.url = "{proxy.base}"', flower]
    lines += [f'[[receiver]]\nname = "ops"\ntype = "webhook"\nurl = "{hook}"']
    lines += ["[[override]]", 'rule = "FlowerUnreachable"', *(f'{key} = "{value}"' for key, value in SHORT.items())]
    (folder / "watchdog.toml").write_text("\n".join(lines) + "\n")


def events(receiver: RecordingReceiver) -> list[tuple[str, str]]:
    return [(rule, event) for _, rule, event in told(receiver) if rule == "FlowerUnreachable"]


def test_an_incident_names_the_login_page_and_ends_with_a_token(
    tmp_path: Path, proxy: AuthProxy, endpoint: TokenEndpoint, receiver: RecordingReceiver
) -> None:
    (tmp_path / "token").write_text("n0-such-token")
    configured(tmp_path, proxy, 'flower.token_file = "token"', receiver.url)
    with running(tmp_path):
        until(lambda: len(events(receiver)) == 1, 60, "the incident")
        (tmp_path / "token").write_text(endpoint.issue())
        until(lambda: len(events(receiver)) == 2, 60, "its end")
    said = receiver.requests[0].body.decode()
    assert "answered with the login page of oauth2-proxy: it does not accept the token of `token_file` of flower" in said
    assert "Run `token_command` as the user that runs watchdog." in said
    assert "n0-such-token" not in said


def test_a_daemon_uses_one_token_until_it_expires(tmp_path: Path, proxy: AuthProxy, endpoint: TokenEndpoint) -> None:
    client = f'client_id = "{CLIENT[0]}", client_secret = "{CLIENT[1]}"'
    configured(tmp_path, proxy, f'flower.oauth = {{ token_url = "{endpoint.token_url}", {client} }}')
    with running(tmp_path) as daemon:
        until(lambda: len(proxy.requests) > 20, 60, "some looks")
        assert daemon.end() == 0
    kept = b"".join(path.read_bytes() for path in sorted(tmp_path.iterdir()) if path.name != "watchdog.toml")
    assert len(endpoint.issued) == 1
    assert (endpoint.issued[0].encode() in kept, CLIENT[1].encode() in kept) == (False, False)


def test_a_stop_does_not_wait_for_a_command_that_hangs(tmp_path: Path, proxy: AuthProxy) -> None:
    hangs = f'flower.token_command = ["sh", "-c", "echo > {tmp_path}/ran; sleep 300"]\nflower.token_timeout = "4m"'
    configured(tmp_path, proxy, hangs)
    with running(tmp_path) as daemon:
        until((tmp_path / "ran").exists, 30, "the command to run")
        assert daemon.end(timeout=15) == 0


def test_a_check_that_is_over_leaves_no_command_behind(tmp_path: Path, proxy: AuthProxy) -> None:
    note = tmp_path / "pid"
    script = f"import os, time; open({str(note)!r}, 'w').write(str(os.getpid())); time.sleep(300)"
    configured(tmp_path, proxy, f"flower.token_command = [{sys.executable!r}, '-c', {f'''{script}'''!r}]\nflower.token_timeout = '5m'")
    done = watchdog_process("check", "--once", "--timeout", "3s", cwd=tmp_path)
    assert (done.returncode, note.exists()) == (3, True)
    until(lambda: not Path(f"/proc/{note.read_text()}").exists(), 20, "the command to end")


def test_status_says_what_is_in_the_way(tmp_path: Path, proxy: AuthProxy) -> None:
    configured(tmp_path, proxy, "")
    shown = watchdog("status", "--panel", "workers", cwd=tmp_path).stdout
    assert "answered with the login page of oauth2-proxy; set flower.token_command" in shown


def test_init_says_what_is_in_the_way(tmp_path: Path, proxy: AuthProxy) -> None:
    done = watchdog("init", "--yes", "--flower", proxy.base, "--output", "new.toml", cwd=tmp_path)
    assert "answered with the login page of oauth2-proxy" in done.stdout + done.stderr
