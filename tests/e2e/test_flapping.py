"""A queue that comes and goes thirty times, before a real daemon on a real Redis: all times are scaled down together."""

import json
import signal
from pathlib import Path

import redis

from tests.processes.running import running
from tests.servers.receiver import RecordingReceiver
from tests.servers.waiting import until
from watchdog.core.incidents.lifecycle import Incident, State
from watchdog.demo.cluster import Cluster
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
    """The queue, and what the daemon has made of it so far."""

    def __init__(self, folder: Path, url: str) -> None:
        self._folder, self._redis = folder, redis.Redis.from_url(url)

    def comes(self) -> None:
        self._redis.lpush("indexing", *["x"] * 60)
        until(lambda: self._now is not None and self._now.state is State.FIRING, 20, "the incident to fire", 0.02)

    def goes(self) -> None:
        """For long enough to be over, where nothing flaps."""
        self._redis.delete("indexing")
        until(lambda: self._now is None or self._now.quiet_s >= QUIET_S, 20, "the quiet", 0.02)

    @property
    def _now(self) -> Incident | None:
        with Store.open(self._folder / "watchdog.db", create=False) as store:
            return next(iter(store.incidents()), None)


def test_thirty_times_are_six_messages_and_the_last_is_the_end_also_if_watchdog_is_restarted(
    redis_server: Cluster, receiver: RecordingReceiver, tmp_path: Path
) -> None:
    (tmp_path / "watchdog.toml").write_text(CONFIG.format(redis=redis_server.redis_url, hook=receiver.url, quiet=QUIET_S))
    queue = Queue(tmp_path, redis_server.redis_url)
    with running(tmp_path) as daemon:
        for _ in range(TIMES // 2):
            queue.comes()
            queue.goes()
        assert daemon.end(signal.SIGTERM) == 0
    with running(tmp_path):
        for _ in range(TIMES - TIMES // 2):
            queue.comes()
            queue.goes()
        until(lambda: len(receiver.requests) >= 6, 30, "the end")
    messages = [json.loads(request.body) for request in receiver.requests]
    events = [incident["event"] for message in messages for incident in message["data"]["incidents"]]
    assert events == ["first", "resolved"] * 3
    assert [incident["flapping"] for message in messages for incident in message["data"]["incidents"]] == [False] * 4 + [True] * 2
    assert "(flapping: fired 3 times in " in messages[4]["message"]
    assert f"(flapped: fired {TIMES} times in " in messages[5]["message"]
