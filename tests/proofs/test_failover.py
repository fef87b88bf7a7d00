"""Two daemons on one PostgreSQL, of which one works: killed, frozen, stopped, and the database crashed under them, again and again.

What is shown: each incident is told once from its beginning to its end, in that order, each event under one id; and how long it takes until
the other one works.
"""

import json
import random
import signal
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest
import redis

from tests.processes.running import Daemon
from tests.servers.postgresql import RealPostgreSQL, needs_postgresql, postgresql_installed, real_postgresql
from tests.servers.receiver import RecordingReceiver
from tests.servers.waiting import until
from watchdog.demo.cluster import Cluster
from watchdog.store.postgresql.lease import TTL_S

FAULTS = ("kill", "freeze", "stop", "crash of the database")
CI_FAULTS = 8
CONFIG = """
interval = "0.2s"
database = "{url}"
flap_window = "0s"
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
keep_firing_for = "0.3s"
"""


@pytest.fixture
def server() -> Iterator[RealPostgreSQL]:
    if not postgresql_installed():
        pytest.skip(needs_postgresql)
    with real_postgresql() as one:
        yield one


class Pair:
    """Two daemons and what supervises them: whichever has ended is started again."""

    def __init__(self, server: RealPostgreSQL, folders: list[Path], url: str) -> None:
        self._server, self._folders, self._url = server, folders, url
        self.daemons: dict[Path, Daemon] = {}

    def supervise(self) -> None:
        for folder in self._folders:
            known = self.daemons.get(folder)
            if known is None or known.process.poll() is not None:
                self.daemons[folder] = Daemon(folder)

    def holder(self) -> tuple[int, int]:
        """The epoch, and the pid of who has it."""
        with psycopg.connect(self._url, connect_timeout=5) as connection:
            row = connection.execute("SELECT epoch, holder FROM lease WHERE until > clock_timestamp()").fetchone()
        return (0, 0) if row is None else (int(row[0]), int(row[1].rpartition(" ")[2]))

    def wait_for_holder(self, above: int = 0, not_before: float = 0.0) -> float:
        """Until a daemon has the lease under a later epoch; how long that took, in seconds."""
        until(lambda: self.holder()[0] > above, 60, "a daemon to take the lease", 0.05)
        return time.monotonic() - not_before

    def wait_for_standby(self) -> None:
        def two() -> bool:
            self.supervise()
            return all("standing_by" in one.own_text or "watchdog_started" in one.own_text for one in self.daemons.values())

        until(two, 60, "both to work or to stand by")

    def suffer(self, fault: str) -> float | None:
        """One fault, and how long it took until the other had the lease; None where it need not move."""
        epoch, pid = self.holder()
        worker = next(one for one in self.daemons.values() if one.process.pid == pid)
        began = time.monotonic()
        if fault == "crash of the database":
            self._server.stop(signal.SIGQUIT)
            self._server.start()
            return None
        sent = {"kill": signal.SIGKILL, "freeze": signal.SIGSTOP, "stop": signal.SIGTERM}[fault]
        worker.send(sent)
        took = self.wait_for_holder(epoch, began)
        if fault == "freeze":
            worker.send(signal.SIGCONT)
            assert worker.process.wait(60) == 1
        return took

    def end(self) -> None:
        for one in self.daemons.values():
            one.process.kill()
            one.process.wait()


def events_of(receiver: RecordingReceiver) -> dict[str, list[str]]:
    """Incident -> the events that arrived, in order; a repeat under the same id counts once."""
    once = {request.headers["webhook-id"]: json.loads(request.body) for request in receiver.requests}
    told: dict[str, list[str]] = {}
    for message in once.values():
        for one in message["data"]["incidents"]:
            told.setdefault(one["id"], []).append(one["event"])
    return told


def test_failover(
    server: RealPostgreSQL,
    redis_server: Cluster,
    receiver: RecordingReceiver,
    tmp_path: Path,
    count: Callable[[int], int],
    figure: Callable[[str], None],
) -> None:
    url, chance = server.new_database(), random.Random(15)
    world = redis.Redis.from_url(redis_server.redis_url)
    folders = [tmp_path / name for name in ("one", "two")]
    for folder in folders:
        folder.mkdir()
        (folder / "watchdog.toml").write_text(CONFIG.format(url=url, redis=redis_server.redis_url, hook=receiver.url))
    pair, took = Pair(server, folders, url), {fault: list[float]() for fault in FAULTS}
    with ExitStack() as stack:
        stack.callback(pair.end)
        pair.daemons[folders[0]] = Daemon(folders[0])
        pair.daemons[folders[0]].wait_for("watchdog_started")
        fires = 0
        for number in range(count(CI_FAULTS)):
            pair.wait_for_standby()
            fires += number % 2 == 0
            world.lpush("indexing", *["x"] * 60) if number % 2 == 0 else world.delete("indexing")
            time.sleep(chance.uniform(0, 1))
            fault = FAULTS[number % len(FAULTS)] if number < len(FAULTS) else chance.choice(FAULTS)
            seconds = pair.suffer(fault)
            took[fault] += [] if seconds is None else [seconds]
            until(lambda: sum(map(len, events_of(receiver).values())) > number, 90, f"the news after fault {number + 1}, a {fault}")  # noqa: B023
    told = events_of(receiver)
    assert len(told) == fires
    assert {tuple(story) for story in told.values()} <= {("first", "resolved"), ("first",)}
    assert max(took["freeze"], default=0.0) < 2 * TTL_S
    shown = ", ".join(f"{fault} {statistics.median(times):.1f} s (at most {max(times):.1f})" for fault, times in took.items() if times)
    figure(f"failover in {number + 1} faults: 0 of {fires} incidents lost, 0 told twice; until another works: {shown}")
