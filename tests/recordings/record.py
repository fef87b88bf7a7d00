"""Record an hour of a healthy cluster: `python -m tests.recordings.record healthy_hour.jsonl.gz 3600`.

Normal traffic on three queues (one task fails three times in a hundred, bursts of 40), four workers named as pods are, and every
twenty minutes a rolling restart: new hostnames first, then a goodbye of the old ones, one by one.
"""

import gzip
import random
import signal
import sys
import threading
import time
from pathlib import Path

from tests.processes.cluster import Cluster
from watchdog.core.model.queries import FailedTasks, RunningTasks
from watchdog.core.model.reading import Past, read_tables
from watchdog.core.model.target import Target
from watchdog.core.scenarios.recorded.recording import look_line
from watchdog.polling.poller import Poller
from watchdog.sources.base import Source
from watchdog.sources.flower.source import FlowerSettings, FlowerSource
from watchdog.sources.redis.source import RedisSettings, RedisSource
from watchdog.tables import TABLES

INTERVAL_S = 10.0
RESTART_EVERY_S = 1200.0
POD = "bcdfghjklmnpqrstvwxz2456789"
MORE = (RunningTasks(), FailedTasks())
"""Asked beside what the tables ask for by default, so that rules on single tasks can be judged too."""
CHANCE = random.Random(7)


def pod(deployment: str, replica_set: str) -> str:
    """A name as Kubernetes gives it."""
    return f"{deployment}-{replica_set}-{''.join(CHANCE.choices(POD, k=5))}"


class Traffic:
    """Sends tasks until it is stopped."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster, self.stopped = cluster, threading.Event()

    def run(self) -> None:
        while not self.stopped.wait(CHANCE.uniform(0.2, 0.8)):
            queue = CHANCE.choice(["celery", "celery", "mail", "reports"])
            if CHANCE.random() < 0.4:  # the task that fails now and then: three in a hundred of its runs
                kind = CHANCE.choice(["ValueError", "TimeoutError"]) if CHANCE.random() < 0.03 else ""
                self.cluster.app.send_task("demo.fail", kwargs={"kind": kind}, queue=queue)
            else:
                self.cluster.app.send_task("demo.ok", kwargs={"delay": CHANCE.uniform(0.01, 0.6)}, queue=queue)
            if CHANCE.random() < 0.003:
                self.cluster.flood("mail", 40, delay=0.1)


def roll(cluster: Cluster, running: list[tuple[str, list[str]]], number: int) -> list[tuple[str, list[str]]]:
    """Replace every worker by one of another name, with surge: the new one is up before the old one says goodbye."""
    after = []
    for old, queues in running:
        new = pod(old.partition("-")[0], f"{number:x}" * 2 + "7d9f8b6c"[:6])
        cluster.start_worker(new, queues, 2)
        cluster.wait_ready(60)
        cluster.kill_worker(old, signal.SIGTERM)
        after.append((new, queues))
    return after


def main(name: str, seconds: float) -> None:
    """Record for so long."""
    with Cluster() as cluster, gzip.open(Path(__file__).parent / name, "wb") as file:
        running = [(pod(kind, "5f6d7c8b9d"), queues) for kind, queues in (("web", ["celery", "mail"]),) * 3 + (("reports", ["reports"]),)]
        cluster.start_redis()
        for worker, queues in running:
            cluster.start_worker(worker, queues, 2)
        cluster.start_flower()
        cluster.wait_ready(60)
        target = Target("prod", frozenset({"flower", "redis"}), interval_s=INTERVAL_S)
        sources: dict[str, Source] = {
            "flower": FlowerSource(FlowerSettings(url=cluster.flower_url)),
            "redis": RedisSource(RedisSettings.model_validate({"url": cluster.redis_url})),
        }
        poller, past, traffic = Poller(target, sources, TABLES), Past(), Traffic(cluster)
        sender = threading.Thread(target=traffic.run)
        sender.start()
        began, restarts, roller = time.time(), 0, None
        try:
            while (passed := time.time() - began) < seconds:
                now = time.time()
                replies = poller.ask(past, now)
                past = past.plus(read_tables(TABLES, target, past, replies, now), 900)
                line = look_line(now, replies.plus(sources["flower"].ask(MORE).replies.items()), str)
                file.write(line.encode() + b"\n")
                if passed > (restarts + 1) * RESTART_EVERY_S - INTERVAL_S and (roller is None or not roller.is_alive()):
                    restarts += 1
                    roller = threading.Thread(target=lambda n=restarts: running.__setitem__(slice(None), roll(cluster, running, n)))
                    roller.start()
                time.sleep(max(0.0, now + INTERVAL_S - time.time()))
        finally:
            traffic.stopped.set()
            sender.join()
            if roller is not None:
                roller.join()


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
