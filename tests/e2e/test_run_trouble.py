"""`watchdog run` when its own surroundings fail: it notifies all the same."""

import os
import signal
import subprocess
from pathlib import Path
from typing import TextIO

import pytest

from tests.processes.cluster import Cluster
from tests.processes.running import COMMAND, environment, events_of, write_config
from tests.servers.receiver import RecordingReceiver
from tests.servers.waiting import until


def heard(receiver: RecordingReceiver, *events: str) -> None:
    until(lambda: events_of(receiver, "BrokerUnreachable") == list(events), 60, f"the broker to be notified as {events}")


def test_a_log_whose_reader_is_gone_keeps_nobody_from_being_told(
    redis_server: Cluster, receiver: RecordingReceiver, tmp_path: Path
) -> None:
    path = write_config(tmp_path, redis_server, receiver.url, short=("BrokerUnreachable",))
    path.write_text("\n".join(line for line in path.read_text().splitlines() if not line.startswith("flower")))
    daemon = subprocess.Popen([*COMMAND, "run"], cwd=tmp_path, env=environment(tmp_path, {}), stderr=subprocess.PIPE)
    try:
        assert daemon.stderr is not None
        while b"watchdog_started" not in os.read(daemon.stderr.fileno(), 65536):
            pass
        daemon.stderr.close()
        redis_server.stop_redis()
        heard(receiver, "first")
        redis_server.start_redis()
        heard(receiver, "first", "resolved")
        daemon.send_signal(signal.SIGTERM)
        assert daemon.wait(20) == 0
    finally:
        daemon.kill()
        daemon.wait()


@pytest.mark.parametrize("unread", [("stdout",), ("stderr",), ("stdout", "stderr")], ids=["output", "log", "both"])
def test_output_that_nobody_reads_keeps_nobody_from_being_told_and_the_end_from_nothing(
    unread: tuple[str, ...], receiver: RecordingReceiver, tmp_path: Path, full_pipe: tuple[int, TextIO]
) -> None:
    """A pipe to a program that is stuck: a shipper of logs, or a terminal that is paused."""
    (tmp_path / "watchdog.toml").write_text(f"""
        interval = "0.3s"
        database = "watchdog.db"
        [[target]]
        name = "prod"
        redis = "redis://127.0.0.1:1/0"
        events = "off"
        [[receiver]]
        name = "here"
        type = "console"
        [[receiver]]
        name = "ops"
        type = "webhook"
        url = "{receiver.url}"
        [[override]]
        rule = "BrokerUnreachable"
        for = "0s"
    """)
    environ = environment(tmp_path, {})
    del environ["PYTHONUNBUFFERED"]  # buffers are what the end has to write
    streams = {name: full_pipe[1] if name in unread else subprocess.DEVNULL for name in ("stdout", "stderr")}
    daemon = subprocess.Popen([*COMMAND, "run"], cwd=tmp_path, env=environ, **streams)  # type: ignore[call-overload]
    try:
        heard(receiver, "first")
        daemon.send_signal(signal.SIGTERM)
        assert daemon.wait(20) == 0
    finally:
        daemon.kill()
        daemon.wait()
