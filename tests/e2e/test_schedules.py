"""A task that should have succeeded and did not: a real beat that dies, and one that is back."""

import contextlib
import json
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.processes.cluster import Cluster, ForkedProcess
from tests.processes.command_line import watchdog
from tests.processes.running import FRESH, events_of, running, write_config
from tests.servers.receiver import RecordingReceiver
from tests.servers.waiting import until
from watchdog.demo.processes import Process, child_environment

EVERY_TWO_SECONDS = """
[[target.schedule]]
task = "demo.ok"
every = "2s"
grace = "4s"
"""


@contextlib.contextmanager
def beat(cluster: Cluster, folder: Path) -> Iterator[Process]:
    """A real beat, which sends `demo.ok` each second."""
    command = [sys.executable, "-m", "celery", "-A", "tests.servers.beat_app", "beat", "--schedule", str(folder / "beat.db"), "--pidfile="]
    environment = child_environment({"DEMO_BROKER_URL": cluster.redis_url, "PYTHONPATH": str(Path(__file__).parents[2])})
    process = ForkedProcess("beat", command, folder, environment)
    try:
        yield process
    finally:
        process.end(signal.SIGKILL)


def succeeds(folder: Path) -> bool:
    """Whether a success was seen."""
    asked = watchdog("query", "SELECT task FROM schedules WHERE last_success_s < 5", "--format", "json", cwd=folder)
    return bool(json.loads(asked.stdout)["rows"])


def test_a_beat_that_dies_is_told_and_its_return_ends_it(own_cluster: Cluster, receiver: RecordingReceiver, tmp_path: Path) -> None:
    config = write_config(tmp_path, own_cluster, receiver.url)
    config.write_text(config.read_text().replace("[[receiver]]", f"{EVERY_TWO_SECONDS}[[receiver]]", 1))
    with running(tmp_path, command=FRESH):
        with beat(own_cluster, tmp_path):
            until(lambda: succeeds(tmp_path), 40, "a success")
        before = events_of(receiver, "TaskOverdue")
        until(lambda: events_of(receiver, "TaskOverdue") == ["first"], 60, "the silence to be told")
        with beat(own_cluster, tmp_path):
            until(lambda: events_of(receiver, "TaskOverdue") == ["first", "resolved"], 60, "its end")
    assert before == []
