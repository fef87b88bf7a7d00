"""`watchdog check` where nothing answers: it ends in time, with what it could not know, and at once at Ctrl-C."""

import json
import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.e2e.running import COMMAND, environment, watchdog

TARGETS = 4
SLACK_S = 6.0
"""What starting Python and judging may cost on a busy machine; one after the other the targets would hang for four times as long."""


@pytest.fixture
def hung(tmp_path: Path) -> Iterator[Path]:
    """A folder whose watchdog.toml names servers that take connections and never answer."""
    with ExitStack() as listening:
        ports = [listening.enter_context(socket.create_server(("127.0.0.1", 0))).getsockname()[1] for _ in range(2 * TARGETS)]
        texts = [
            f'[[target]]\nname = "t{at}"\nflower = "http://127.0.0.1:{ports[2 * at]}"\nredis = "redis://127.0.0.1:{ports[2 * at + 1]}/0"\n'
            for at in range(TARGETS)
        ]
        (tmp_path / "watchdog.toml").write_text("".join(texts))
        yield tmp_path


def test_four_hung_targets_take_no_longer_than_the_timeout_and_are_3(hung: Path) -> None:
    began = time.monotonic()
    done = watchdog("check", "--once", "--format", "json", "--timeout", "1s", cwd=hung)
    assert time.monotonic() - began < 1 + SLACK_S
    document = json.loads(done.stdout)
    assert (done.returncode, document["exit_code"]) == (3, 3)
    assert [(s["source"], s["up"]) for s in document["sources"]] == [("flower", False), ("redis", False)] * TARGETS
    assert {s["error"] for s in document["sources"] if s["source"] == "redis"} == {"redis: no answer before the 1s of --timeout were over"}


def test_they_take_as_long_as_one_by_the_timeouts_of_their_own(hung: Path) -> None:
    config = hung / "watchdog.toml"
    config.write_text(re.sub(r'(flower|redis) = ("\S+")', r'\1 = {url = \2, timeout = "1s"}', config.read_text()))
    began = time.monotonic()
    done = watchdog("check", "--format", "nagios", cwd=hung)
    assert time.monotonic() - began < 3 + SLACK_S
    assert (done.returncode, done.stdout.startswith("WATCHDOG UNKNOWN - ")) == (3, True)


def test_a_wait_ends_in_time_too(hung: Path) -> None:
    began = time.monotonic()
    done = watchdog("check", "--wait", "2s", "--timeout", "500ms", cwd=hung)
    assert time.monotonic() - began < 3 + SLACK_S
    assert (done.returncode, done.stdout.startswith("COULD NOT LOOK")) == (3, True)


def test_ctrl_c_ends_it_at_once(hung: Path) -> None:
    with subprocess.Popen([*COMMAND, "check", "--once"], cwd=hung, env=environment(hung, {}), stderr=subprocess.PIPE) as process:
        time.sleep(2)  # by now it waits
        sent = time.monotonic()
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=20)
    assert time.monotonic() - sent < 2
    assert (process.returncode, said) == (130, b"")


@pytest.mark.parametrize("given", ["0s", "x", ""])
def test_a_timeout_is_a_duration_longer_than_nothing(tmp_path: Path, given: str) -> None:
    done = watchdog("check", "--once", "--timeout", given, "--flower", "http://127.0.0.1:1", cwd=tmp_path)
    assert (done.returncode, "--timeout" in done.stderr) == (2, True)
