"""One of several processes that look at the same target, as fast as they can, until it was looked at often enough.

`python -m tests.proofs.looking URL BEGAN COUNT FILE`: the database; when the world began (epoch seconds); how many looks. Each line of the
file is a look: its number, 0 if it was overtaken, and when it was.
"""

import hashlib
import random
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from tests.builders.lookers import Looker, World
from tests.builders.outbox import T0
from watchdog.core.model.servers.database_url import DatabaseUrl
from watchdog.store import Store

__all__ = ["lengths"]

QUEUES = ("orders", "mails", "pictures")
FASTER = 100.0
"""Seconds of the world in one second of ours."""
CHANGES_EVERY_S = 25.0
LONGEST_ANSWER_S = 0.004


def lengths(now: float) -> Mapping[str, float]:
    """What the queues hold: something else every now and then, the same for all who look."""
    return {name: _length(f"{name} {now // CHANGES_EVERY_S}") for name in QUEUES}


def _length(what: str) -> float:
    return (0.0, 10.0, 60.0, 600.0)[hashlib.sha256(what.encode()).digest()[0] % 4]


def main(url: str, began: str, count: str, file: str) -> None:
    world, chance = World(lengths), random.Random(file)
    with Store.beside_daemon(DatabaseUrl(url)) as store, Path(file).open("w") as looks:
        looker = Looker(store, world)
        while store.last_cycle("prod") < int(count):
            world.now = T0 + (time.time() - float(began)) * FASTER
            world.meanwhile = lambda: time.sleep(chance.uniform(0.0, LONGEST_ANSWER_S))
            done = looker.look()
            looks.write(f"{0 if done is None else looker.cycle._last} {world.now!r}\n")
        looker.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
