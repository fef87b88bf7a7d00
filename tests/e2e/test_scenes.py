"""`make scenes` itself: one short scene on a real cluster."""

import subprocess
import sys
from pathlib import Path

from watchdog.demo.processes import child_environment


def scenes(*args: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.scenes", *args]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, env=child_environment({}))


def test_a_scene_in_which_nothing_is_wrong_passes_with_its_row(tmp_path: Path) -> None:
    done = scenes("blip", "--markdown", "--logs", str(tmp_path))
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "| blip | 0 | 0 | 0 | 0 | 0 | 0 |"), done.stderr


def test_a_scene_that_there_is_not_is_a_fault() -> None:
    done = scenes("nonsense")
    assert (done.returncode, "no such scene: nonsense" in done.stderr) == (2, True)
