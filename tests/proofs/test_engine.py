"""Many targets, looked at by two workers through a broker of their own, which is frozen, killed and emptied; and the workers are killed.

What is shown: no look is ever older than three intervals; what breaks meanwhile is told once, and so is its end; and workers look again by
themselves once they can. `COUNT=300` is what one daemon and two workers are meant for.
"""

import signal
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from urllib.request import urlopen

import psycopg
import pytest
import redis

from bench.servers import serving
from bench.site import Site
from tests.processes.cluster import Cluster
from tests.processes.running import Daemon, told
from tests.servers.postgresql import RealPostgreSQL
from tests.servers.receiver import RecordingReceiver
from tests.servers.waiting import until

pytestmark = pytest.mark.alone

CI_TARGETS = 20
WORKERS = 2
INTERVAL_S = 3.0
OLDEST_S = 3 * INTERVAL_S
FAULTS = ("freeze the broker", "kill the broker", "empty the broker", "kill the workers")
CONFIG = """
interval = "{interval}s"
database = "{url}"
engine = {{ broker = "{engine}" }}
flap_window = "0s"
[[receiver]]
name = "ops"
type = "webhook"
url = "{hook}"
[[override]]
rule = "*"
enabled = false
[[override]]
rule = "FlowerUnreachable"
enabled = true
for = "0s"
keep_firing_for = "0s"
"""
AGES = "SELECT max(extract(epoch FROM clock_timestamp()) - at), min(extract(epoch FROM clock_timestamp()) - at), count(*) FROM cycles"


class Ages:
    """Asks the database again and again how old the oldest of the last looks is."""

    def __init__(self, url: str, targets: int) -> None:
        self.oldest_s = 0.0
        self._url, self._targets, self._over = url, targets, threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "Ages":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(10)

    def _run(self) -> None:
        with psycopg.connect(self._url, autocommit=True) as connection:
            while not self._over.wait(0.2):
                row = connection.execute(AGES).fetchone()
                if row is not None and row[2] > self._targets:  # watchdog's own target is one of them
                    self.oldest_s = max(self.oldest_s, float(row[0]))


class ManyTargets:
    """The daemon, its workers and their broker, and how to hurt them."""

    def __init__(self, folder: Path, broker: Cluster) -> None:
        self.folder, self.broker = folder, broker
        self.daemon = Daemon(folder)
        self.workers: list[Daemon] = []

    def start_workers(self) -> None:
        for number in range(WORKERS):
            folder = self.folder / f"worker-{number}"
            folder.mkdir(exist_ok=True)
            work = ["worker", "--config", str(self.folder / "watchdog.toml"), "--concurrency", "2"]
            self.workers.append(Daemon(folder, work=work))
        for worker in self.workers:
            worker.wait_for("configuration_read")  # it had its first look

    def hurt(self, fault: str) -> None:
        match fault:
            case "freeze the broker":
                self.broker.stop_redis(signal.SIGSTOP)
            case "kill the broker":
                self.broker.stop_redis(signal.SIGKILL)
            case "empty the broker":
                redis.Redis.from_url(self.broker.redis_url).flushall()
            case "kill the workers":
                for worker in self.workers:
                    worker.end(signal.SIGKILL)
                self.workers.clear()

    def mend(self, fault: str) -> None:
        match fault:
            case "freeze the broker":
                self.broker.resume_redis()
            case "kill the broker":
                self.broker.start_redis(int(self.broker.redis_url.rpartition(":")[2].partition("/")[0]))
            case "kill the workers":
                self.start_workers()

    def wait_for_workers(self) -> None:
        """Until the daemon has not been alone with its targets for a while."""
        until(self._carried, 90, "workers to look again", 0.2)

    def _carried(self) -> bool:
        text = self.daemon.text
        return text.count("event=engine_back") >= text.count("event=engine_silent")

    def end(self) -> None:
        for one in (self.daemon, *self.workers):
            one.process.kill()
            one.process.wait()


def test_engine(
    own_postgresql: RealPostgreSQL,
    redis_server: Cluster,
    receiver: RecordingReceiver,
    tmp_path: Path,
    count: Callable[[int], int],
    figure: Callable[[str], None],
) -> None:
    targets, url = count(CI_TARGETS), own_postgresql.new_database()
    with ExitStack() as stack:
        flowers = stack.enter_context(serving(Site(1, 0, time.time()), tmp_path))
        text = CONFIG.format(interval=INTERVAL_S, url=url, engine=redis_server.redis_url, hook=receiver.url)
        watched = [f'[[target]]\nname = "site-{n}"\nflower = "{flowers.flower_url}/f{n}"\n' for n in range(targets)]
        (tmp_path / "watchdog.toml").write_text(text + "".join(watched))
        site = ManyTargets(tmp_path, redis_server)
        stack.callback(site.end)
        site.daemon.wait_for("watchdog_started")
        site.start_workers()
        site.wait_for_workers()
        ages = stack.enter_context(Ages(url, targets))
        slowest_s = back_s = 0.0
        for number, fault in enumerate(FAULTS):
            site.hurt(fault)
            time.sleep(INTERVAL_S / 2)
            urlopen(f"{flowers.flower_url}/down/f{number}", timeout=10).close()
            began = time.monotonic()
            until(lambda: len(told(receiver)) == 2 * number + 1, 60, f"site-{number} to be told, after: {fault}")  # noqa: B023
            slowest_s = max(slowest_s, time.monotonic() - began)
            time.sleep(INTERVAL_S)
            site.mend(fault)
            began = time.monotonic()
            site.wait_for_workers()
            back_s = max(back_s, time.monotonic() - began)
            urlopen(f"{flowers.flower_url}/up/f{number}", timeout=10).close()
            until(lambda: len(told(receiver)) == 2 * number + 2, 60, f"the end of site-{number} to be told, after: {fault}")  # noqa: B023
        oldest_s = ages.oldest_s
    events = [(incident, event) for incident, _, event in told(receiver)]
    assert len({incident for incident, _ in events}) == len(FAULTS)
    assert [event for _, event in events] == ["first", "resolved"] * len(FAULTS)
    figure(
        f"{targets} targets every {INTERVAL_S:g} s, {len(FAULTS)} faults of the engine: oldest look {oldest_s:.1f} s, "
        f"told after {slowest_s:.1f} s at most, workers back after {back_s:.1f} s at most"
    )
    assert oldest_s <= OLDEST_S
