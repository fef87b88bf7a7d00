"""The parts of a look that a worker makes: the look itself, by one of two workers, as chance has it; and its message, published and taken.

In: targets on a simulated Flower and a real Redis. Out: CPU of each part, and of all, beside the same looks by one process with SQLite. All
of it runs in this process, in turns, so that what else the machine does slows both down.
"""

import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from bench.cpu import cpu_ms_of
from bench.daemon import as_installed, write_config
from bench.figures import Figure, Skipped, by_round
from bench.servers import Servers, serving
from bench.site import Site
from tests.servers.postgresql import needs_postgresql, postgresql_installed, real_postgresql
from watchdog.app.configured import Configured, configured
from watchdog.app.looking import build_looking
from watchdog.app.watching import build_cycles
from watchdog.config.load import load_settings
from watchdog.config.sections.engine import EngineSettings
from watchdog.core.model.self_seen import SelfSeen
from watchdog.core.model.target import SELF
from watchdog.daemon.cycle import Cycle
from watchdog.daemon.engine.celery_app import LOOK, engine_app
from watchdog.daemon.engine.publishing import CeleryBroker, Look
from watchdog.demo.cluster import Cluster
from watchdog.store import Store

__all__ = ["carried"]

INTERVAL_S = 10.0
MESSAGES = 1000
TAKING = """
import os, time
from watchdog.config.sections.engine import EngineSettings
from watchdog.daemon.engine.celery_app import engine_app
from watchdog.daemon.engine.worker import run_worker

taken, began = 0, 0.0

def look(*_):
    global taken, began
    taken += 1
    began = began or time.process_time()
    if taken == {messages}:
        print((time.process_time() - began) * 1000, flush=True)
        os._exit(0)

run_worker(engine_app(EngineSettings.model_validate({{"broker": "{broker}"}})), look, str, 2, [])
"""


def carried(folder: Path, *, targets: int = 20, rounds: int = 5) -> Iterator[Figure | Skipped]:
    """CPU of a look that workers make, beside one of a daemon that is alone."""
    if not postgresql_installed():
        yield Skipped("the parts of a look that a worker makes", needs_postgresql)
        return
    with ExitStack() as stack:
        servers = stack.enter_context(serving(Site(4, 0, time.time()), folder))
        server, broker = stack.enter_context(real_postgresql()), stack.enter_context(Cluster())
        broker.start_redis()
        published, taken = _published(broker.redis_url), _taken(folder, broker.redis_url)
        clock = _Clock()
        alone = _written(folder / "alone", servers, targets, {"database": "watchdog.db"})
        url = server.new_database()
        beside = _written(folder / "beside", servers, targets, {"database": url, "engine": {"broker": broker.redis_url}})
        file = stack.enter_context(Store.open(alone.loaded.database))
        first = [one for one in build_cycles(alone, file, [], clock, time.perf_counter, SelfSeen) if one.target.name != SELF]
        shared = stack.enter_context(Store.open(beside.loaded.database))
        lookers = [build_looking(beside, shared, clock, time.perf_counter) for _ in range(2)]
        with shared.cycle() as transaction:
            transaction.put_in_force(lookers[0].fingerprint)
        two = [list(one.cycles.values()) for one in lookers]
        chance = random.Random(15)  # noqa: S311 - the same at each run
        for cycles in (first, *two):
            _round(cycles, clock)()
        pairs = [
            (
                _mean([_round([chance.choice(of_target) for of_target in zip(*two, strict=True)], clock) for _ in range(2)], targets),
                _mean([_round(first, clock)], targets),
            )
            for _ in range(rounds)
        ]
        for cycles in (first, *two):
            for one in cycles:
                one.close()
    yield by_round("a look by one of two workers, with PostgreSQL: CPU", "ms", pairs, None)
    yield Figure("its message, published: CPU", published, "ms")
    yield Figure("its message, taken by a worker: CPU", taken, "ms")
    yield by_round("all of it, beside a look of a daemon alone", "ms", [(look + published + taken, one) for look, one in pairs], 1.4)


class _Clock:
    """Time as an argument."""

    def __init__(self) -> None:
        self.now = time.time()

    def __call__(self) -> float:
        return self.now


def _written(folder: Path, servers: Servers, targets: int, top: dict[str, object]) -> Configured:
    engine = top.pop("engine", None)
    sources = [{"flower": f"{servers.flower_url}/f{n}", "redis": servers.redis_url} for n in range(targets)]
    watched = [{"name": f"site-{n}", "events": "off", **source} for n, source in enumerate(sources)]
    more = f'[engine]\nbroker = "{engine["broker"]}"' if isinstance(engine, dict) else ""
    write_config(folder, {"interval": f"{INTERVAL_S:g}s", **top}, {"target": watched}, more)
    return configured(load_settings(config=folder / "watchdog.toml", environ={"HOME": str(folder)}, flags={}, cwd=folder))


def _round(cycles: Sequence[Cycle], clock: _Clock) -> Callable[[], None]:
    """One look at each target, an interval after the last."""

    def run() -> None:
        clock.now += INTERVAL_S
        for cycle in cycles:
            cycle.run()

    return run


def _mean(rounds: Sequence[Callable[[], None]], targets: int) -> float:
    """CPU (ms) of a look."""
    return sum(map(cpu_ms_of, rounds)) / len(rounds) / targets


def _published(url: str) -> float:
    """CPU (ms) of publishing one look. They stay there, to be taken."""
    app = engine_app(EngineSettings.model_validate({"broker": url}))
    broker = CeleryBroker(app, LOOK, app.conf["broker_url"])
    look = Look("site-1", 3600.0, "0123456789abcdef", time.time())
    broker.send(look)  # connects

    def send() -> None:
        for _ in range(MESSAGES):
            broker.send(look)

    used = cpu_ms_of(send)
    broker.close()
    return used / MESSAGES


def _taken(folder: Path, url: str) -> float:
    """CPU (ms) of a worker for taking one look, without looking."""
    command = [sys.executable, "-c", TAKING.format(messages=MESSAGES, broker=url)]
    root = Path(__file__).parents[1]
    done = subprocess.run(command, cwd=root, env=as_installed(folder), capture_output=True, text=True, timeout=120, check=True)
    return float(done.stdout.split()[-1]) / MESSAGES
