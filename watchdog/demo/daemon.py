"""The daemon of the demo: `watchdog run` with short intervals on the demo cluster, and the output of its console receiver.

In: a cluster. Out: the process, and every incident in its messages, as they are sent. Its log and its messages share one file.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from watchdog.demo.cluster import Cluster
from watchdog.demo.processes import Process, child_environment

__all__ = ["Messages", "start_daemon"]

SHORTENED: Mapping[str, Mapping[str, str]] = {
    "*": {"keep_firing_for": "1s"},
    "QueueBacklogHigh": {"for": "2s"},
    "QueueNoConsumers": {"for": "2s"},
    "WorkerLost": {"for": "1s"},
    "TaskFailureRateHigh": {"window": "15s"},
    "ErrorBurst": {"window": "15s"},
}
"""Rule -> settings that the demo shortens, so that it ends within a minute."""


def start_daemon(cluster: Cluster) -> Process:
    """Write `watchdog.toml` into the cluster's folder and run watchdog with it."""
    config = cluster.workdir / "watchdog.toml"
    config.write_text(config_text(cluster))
    command = [sys.executable, "-m", "watchdog", "run", "--config", str(config)]
    return Process("watchdog", command, cluster.workdir, child_environment({}))


def config_text(cluster: Cluster) -> str:
    """The demo's configuration."""
    lines = [
        'interval = "1s"',
        'flap_window = "30s"',
        'flap_quiet = "15s"',
        'service = "demo"',
        'database = "watchdog.db"',
        "[[target]]",
        'name = "demo"',
        f'flower = "{cluster.flower_url}"',
        f'redis = "{cluster.redis_url}"',
        "[[receiver]]",
        'name = "screen"',
        'type = "console"',
        'format = "json"',
    ]
    for rule, shorter in SHORTENED.items():
        lines += ["[[override]]", f'rule = "{rule}"', *(f'{key} = "{value}"' for key, value in shorter.items())]
    return "\n".join(lines) + "\n"


class Messages:
    """The messages that the daemon has sent so far."""

    def __init__(self, daemon: Process) -> None:
        self._log = daemon.log
        self._read = 0

    def new(self) -> Iterator[dict[str, Any]]:
        """The incidents of every message since the last call; log lines are skipped."""
        with self._log.open("rb") as log:
            log.seek(self._read)
            whole = log.read().rpartition(b"\n")[0]
        self._read += len(whole) + bool(whole)
        for line in whole.splitlines():
            if line.startswith(b'{"type":"incident.'):
                yield from json.loads(line)["data"]["incidents"]
