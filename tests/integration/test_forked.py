"""What tests fork is the program that a user starts: the same output, exit codes, environment, folder, session and signals."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.processes.forked import Forked, can_be_forked
from tests.processes.running import COMMAND, environment

SHOWN = 'interval = "7s"\n[[target]]\nname = "shop"\nredis = "redis://127.0.0.1:1/0"\n'

OWN = {"WATCHDOG_INTERVAL": "23s"}


def forked(folder: Path, *args: str, more: Mapping[str, str] | None = None) -> tuple[int, str]:
    log = folder / "forked.log"
    child = Forked([*COMMAND, *args], folder, environment(folder, more or {}), log, leads_session=False)
    return child.wait(30), log.read_text()


def started(folder: Path, *args: str, more: Mapping[str, str] | None = None) -> tuple[int, str]:
    environ = environment(folder, more or {})
    with (folder / "started.log").open("wb") as log:
        done = subprocess.run([*COMMAND, *args], cwd=folder, env=environ, stdout=log, stderr=log, timeout=30, check=False)
    return done.returncode, (folder / "started.log").read_text()


@pytest.mark.parametrize("args", [("--version",), ("chekc",), ("config", "show"), ("config", "check")])
def test_a_forked_program_says_and_returns_the_same(tmp_path: Path, args: tuple[str, ...]) -> None:
    (tmp_path / "watchdog.toml").write_text(SHOWN)
    assert forked(tmp_path, *args, more=OWN) == started(tmp_path, *args, more=OWN)


def test_it_knows_its_own_environment_and_not_that_of_the_tests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHDOG_INTERVAL", "59s")
    (tmp_path / "watchdog.toml").write_text(SHOWN)
    assert "23s" in forked(tmp_path, "config", "show", more=OWN)[1]


def test_it_leads_a_session_where_that_is_asked_for_as_soon_as_it_is_there(tmp_path: Path) -> None:
    child = Forked([*COMMAND, "--version"], tmp_path, environment(tmp_path, {}), tmp_path / "log", leads_session=True)
    assert os.getpgid(child.pid) == child.pid
    child.wait(30)


def test_a_killed_one_ends_with_the_signal(tmp_path: Path) -> None:
    (tmp_path / "watchdog.toml").write_text(SHOWN)
    child = Forked([*COMMAND, "run"], tmp_path, environment(tmp_path, {}), tmp_path / "log", leads_session=False)
    child.kill()
    assert child.wait(30) == -signal.SIGKILL


def test_one_that_does_not_end_in_time_is_told_from_one_that_ended(tmp_path: Path) -> None:
    (tmp_path / "watchdog.toml").write_text(SHOWN)
    child = Forked([*COMMAND, "run"], tmp_path, environment(tmp_path, {}), tmp_path / "log", leads_session=False)
    try:
        with pytest.raises(subprocess.TimeoutExpired):
            child.wait(0.01)
    finally:
        child.kill()
        child.wait(30)


@pytest.mark.parametrize(
    "command",
    [
        ["/usr/bin/python3", "-m", "celery"],
        [sys.executable, "-c", "import watchdog"],
        [sys.executable, "-m", "http.server"],
        [sys.executable, "-m", "celery", "worker", "-P", "gevent"],
        ["nice", sys.executable, "-m", "watchdog", "run"],
    ],
)
def test_what_is_not_made_ready_is_started_as_usual(tmp_path: Path, command: list[str]) -> None:
    assert not can_be_forked(command, environment(tmp_path, {}))


@pytest.mark.parametrize("name", ["PYTHONHASHSEED", "PYTHONWARNINGS", "LC_ALL"])
def test_what_a_variable_changes_from_its_start_on_is_started_as_usual(tmp_path: Path, name: str) -> None:
    assert can_be_forked([*COMMAND, "run"], environment(tmp_path, {}))
    assert not can_be_forked([*COMMAND, "run"], environment(tmp_path, {name: "C"}))


def test_one_whose_fork_server_lacks_its_imports_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.processes.forked._run", exit)
    with pytest.raises(RuntimeError, match="could not be forked"):
        Forked([*COMMAND, "--version"], tmp_path, environment(tmp_path, {}), tmp_path / "log", leads_session=False)
