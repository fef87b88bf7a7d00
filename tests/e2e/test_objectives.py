"""An objective on a real cluster: tasks that start in time, then tasks that wait behind slow ones, and failures."""

import json
from pathlib import Path

from tests.processes.cluster import Cluster
from tests.processes.command_line import watchdog
from tests.processes.running import FRESH, events_of, running, write_config
from tests.servers.receiver import RecordingReceiver
from tests.servers.waiting import until

PROMISED = """
[[target.objective]]
queue = "indexing"
max_wait = "2s"
share = 0.95

[[target.objective]]
name = "it works"
task = "demo.*"
success = 0.95
"""


def objective(folder: Path, name: str) -> dict[str, object]:
    """Its row as the daemon last saw it."""
    asked = watchdog("query", "SELECT * FROM objectives", "--format", "json", cwd=folder)
    return next((row for row in json.loads(asked.stdout)["rows"] if row["name"] == name), {})


def test_tasks_that_wait_too_long_burn_the_budget_and_are_told(own_cluster: Cluster, receiver: RecordingReceiver, tmp_path: Path) -> None:
    config = write_config(tmp_path, own_cluster, receiver.url)
    config.write_text(config.read_text().replace("[[receiver]]", f"{PROMISED}[[receiver]]", 1))
    with running(tmp_path, command=FRESH):
        until(lambda: objective(tmp_path, "indexing").get("runs") == 0.0, 60, "a first look")
        own_cluster.flood("indexing", 5)
        until(lambda: objective(tmp_path, "indexing").get("runs", 0) not in (0, None), 90, "a run to be counted")
        before = (objective(tmp_path, "indexing")["missed"], events_of(receiver, "ObjectiveBurnsFast"))
        own_cluster.flood("indexing", 60, delay=0.7)
        until(lambda: events_of(receiver, "ObjectiveBurnsFast") == ["first"], 120, "the burn to be told")
        status = watchdog("status", "--panel", "queues", cwd=tmp_path).stdout
    assert before == (0.0, [])
    assert "objective indexing:" in status
    assert "its error budget is used up" in status
