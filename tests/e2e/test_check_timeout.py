"""`watchdog check` where nothing answers: it ends in time, with what it could not know, and at once at Ctrl-C."""

import json
import re
import select
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.processes.command_line import watchdog
from tests.processes.running import COMMAND, environment

TARGETS = 4
SLACK_S = 6.0
"""What judging may cost on a busy machine; one after the other the targets would hang for four times as long."""


class Hung:
    """A folder whose watchdog.toml names servers that take connections and never answer."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder = folder
        self.config = folder / "watchdog.toml"
        self._servers = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(2 * TARGETS)]
        ports = [server.getsockname()[1] for server in self._servers]
        texts = [
            f'[[target]]\nname = "t{at}"\nflower = "http://127.0.0.1:{ports[2 * at]}"\nredis = "redis://127.0.0.1:{ports[2 * at + 1]}/0"\n'
            for at in range(TARGETS)
        ]
        self.config.write_text("".join(texts))

    def set_timeouts(self, duration: str) -> None:
        self.config.write_text(re.sub(r'(flower|redis) = ("\S+")', rf'\1 = {{url = \2, timeout = "{duration}"}}', self.config.read_text()))

    def check(self, *args: str) -> "subprocess.Popen[str]":
        """A check of it, once it has asked the first server."""
        pipe = subprocess.PIPE
        process = subprocess.Popen(
            [*COMMAND, "check", *args], cwd=self.folder, env=environment(self.folder, {}), stdout=pipe, stderr=pipe, text=True
        )
        asked, _, _ = select.select(self._servers, [], [], 60)
        assert asked, "waited 60s in vain for the first question"
        return process

    def checked(self, *args: str) -> tuple[int, str, float]:
        """Its exit code, what it printed, and how long it took from the first question on (seconds)."""
        with self.check(*args) as process:
            began = time.monotonic()
            printed, _ = process.communicate(timeout=60)
        return process.returncode, printed, time.monotonic() - began


@pytest.fixture
def hung(tmp_path: Path) -> Iterator[Hung]:
    with ExitStack() as stack:
        yield Hung(tmp_path, stack)


def test_four_hung_targets_take_no_longer_than_the_timeout_and_are_3(hung: Hung) -> None:
    code, printed, took_s = hung.checked("--once", "--format", "json", "--timeout", "1s")
    assert took_s < 1 + SLACK_S
    document = json.loads(printed)
    assert (code, document["exit_code"]) == (3, 3)
    assert [(s["source"], s["up"]) for s in document["sources"]] == [("flower", False), ("redis", False)] * TARGETS
    assert {s["error"] for s in document["sources"] if s["source"] == "redis"} == {"redis: no answer before the 1s of --timeout were over"}


def test_they_take_as_long_as_one_by_the_timeouts_of_their_own(hung: Hung) -> None:
    hung.set_timeouts("1s")
    code, printed, took_s = hung.checked("--format", "nagios")
    assert took_s < 3 + SLACK_S
    assert (code, printed.startswith("WATCHDOG UNKNOWN - ")) == (3, True)


def test_a_wait_ends_in_time_too(hung: Hung) -> None:
    code, printed, took_s = hung.checked("--wait", "2s", "--timeout", "500ms")
    assert took_s < 3 + SLACK_S
    assert (code, printed.startswith("COULD NOT LOOK")) == (3, True)


def test_ctrl_c_ends_it_at_once(hung: Hung) -> None:
    """At once: not after the five minutes that the questions would take."""
    hung.set_timeouts("5m")
    with hung.check("--once") as process:
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=20)
    assert (process.returncode, said) == (130, "")


@pytest.mark.parametrize("given", ["0s", "x", ""])
def test_a_timeout_is_a_duration_longer_than_nothing(tmp_path: Path, given: str) -> None:
    done = watchdog("check", "--once", "--timeout", given, "--flower", "http://127.0.0.1:1", cwd=tmp_path)
    assert (done.returncode, "--timeout" in done.stderr) == (2, True)
