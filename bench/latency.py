"""How long from a queue's jump to its webhook, and from `watchdog run` to the first webhook where the condition is true already.

With `for = 0`: what is left is the wait for the next cycle, which is half an interval on average, the cycle, and the delivery.
"""

import time
from collections.abc import Iterator
from pathlib import Path
from statistics import mean, median

import redis

from bench.daemon import daemon, write_config
from bench.figures import Figure
from bench.receiver import Receiver
from bench.servers import Servers, serving
from bench.site import Site

__all__ = ["latency"]

INTERVAL_S = 1.0
QUEUES = 40
RULE = '[[rule]]\nname = "Jumped"\nfrom = "queues"\nwhen = "length > 100"\nsummary = "{{ name }}"\n'
MOST_ON_AVERAGE_S, MOST_S, MOST_COLD_S = INTERVAL_S / 2 + 0.05, INTERVAL_S + 0.1, 1.5
PATIENCE_S = 30.0


def latency(folder: Path, *, jumps: int = QUEUES, starts: int = 5) -> Iterator[Figure]:
    """The jumps' mean and maximum, and the median of the starts."""
    site = Site(max(jumps, 1), 0, time.time())
    with serving(site, folder) as servers, redis.Redis.from_url(servers.redis_url) as broker:
        took = list(_jumps(folder / "jumps", servers, broker, site.queues[:jumps]))
        yield Figure(f"queue jump to webhook, every {INTERVAL_S:g} s, mean of {jumps}", mean(took), "s", most=MOST_ON_AVERAGE_S)
        yield Figure(f"queue jump to webhook, every {INTERVAL_S:g} s, longest of {jumps}", max(took), "s", most=MOST_S)
        cold = [_start(folder / f"start-{n}", servers, "ready") for n in range(starts)]
        yield Figure(f"`watchdog run` to first webhook, median of {starts}", median(cold), "s", most=MOST_COLD_S)


def _jumps(folder: Path, servers: Servers, broker: "redis.Redis", queues: list[str]) -> Iterator[float]:
    """How long each took (seconds). They come at all phases of the interval alike."""
    with Receiver() as receiver:
        _configure(folder, servers, receiver)
        broker.lpush("ready", *["message"] * 150)
        with daemon(folder):
            receiver.wait_for({"ready"}, PATIENCE_S)
            at = {}
            for n, queue in enumerate(queues):
                time.sleep(INTERVAL_S / 2 + INTERVAL_S * n / len(queues) % INTERVAL_S / 4)
                broker.lpush(queue, *["message"] * 150)
                at[queue] = time.time()
            told = receiver.wait_for(set(queues), PATIENCE_S)
    yield from (told[queue] - at[queue] for queue in queues)


def _start(folder: Path, servers: Servers, queue: str) -> float:
    """From the start of the process to the webhook (seconds)."""
    with Receiver() as receiver:
        _configure(folder, servers, receiver)
        began = time.time()
        with daemon(folder):
            return receiver.wait_for({queue}, PATIENCE_S)[queue] - began


def _configure(folder: Path, servers: Servers, receiver: Receiver) -> None:
    write_config(
        folder,
        {"interval": f"{INTERVAL_S}s", "database": "watchdog.db", "rules": ["jumped.toml"]},
        {
            "target": [{"name": "prod", "flower": servers.flower_url}],
            "receiver": [{"name": "ops", "type": "webhook", "url": receiver.url, "group_interval": "0s"}],
        },
    )
    (folder / "jumped.toml").write_text(RULE)
    text = (folder / "watchdog.toml").read_text()
    target = f'redis = {{ url = "{servers.redis_url}", queues = ["ready"] }}'
    (folder / "watchdog.toml").write_text(text.replace("[[receiver]]", f"{target}\n[[receiver]]"))
