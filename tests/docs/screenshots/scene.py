"""A small real cluster and a daemon that watches it: two targets with a day behind them, of which one comes into trouble.

In: a folder. Out: the page's address, and a way to run commands; three incidents fire, and a receiver has been notified of them.
"""

import contextlib
import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.docs.screenshots.past_day import deploys, remember_a_day
from tests.processes.command_line import watchdog
from tests.processes.running import environment, running
from tests.servers.receiver import Answer, RecordingReceiver
from watchdog.demo.cluster import Cluster
from watchdog.store import Store

__all__ = ["TERMINAL_WIDTH", "Scene", "in_trouble"]

TERMINAL_WIDTH = 100

CONFIG = """\
interval = "2s"
database = "watchdog.db"

[http]
listen = "127.0.0.1:0"

[[target]]
name    = "prod"
flower  = "{flower}"
redis   = "{redis}"
link    = "https://flower.example.com"
workers = ["celery@web-*", "celery@images-*", "celery@mail-*"]

[[target]]
name    = "staging"
flower  = "{flower}"
redis   = "{redis}"
workers = ["celery@web-1"]
queues  = ["emails"]

[[receiver]]
name = "slack"
type = "slack"
url  = "{hook}"

[[override]]
rule = "*"
for  = "2s"

[[override]]
rule    = "TaskFailureRateHigh"
enabled = false
"""
QUEUES = {"web-1": ["emails"], "web-2": ["emails"], "images-1": ["images"], "mail-1": ["reports"]}
WANTED = ("QueueNoConsumers", "QueueBacklogHigh", "WorkerLost")


@dataclass(frozen=True)
class Scene:
    """What pictures are taken of."""

    folder: Path
    url: str

    def on_terminal(self, *args: str) -> str:
        """What a command prints on a terminal, with its colours, as if it lay where it is usually installed."""
        own, terminal = pty.openpty()
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 60, TERMINAL_WIDTH, 0, 0))
        environ = environment(self.folder, {"TERM": "xterm-256color", "COLORTERM": "truecolor", "COLUMNS": str(TERMINAL_WIDTH)})
        process = subprocess.Popen(
            [sys.executable, "-m", "watchdog", *args], cwd=self.folder, env=environ, stdout=terminal, stderr=terminal
        )
        os.close(terminal)
        printed = b"".join(_until_closed(own))
        os.close(own)
        process.wait()
        return printed.decode().replace("\r\n", "\n").replace(str(self.folder), "/etc/watchdog")

    def incident(self, rule: str) -> str:
        """The id of the incident of a rule."""
        listed = json.loads(watchdog("incidents", "--format", "json", cwd=self.folder).stdout)["incidents"]
        return next(str(one["id"]) for one in listed if one["rule"] == rule)


@contextmanager
def in_trouble(folder: Path) -> Iterator[Scene]:
    """The scene; everything that was started ends with it."""
    with RecordingReceiver(Answer(body=b"ok")) as hook, Cluster() as cluster:
        cluster.start_redis()
        for name, queues in QUEUES.items():
            cluster.start_worker(name, queues, 2 if name == "web-1" else 1)
        cluster.start_flower()
        cluster.wait_ready(timeout=90)
        text = CONFIG.format(flower=cluster.flower_url, redis=cluster.redis_url, hook=hook.url)
        (folder / "watchdog.toml").write_text(text, encoding="utf-8")
        _remember(folder / "watchdog.db")
        with running(folder) as daemon:
            daemon.wait_for("http_served")
            port = re.findall(r"event=http_served.* port=(\d+)", daemon.own_text)[-1]
            time.sleep(10)  # a few looks: counters begin at the second
            _break(cluster)
            for rule in WANTED:
                daemon.wait_for(f"event=incident_fired target=prod rule={rule}", timeout=180)
            daemon.wait_for("message_delivered", count=2)
            time.sleep(150)  # "since 2m" tells more than "since 3s"
            yield Scene(folder, f"http://127.0.0.1:{port}")


def _until_closed(terminal: int) -> Iterator[bytes]:
    with contextlib.suppress(OSError):  # EIO: nobody has it open any more
        while printed := os.read(terminal, 65536):
            yield printed


def _remember(database: Path) -> None:
    now, store = time.time(), Store.open(database)
    for target in ("prod", "staging"):
        remember_a_day(store, target, now)
    for deploy in deploys(now):
        store.start_deploy(deploy)
    store.close()


def _break(cluster: Cluster) -> None:
    cluster.flood("emails", 40, delay=0.1)
    cluster.flood("emails", 3, "demo.fail", kind="ConnectionError")
    cluster.flood("images", 75, delay=20.0)
    cluster.kill_worker("mail-1")
    cluster.flood("reports", 12)
