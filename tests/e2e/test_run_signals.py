"""Signals that reach `watchdog run` before it is ready: at many moments of its start, by a real process."""

import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.processes.running import COMMAND, environment
from tests.servers.waiting import until

CONFIG = '[[target]]\nname = "prod"\nredis = {url = "redis://127.0.0.1:1/0", connect_timeout = "100ms"}\n'
MOMENTS_S = (0.0, 0.05, 0.15, 0.3, 0.5, 0.8)


def start(folder: Path) -> subprocess.Popen[str]:
    (folder / "watchdog.toml").write_text(CONFIG)
    return subprocess.Popen(
        [*COMMAND, "run"], cwd=folder, env=environment(folder, {"WATCHDOG_LOG_FORMAT": "logfmt", "WATCHDOG_DATABASE": "w.db"}),
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, stdin=subprocess.DEVNULL,
    )  # fmt: skip


def listens(process: subprocess.Popen[str]) -> bool:
    """Whether the process has a handler for SIGHUP, as Linux says; Python itself has none."""
    found = re.search(r"^SigCgt:\s*([0-9a-f]+)$", Path(f"/proc/{process.pid}/status").read_text(), re.MULTILINE)
    return found is not None and bool(int(found[1], 16) >> (signal.SIGHUP - 1) & 1)


def send_at(process: subprocess.Popen[str], sig: signal.Signals, moment_s: float) -> None:
    """Send it so long after the process began to note signals."""
    until(lambda: listens(process), 10, "the first handler", every=0.002)
    time.sleep(moment_s)
    process.send_signal(sig)


@pytest.mark.parametrize("moment_s", MOMENTS_S)
def test_a_sighup_at_any_moment_of_the_start_leaves_it_alive_and_is_a_reload_at_most(tmp_path: Path, moment_s: float) -> None:
    with start(tmp_path) as process:
        send_at(process, signal.SIGHUP, moment_s)
        assert process.stdout is not None
        for line in process.stdout:
            if "configuration_reloaded" in line:
                break
        else:
            pytest.fail(f"it ended with {process.wait()}")
        process.send_signal(signal.SIGTERM)
        rest = process.stdout.read()
    assert (process.returncode, "watchdog_ended" in rest) == (0, True), rest


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("moment_s", MOMENTS_S[::2])
def test_a_sigterm_or_ctrl_c_before_it_is_ready_ends_it_well(tmp_path: Path, sig: signal.Signals, moment_s: float) -> None:
    with start(tmp_path) as process:
        send_at(process, sig, moment_s)
        said, _ = process.communicate(timeout=90)
    assert (process.returncode, "Traceback" in said, "watchdog_ended" in said) == (0, False, True), said


def test_every_other_command_ends_at_a_sighup_as_ever(tmp_path: Path) -> None:
    ours = signal.signal(signal.SIGHUP, signal.SIG_DFL)  # under nohup it is ignored, which a child inherits
    with subprocess.Popen([*COMMAND, "check", "--once", "--flower", "http://127.0.0.1:1"], cwd=tmp_path, stderr=subprocess.PIPE) as process:
        signal.signal(signal.SIGHUP, ours)
        process.send_signal(signal.SIGHUP)
        process.communicate(timeout=90)
    assert process.returncode == -signal.SIGHUP
