import re
import shutil
import subprocess
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "systemd"
UNIT = FOLDER / "watchdog.service"
each_unit = pytest.mark.parametrize("unit", [UNIT, FOLDER / "watchdog-worker.service"], ids=lambda unit: unit.stem)
INSTALLED = "/opt/watchdog/bin/watchdog"

needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is not on PATH (Debian, Ubuntu: apt install systemd)"
)


def settings(name: str, unit: Path = UNIT) -> list[str]:
    return re.findall(rf"^{name}=(.*)$", unit.read_text(), re.MULTILINE)


@needs_systemd
@each_unit
def test_a_unit_exposes_at_most_two_of_ten(unit: Path) -> None:
    command = ["systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold=20", str(unit)]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert answer.returncode == 0, (answer.stdout + answer.stderr)[-500:]


@needs_systemd
@each_unit
def test_systemd_finds_no_fault_in_a_unit(unit: Path, tmp_path: Path) -> None:
    copy = tmp_path / unit.name
    copy.write_text(unit.read_text().replace(INSTALLED, shutil.which("true") or "/bin/true"))
    answer = subprocess.run(["systemd-analyze", "verify", str(copy)], capture_output=True, text=True, timeout=60, check=False)
    assert (answer.returncode, [line for line in answer.stderr.splitlines() if unit.name in line]) == (0, [])


def test_a_reload_checks_the_configuration_before_the_signal() -> None:
    check, signal = settings("ExecReload")
    assert (check.split()[:3], signal) == ([INSTALLED, "config", "check"], "/bin/sh -c 'kill -HUP ${MAINPID}'")


@each_unit
def test_a_wrong_configuration_is_not_tried_again_and_again(unit: Path) -> None:
    assert settings("RestartPreventExitStatus", unit) == ["2"]
