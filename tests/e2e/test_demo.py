import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from tests.servers.waiting import until
from watchdog.demo.show import EXPECTED

ROOT = Path(__file__).parents[2]


def start_demo(folder: Path) -> subprocess.Popen[str]:
    environment = {**os.environ, "TMPDIR": str(folder), "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", "COLUMNS": "40"}
    return subprocess.Popen(
        [sys.executable, "-m", "watchdog", "demo"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
    )


def working_in(folder: Path) -> list[str]:
    """The processes whose working folder lies in `folder`: all that the demo starts (Linux)."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (process / "cwd").readlink().is_relative_to(folder):
                found.append((process / "cmdline").read_text().replace("\0", " "))
    return found


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> tuple[int, str, Path]:
    folder = tmp_path_factory.mktemp("demo")
    with start_demo(folder) as demo:
        output, _ = demo.communicate(timeout=180)
    return demo.returncode, output, folder


def test_the_demo_ends_well(shown: tuple[int, str, Path]) -> None:
    assert (shown[0], shown[1] if shown[0] else "") == (0, "")


@pytest.mark.parametrize("rule", EXPECTED)
def test_each_incident_of_the_demo_is_told_once_and_its_end_once(shown: tuple[int, str, Path], rule: str) -> None:
    words = [line.split() for line in shown[1].splitlines()]
    told = [line[1] == "over" for line in words if len(line) > 2 and line[2] == rule]
    assert told in ([False, True], [False, False, True])  # once more where it grew more severe


def test_the_demo_says_which_redis_server_it_uses(shown: tuple[int, str, Path]) -> None:
    assert shown[1].startswith("redis-server: /")


def test_the_demo_leaves_nothing_behind(shown: tuple[int, str, Path]) -> None:
    assert (working_in(shown[2]), list(shown[2].iterdir())) == ([], [])


@pytest.mark.parametrize("sig", [signal.SIGINT, signal.SIGTERM])
def test_the_demo_cleans_up_when_it_is_interrupted(tmp_path: Path, sig: signal.Signals) -> None:
    with start_demo(tmp_path) as demo:
        until(lambda: any("watchdog run" in command for command in working_in(tmp_path)), 60, "the demo to start watchdog")
        demo.send_signal(sig)
        demo.communicate(timeout=30)
    until(lambda: not working_in(tmp_path), 5, "everything to be gone")
    assert list(tmp_path.iterdir()) == []


def test_the_demo_says_how_to_go_on(shown: tuple[int, str, Path]) -> None:
    assert "watchdog init" in shown[1].splitlines()[-1]
