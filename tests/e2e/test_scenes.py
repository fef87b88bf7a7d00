"""`make scenes` itself: one short scene on a real cluster, and what it says of scenes that cannot be played."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.scenes import faketime
from tests.scenes.plays import SCENES
from tests.scenes.scene import lacking
from tests.servers import rabbitmq
from watchdog.demo.processes import child_environment


def scenes(*args: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.scenes", *args]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, env=child_environment({}))


def test_a_scene_in_which_nothing_is_wrong_passes_with_its_row(tmp_path: Path) -> None:
    done = scenes("blip", "--markdown", "--logs", str(tmp_path))
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "| blip | 0 | 0 | 0 | 0 | 0 | 0 |"), done.stderr


def test_a_scene_that_there_is_not_is_a_fault() -> None:
    done = scenes("nonsense")
    assert (done.returncode, "no such scene: nonsense" in done.stderr) == (2, True)


def test_a_scene_says_what_it_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    for tool in (faketime, rabbitmq):
        monkeypatch.setattr(tool, "found", lambda: None)
    lacks = [lacking(SCENES[name]) for name in ("healthy", "clocks_seconds", "rabbitmq")]
    assert lacks == [None, "libfaketime", "RabbitMQ (its server and epmd)"]
