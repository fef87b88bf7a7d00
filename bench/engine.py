"""What a look costs that workers of an engine make, beside one in the process of a daemon: CPU of watchdog's own processes.

In: targets on a simulated Flower and a real Redis, shipped rules, nothing firing. The daemon in one process keeps its state in SQLite, as
it does by default; with PostgreSQL it stands between the two, to show what of the difference is the database's.
"""

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from sqlite3 import OperationalError, connect

import psycopg
import redis

from bench.cpu import cpu_s_of_pid, rss_mb_of_pid
from bench.daemon import as_installed, daemon, write_config
from bench.figures import Figure, Skipped, by_round
from bench.servers import Servers, serving
from bench.site import Site
from tests.servers.postgresql import RealPostgreSQL, needs_postgresql, postgresql_installed, real_postgresql
from watchdog.demo.cluster import Cluster
from watchdog.demo.processes import Process

__all__ = ["engine"]

WORKERS = 2
PATIENCE_S = 300.0
INTERVAL_S = 10.0
LOOKS = "SELECT count(*), sum(number) FROM cycles"


def engine(folder: Path, *, targets: int = 300, measured_s: float = 40.0, rounds: int = 2) -> Iterator[Figure | Skipped]:
    """CPU of a look, and how many targets a core can look at every 10 s."""
    if not postgresql_installed():
        yield Skipped("a look that a worker makes", needs_postgresql)
        return
    with ExitStack() as stack:
        servers = stack.enter_context(serving(Site(4, 0, time.time()), folder))
        server, broker = stack.enter_context(real_postgresql()), stack.enter_context(Cluster())
        broker.start_redis()
        bench = _Bench(folder, servers, server, broker, targets, measured_s)
        pairs, with_postgresql, carried = [], [], []
        for _ in range(rounds):
            alone, beside, by_workers = bench.alone(), bench.beside_postgresql(), bench.by_workers()
            pairs.append((by_workers[0], alone))
            with_postgresql.append((beside, alone))
            carried.append(by_workers)
    yield by_round(f"a look in one process with PostgreSQL, {targets} targets every 10 s: CPU", "ms", with_postgresql, None)
    yield by_round(f"a look by {WORKERS} workers of an engine: CPU, theirs and the daemon's", "ms", pairs, 1.4)
    cpu_ms, of_daemon_ms, rss_mb = min(carried)
    yield Figure("of it the daemon's, which publishes and notices", of_daemon_ms, "ms")
    yield Figure("memory of a worker", rss_mb, "MB")
    yield Figure("targets that a core can look at every 10 s", INTERVAL_S * 1000 / cpu_ms, "")


class _Bench:
    """The same targets, watched in three ways."""

    def __init__(self, folder: Path, servers: Servers, server: RealPostgreSQL, broker: Cluster, targets: int, measured_s: float) -> None:
        self._folder, self._servers, self._server, self._broker = folder, servers, server, broker
        self._targets, self._measured_s = targets, measured_s
        self._runs = 0

    def alone(self) -> float:
        """CPU (ms) of a look of a daemon alone, with SQLite."""
        folder = self._written({"database": "watchdog.db"})
        with daemon(folder) as process:
            return self._measured([process], lambda: _of_file(folder / "watchdog.db"))[0]

    def beside_postgresql(self) -> float:
        """The same with PostgreSQL."""
        url = self._server.new_database()
        with daemon(self._written({"database": url})) as process:
            return self._measured([process], lambda: _of_server(url))[0]

    def by_workers(self) -> tuple[float, float, float]:
        """CPU (ms) of a look of workers, and the daemon's part of it; memory (MB) of one of them."""
        url = self._server.new_database()
        redis.Redis.from_url(self._broker.redis_url).flushall()
        folder = self._written({"database": url}, f'[engine]\nbroker = "{self._broker.redis_url}"')
        with daemon(folder) as leader, _workers(folder) as workers:
            whole, of_leader = self._measured([leader, *workers], lambda: _of_server(url))
            return whole, of_leader, rss_mb_of_pid(workers[0].pid)

    def _written(self, top: dict[str, object], more: str = "") -> Path:
        self._runs += 1
        folder = self._folder / f"run-{self._runs}"
        watched = [
            {
                "name": f"site-{n}",
                "flower": f"{self._servers.flower_url}/f{n}",
                "redis": self._servers.redis_url.replace("/0", f"/{n % 16}"),
                "events": "off",
            }
            for n in range(self._targets)
        ]
        write_config(folder, {"interval": f"{INTERVAL_S:g}s", **top}, {"target": watched}, more)
        return folder

    def _measured(self, processes: Sequence[Process], looks: Callable[[], tuple[int, int]]) -> tuple[float, float]:
        """CPU (ms) of a look: of all processes, and of the first."""
        ends_at = time.monotonic() + PATIENCE_S
        while looks()[0] < self._targets + 1 and time.monotonic() < ends_at:
            for process in processes:
                process.require_running()
            time.sleep(0.5)
        time.sleep(2 * INTERVAL_S)
        before, cpu = looks()[1], [cpu_s_of_pid(process.pid) for process in processes]
        time.sleep(self._measured_s)
        used = [cpu_s_of_pid(process.pid) - was for process, was in zip(processes, cpu, strict=True)]
        made = looks()[1] - before
        return sum(used) * 1000 / made, used[0] * 1000 / made


@contextmanager
def _workers(folder: Path) -> Iterator[list[Process]]:
    command = [sys.executable, "-m", "watchdog", "worker", "--concurrency", "2"]
    workers = [Process(f"worker {n}", command, folder, as_installed(folder.parent)) for n in range(WORKERS)]
    try:
        yield workers
    finally:
        for worker in workers:
            worker.end()


def _of_file(path: Path) -> tuple[int, int]:
    """How many targets were looked at, and how many looks there were."""
    try:
        with closing(connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
            seen, looks = connection.execute(LOOKS).fetchone()
    except OperationalError:  # it is only being made
        return 0, 0
    return seen, looks or 0


def _of_server(url: str) -> tuple[int, int]:
    try:
        with psycopg.connect(url) as connection:
            row = connection.execute(LOOKS).fetchone()
    except psycopg.errors.UndefinedTable:
        return 0, 0
    return (0, 0) if row is None else (int(row[0]), int(row[1] or 0))
