"""A queue that comes and goes thirty times, before a real daemon on a real Redis: all times are scaled down together."""

import json
import signal
from pathlib import Path
from typing import Any

import redis

from tests.processes.cluster import Cluster
from tests.processes.running import running
from tests.servers.receiver import RecordingReceiver
from tests.servers.waiting import until
from watchdog.core.incidents.lifecycle import Incident, State
from watchdog.store import Store

TIMES = 30
QUIET_S = 0.3
CONFIG = """
interval = "0.1s"
database = "watchdog.db"
flap_window = "60s"
flap_quiet = "3s"
[[target]]
name = "prod"
redis = {{ url = "{redis}", queues = ["indexing"] }}
[[receiver]]
name = "ops"
type = "webhook"
url = "{hook}"
[[override]]
rule = "*"
enabled = false
[[override]]
rule = "QueueBacklogHigh"
enabled = true
for = "0s"
keep_firing_for = "{quiet}s"
"""


class Queue:
    """The queue, and what the daemon has made of it so far.

    Each of the first messages is waited for: what fires while the end before it is still on its way may join the same group, and be later.
    """

    def __init__(self, folder: Path, url: str, receiver: RecordingReceiver) -> None:
        self._folder, self._redis, self._receiver = folder, redis.Redis.from_url(url), receiver
        self._changes = 0

    def comes(self) -> None:
        self._redis.lpush("indexing", *["x"] * 60)
        until(lambda: (now := self._now) is not None and now.state is State.FIRING, 20, "the incident to fire", 0.02)
        self._told()

    def goes(self) -> None:
        """For long enough to be over, where nothing flaps."""
        self._redis.delete("indexing")
        until(lambda: (now := self._now) is None or now.quiet_s >= QUIET_S, 20, "the quiet", 0.02)
        self._told()

    def _told(self) -> None:
        self._changes += 1
        until(lambda: len(messages(self._receiver)) >= min(self._changes, 5), 20, "the message", 0.02)

    @property
    def _now(self) -> Incident | None:
        with Store.open(self._folder / "watchdog.db", create=False) as store:
            return next(iter(store.incidents()), None)


def messages(receiver: RecordingReceiver) -> list[dict[str, Any]]:
    """What was told, in order; a repeat under the same id counts once."""
    return list({request.headers["webhook-id"]: json.loads(request.body) for request in receiver.requests}.values())


def test_thirty_times_are_six_messages_and_the_last_is_the_end_also_if_watchdog_is_restarted(
    redis_server: Cluster, receiver: RecordingReceiver, tmp_path: Path
) -> None:
    (tmp_path / "watchdog.toml").write_text(CONFIG.format(redis=redis_server.redis_url, hook=receiver.url, quiet=QUIET_S))
    queue = Queue(tmp_path, redis_server.redis_url, receiver)
    with running(tmp_path) as daemon:
        for _ in range(TIMES // 2):
            queue.comes()
            queue.goes()
        assert daemon.end(signal.SIGTERM) == 0
    with running(tmp_path):
        for _ in range(TIMES - TIMES // 2):
            queue.comes()
            queue.goes()
        until(lambda: len(messages(receiver)) >= 6, 30, "the end")
    told = [incident for message in messages(receiver) for incident in message["data"]["incidents"]]
    assert [one["event"] for one in told] == ["first", "resolved"] * 3
    assert [one["flapping"] for one in told] == [False] * 4 + [True] * 2
    assert "(flapping: fired 3 times in " in messages(receiver)[4]["message"]
    assert f"(flapped: fired {TIMES} times in " in messages(receiver)[5]["message"]
