"""Mute windows: a real daemon, whose clock is ahead so that a minute soon ends, real receivers, and one fire: a broker that is away."""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from tests.builders.outbox import incident, look, opened
from tests.processes.command_line import watchdog
from tests.processes.running import running, told
from tests.processes.shifted_clock import CLOCK_AHEAD_S
from tests.servers.receiver import RecordingReceiver
from tests.servers.valkey import valkey_server
from tests.servers.waiting import until
from watchdog.core.incidents.routing import Recipient

MARGIN_S = 12.0
"""The daemon must have found the fire before the window ends."""
COMMAND = (sys.executable, "-W", "error", "-m", "tests.processes.shifted_clock")


def clock(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%H:%M")


def window(ends_at: float, more: str = "") -> str:
    """A window that began an hour ago."""
    return f'[[mute]]\nname = "nights"\nfrom = "{clock(ends_at - 3600)}"\nto = "{clock(ends_at)}"\n{more}'


def configure(folder: Path, port: int, receivers: str, mutes: str) -> None:
    (folder / "watchdog.toml").write_text(
        f'interval = "0.3s"\ndatabase = "watchdog.db"\n[[target]]\nname = "prod"\nredis = "redis://127.0.0.1:{port}/0"\n'
        f'[[override]]\nrule = "*"\nfor = "0s"\nkeep_firing_for = "0s"\n{receivers}{mutes}'
    )


def receiver(name: str, url: str, more: str = "") -> str:
    return f'[[receiver]]\nname = "{name}"\ntype = "webhook"\nurl = "{url}"\n{more}'


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextmanager
def broker(port: int) -> Iterator[None]:
    command = [str(valkey_server()), "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        yield
        process.terminate()


def said(to: RecordingReceiver) -> list[str]:
    return [event for _, rule, event in told(to) if rule == "BrokerUnreachable"]


def test_what_fires_in_a_window_and_still_burns_at_its_end_is_said_then_and_its_end_is_never_muted(tmp_path: Path) -> None:
    port = free_port()
    with RecordingReceiver() as sleeper, RecordingReceiver() as nurse:
        soon = time.time() + MARGIN_S
        ahead_s = 60 - soon % 60
        ends_at = soon + ahead_s  # by the daemon's clock
        clock_ahead = {CLOCK_AHEAD_S: str(ahead_s)}
        receivers = receiver("sleeper", sleeper.url, 'mute = "nights"\n') + receiver("nurse", nurse.url)
        configure(tmp_path, port, receivers, window(ends_at))
        with running(tmp_path, clock_ahead, command=COMMAND) as daemon:
            until(lambda: said(nurse) == ["first"], 30, "the one who is awake is told")
            until(lambda: said(sleeper) == ["first"], 90, "the sleeper is told when the window ends")
            assert sleeper.requests[0].at + ahead_s >= ends_at

            configure(tmp_path, port, receivers, window(time.time() // 60 * 60 + 600))
            assert watchdog("config", "check", cwd=tmp_path).returncode == 0
            assert daemon.end() == 0
        with running(tmp_path, clock_ahead, command=COMMAND), broker(port):
            until(lambda: said(sleeper) == said(nurse) == ["first", "resolved"], 30, "both hear the end, in a window and after a restart")


def test_a_window_for_all_receivers_is_named_with_its_end_beside_what_it_mutes(tmp_path: Path) -> None:
    ends_at = time.time() // 60 * 60 + 600
    configure(tmp_path, 1, "", window(ends_at, "all_receivers = true\n"))
    with opened(tmp_path) as store:
        look(store, [Recipient("ops")], incident("indexing"))
    assert f"nights until {clock(ends_at)} UTC" in watchdog("incidents", cwd=tmp_path).stdout
    (listed,) = json.loads(watchdog("incidents", "--format", "json", cwd=tmp_path).stdout)["incidents"]
    assert listed["held_back_by"]["mute"] == "nights"
    shown = watchdog("incidents", "show", listed["fingerprint"], cwd=tmp_path).stdout
    assert f"muted by     nights until {clock(ends_at)} UTC" in shown
