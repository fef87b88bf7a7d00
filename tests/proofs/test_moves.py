"""`watchdog act move`, killed at any moment: every message is in exactly one of the two queues, and the audit log knows of every run."""

import json
import random
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import redis

from tests.processes.cluster import Cluster
from tests.processes.running import COMMAND, environment
from watchdog.core.actions.outcome import Word
from watchdog.store import Store

MESSAGES = 20_000
KEYS = ("", "\x06\x163", "\x06\x166", "\x06\x169")


def fill(client: redis.Redis) -> set[str]:
    names = {str(number) for number in range(MESSAGES)}
    for number, name in enumerate(sorted(names)):
        info = {"exchange": "", "routing_key": "src"}
        body = {"body": "W10=" * 100, "headers": {"id": name, "task": "demo.ok"}, "properties": {"delivery_info": info}}
        client.lpush("src" + KEYS[number % len(KEYS)], json.dumps(body))
    return names


def waiting(client: redis.Redis, queue: str) -> Counter[str]:
    raws = [raw for key in KEYS for raw in client.lrange(queue + key, 0, -1)]
    return Counter(json.loads(raw)["headers"]["id"] for raw in raws)


def test_a_move_that_is_killed_leaves_every_message_in_exactly_one_queue(
    redis_server: Cluster, tmp_path: Path, count: Callable[[int], int], figure: Callable[[str], None]
) -> None:
    (tmp_path / "watchdog.toml").write_text(
        f'database = "watchdog.db"\n[actions]\nallow = ["move"]\n[[target]]\nname = "prod"\nredis = "{redis_server.redis_url}"\n'
    )
    Store.open(tmp_path / "watchdog.db").close()
    kills, within, dice = count(10), 0, random.Random(13)
    with redis.Redis.from_url(redis_server.redis_url) as client:
        names = fill(client)
        queue, other = "src", "dst"
        for _ in range(kills):
            had = waiting(client, queue).total()
            child = subprocess.Popen(
                [*COMMAND, "act", "move", queue, other, "--yes", "--timeout", "0.2s"],
                cwd=tmp_path, env=environment(tmp_path, {}), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL,
            )  # fmt: skip
            while child.poll() is None and sum(client.llen(queue + key) for key in KEYS) == had:
                time.sleep(0.001)
            time.sleep(dice.random() * 0.4)
            child.kill()
            child.wait()
            left, arrived = waiting(client, queue), waiting(client, other)
            assert left + arrived == Counter(names)
            within += bool(left)
            if not left:
                queue, other = other, queue
    with Store.open(tmp_path / "watchdog.db", create=False) as store:
        written = Counter(record.outcome for record in store.actions(0.0))
    assert written[Word.BEGUN] >= within > 0
    figure(f"{MESSAGES:,} messages, {kills} kills, {within} of them in the middle: each message in exactly one queue")
