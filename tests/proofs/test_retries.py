"""`watchdog act retry`, killed at any moment and begun anew: every failed run is sent again exactly once."""

import json
import random
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import httpx
import redis

from tests.processes.cluster import Cluster
from tests.processes.running import COMMAND, environment
from tests.servers.waiting import until
from watchdog.store import Store

RUNS_PER_KILL, MOST_RUNS = 40, 1000
"""So many that most kills are in the middle; Flower lists no more at once."""


def test_retries_that_are_killed_send_every_failed_run_exactly_once(
    bare_cluster: Cluster, tmp_path: Path, count: Callable[[int], int], figure: Callable[[str], None]
) -> None:
    kills, within, dice = count(10), 0, random.Random(13)
    runs = min(RUNS_PER_KILL * kills, MOST_RUNS)
    bare_cluster.start_redis()
    bare_cluster.start_worker("web-1", ["q"], 2)
    bare_cluster.start_flower()
    bare_cluster.wait_ready(timeout=60)
    ids = set(bare_cluster.flood("q", runs, "demo.fail", kind="KeyError"))
    listed = {"state": "FAILURE", "limit": str(runs)}
    until(lambda: ids <= set(httpx.get(f"{bare_cluster.flower_url}/api/tasks", params=listed).json()), 120, "all failures in Flower")
    (tmp_path / "watchdog.toml").write_text(
        'database = "watchdog.db"\n[actions]\nallow = ["retry"]\n[[target]]\nname = "prod"\n'
        f'redis = "{bare_cluster.redis_url}"\nflower = {{url = "{bare_cluster.flower_url}", timeout = "30s"}}\n'
    )
    Store.open(tmp_path / "watchdog.db").close()
    command = [*COMMAND, "act", "retry", "--failed", "demo.fail", "--since", "1d", "--queue", "parked", "--yes", "--timeout", "0.3s"]
    with redis.Redis.from_url(bare_cluster.redis_url) as client:

        def sent() -> int:
            return int(client.llen("parked"))

        for number in range(kills + 1):
            before = sent()
            child = subprocess.Popen(
                command, cwd=tmp_path, env=environment(tmp_path, {}), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            if number < kills:  # each gets a share further
                aim = before + dice.randrange(1, 2 * runs // kills)
                while child.poll() is None and sent() < min(aim, runs):
                    time.sleep(0.0005)
                within += child.poll() is None and sent() < runs
                child.kill()
            child.wait()
        names = Counter(json.loads(raw)["headers"]["id"] for raw in client.lrange("parked", 0, -1))
    assert names == Counter(ids)
    assert within > 0
    figure(f"{runs:,} failed runs, {kills} kills, {within} of them in the middle: each run sent again exactly once")
