"""`make scenes` itself: one short scene on a real cluster, and what it says of scenes that cannot be played."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.scenes import __main__ as command
from tests.scenes import faketime
from tests.scenes.plays import SCENES
from tests.scenes.scene import lacking
from tests.servers import rabbitmq
from tests.servers.postgresql import needs_postgresql, postgresql_installed
from tests.servers.waiting import until
from watchdog.demo.processes import child_environment

COMMAND = [sys.executable, "-m", "tests.scenes"]
ON_POSTGRESQL = pytest.param(("--store", "postgresql"), marks=pytest.mark.skipif(not postgresql_installed(), reason=needs_postgresql))


def scenes(*args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *args], capture_output=True, text=True, timeout=300, check=False, env=child_environment({}))


@pytest.mark.parametrize("options", [(), ON_POSTGRESQL])
def test_a_scene_in_which_nothing_is_wrong_passes_with_its_row(options: tuple[str, ...], tmp_path: Path) -> None:
    done = scenes("blip", "--markdown", "--logs", str(tmp_path), *options)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "| blip | 0 | 0 | 0 | 0 | 0 | 0 |"), done.stderr


def test_an_interruption_ends_what_a_scene_has_started(tmp_path: Path) -> None:
    process = subprocess.Popen([*COMMAND, "blip", "--logs", str(tmp_path)], env=child_environment({}), stderr=subprocess.PIPE, text=True)
    until((tmp_path / "blip" / "flower.log").exists, 60, "its Flower to start")
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=60)
    assert (process.returncode, said, still_running(tmp_path)) == (130, "blip: interrupted\n", [])


def still_running(folder: Path) -> list[str]:
    """The command lines of processes that work in that folder or below."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cwd").readlink().is_relative_to(folder):
                found.append((process / "cmdline").read_text().replace("\0", " "))
        except OSError:
            continue  # it has ended, or belongs to somebody else
    return found


def test_postgresql_that_is_not_installed_is_a_fault(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(command, "postgresql_installed", lambda: False)
    assert (command.main(["blip", "--store", "postgresql"]), capsys.readouterr().err) == (2, f"{needs_postgresql}\n")


def test_a_scene_that_there_is_not_is_a_fault() -> None:
    done = scenes("nonsense")
    assert (done.returncode, "no such scene: nonsense" in done.stderr) == (2, True)


def test_a_scene_says_what_it_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    for tool in (faketime, rabbitmq):
        monkeypatch.setattr(tool, "found", lambda: None)
    lacks = [lacking(SCENES[name]) for name in ("healthy", "clocks_seconds", "rabbitmq")]
    assert lacks == [None, "libfaketime", "RabbitMQ (its server and epmd)"]
