"""The scene of the crash proof: receivers that act and answer in time or too late, and queues that come and go."""

import contextlib
import json
import os
import random
import signal
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Self

import redis

from tests.proofs.crash_lives import DOOMED, set_levels
from tests.servers.receiver import Answer, RecordingReceiver, Request
from tests.servers.waiting import until
from watchdog.core.model.servers.database_url import DatabaseUrl
from watchdog.store.sql import DatabasePlace

__all__ = ["LARGE", "QUEUES", "SMALL", "ActingReceiver", "Systemd", "World", "write_config"]

QUEUES = ("reports", "mails", "images")
SMALL, LARGE = 60, 600
RULES = """
[[rule]]
name     = "QueueBacklogHigh"
from     = "queues"
when     = "length > 50"
clear    = "length < 25"
keep_firing_for = "{quiet}"
escalate = [{{ when = "length > 500", severity = "critical" }}]
summary  = "{{{{ name }}}} holds {{{{ length }}}} messages"
"""


class ActingReceiver(RecordingReceiver):
    """Acts on what arrives (records it), and then answers: late (seconds) when it hears an id for the first time.

    Where `folder` holds the pid of a daemon that is to die in this send, it kills it once it has acted.
    """

    def __init__(self, late_s: Callable[[], float] = lambda: 0.0, folder: Path | None = None) -> None:
        super().__init__()
        self._late_s, self._folder = late_s, folder
        self._known: set[str] = set()
        self.said: Counter[tuple[str, str]] = Counter()
        """(Queue, event) -> how often it was said, repeats aside."""

    def take(self, request: Request) -> Answer:
        answer = super().take(request)
        if self._folder and (doomed := self._folder / DOOMED).exists():
            pid = int(doomed.read_text())
            doomed.unlink()
            os.kill(pid, signal.SIGKILL)
        if request.headers["webhook-id"] in self._known:
            return answer
        self._known.add(request.headers["webhook-id"])
        self.said.update((notice["key"]["name"], notice["event"]) for notice in json.loads(request.body)["data"]["incidents"])
        return Answer(delay_s=self._late_s())


def write_config(
    folder: Path,
    redis_url: str,
    hooks: Mapping[str, str],
    *,
    interval: str,
    quiet: str,
    timeout_s: float,
    database: DatabasePlace = Path("watchdog.db"),
) -> None:
    kept = database.reveal() if isinstance(database, DatabaseUrl) else database
    lines = [f'interval = "{interval}"', f'database = "{kept}"', "shipped_rules = false", 'rules = ["rules.toml"]']
    lines += ['flap_window = "0s"']  # every fire is to be heard of, however often it comes
    lines += ["[[target]]", 'name = "prod"', f"redis = {{ url = {json.dumps(redis_url)}, queues = {json.dumps(QUEUES)} }}"]
    for name, url in hooks.items():
        lines += ["[[receiver]]", f'name = "{name}"', 'type = "webhook"', f'url = "{url}"', f'timeout = "{timeout_s:g}s"']
        lines += ['group_interval = "0s"']  # one fire is to be heard of while others of its rule burn
    (folder / "watchdog.toml").write_text("\n".join(lines) + "\n")
    (folder / "rules.toml").write_text(RULES.format(quiet=quiet))


class World:
    """Queues that come and go while watchdog lives and dies: one keeps each level until all receivers have heard of it, the rest do not."""

    def __init__(self, redis_url: str, receivers: Sequence[ActingReceiver], seed: int) -> None:
        self._redis, self._receivers = redis.Redis.from_url(redis_url), receivers
        self._ending, self._abandoned = threading.Event(), threading.Event()
        self._threads = [threading.Thread(target=self._patiently, name="patient", args=(QUEUES[0],))]
        self._threads += [threading.Thread(target=self._hastily, name=q, args=(q, random.Random(f"{seed}{q}"))) for q in QUEUES[1:]]
        self.fires = 0
        """How many the patient queue has had."""

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._abandoned.set()
        self.end()
        self._redis.close()

    def end(self) -> None:
        """All queues empty, once the patient one has come to the end of its fire."""
        self._ending.set()
        for thread in self._threads:
            thread.join(60)
        set_levels(self._redis, dict.fromkeys(QUEUES, 0))

    def _patiently(self, queue: str) -> None:
        while not self._ending.is_set():
            self.fires += 1
            for level, event in [(SMALL, "first"), (LARGE, "escalated"), (0, "resolved")]:
                set_levels(self._redis, {queue: level})
                until(lambda event=event: self._all_heard(queue, event), 50, f"{queue} to be notified as {event}")  # type: ignore[misc]

    def _all_heard(self, queue: str, event: str) -> bool:
        return self._abandoned.is_set() or all(receiver.said[queue, event] >= self.fires for receiver in self._receivers)

    def _hastily(self, queue: str, chance: random.Random) -> None:
        while not self._ending.wait(chance.uniform(0.1, 1.5)):
            set_levels(self._redis, {queue: chance.choice([0, 0, SMALL, LARGE])})


class Systemd:
    """The socket to which a daemon says that it is ready."""

    def __init__(self, folder: Path) -> None:
        self.address = str(folder / "notify")
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self.address)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def ready(self, began: float, end: float, *, at_once: bool = False) -> float | None:
        """How long after `began` it was ready, None where it was not by `end`; it listens until then, or `at_once` until ready."""
        ready = None
        while (left := end - time.monotonic()) > 0 and not (at_once and ready):
            self._socket.settimeout(left)
            with contextlib.suppress(TimeoutError):
                if b"READY=1" in self._socket.recv(4096) and ready is None:
                    ready = time.monotonic() - began
        return ready
