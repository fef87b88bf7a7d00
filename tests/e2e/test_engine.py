"""A daemon that lets others look: a real worker, a broker of the engine's own, a real PostgreSQL. Faults: `tests/proofs/test_engine.py`."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from tests.e2e.test_flapping import messages
from tests.processes.cluster import Cluster
from tests.processes.running import running
from tests.servers.postgresql import RealPostgreSQL
from tests.servers.receiver import RecordingReceiver
from tests.servers.waiting import until
from watchdog.daemon.engine.reasons import ALLOWED

CONFIG = """
interval = "3s"
database = "{url}"
engine = {{ broker = "{engine}" }}
[[target]]
name = "prod"
redis = {{ url = "{redis}", queues = ["indexing"] }}
events = "off"
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
"""


@pytest.fixture(scope="module")
def engine() -> Iterator[str]:
    """The URL of a Redis of the engine's own, with a user who may do no more than it needs to."""
    with Cluster() as alone:
        alone.start_redis()
        with redis.Redis.from_url(alone.redis_url) as client:
            client.execute_command("ACL", "SETUSER", "looks", "on", ">pw", *ALLOWED.split())
        yield alone.redis_url.replace("redis://", "redis://looks:pw@")


@pytest.fixture
def folder(postgresql_server: RealPostgreSQL, engine: str, redis_server: Cluster, receiver: RecordingReceiver, tmp_path: Path) -> Path:
    text = CONFIG.format(url=postgresql_server.emptied_database(), engine=engine, redis=redis_server.redis_url, hook=receiver.url)
    (tmp_path / "watchdog.toml").write_text(text)
    return tmp_path


def test_a_worker_looks_and_the_daemon_delivers(folder: Path, redis_server: Cluster, receiver: RecordingReceiver) -> None:
    with running(folder, until="engine_silent") as daemon, running(folder, until="worker_started", work=["worker"]) as looking:
        daemon.wait_for("engine_back")
        redis.Redis.from_url(redis_server.redis_url).lpush("indexing", *["x"] * 60)
        until(lambda: bool(messages(receiver)), 30, "a message")
        assert "QueueBacklogHigh" in looking.text
