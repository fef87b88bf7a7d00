"""A healthy hour: every pool, every primitive of the canvas, every result backend that runs here, beat, and one deploy after the other."""

import json
import random
import signal
from collections.abc import Mapping
from dataclasses import dataclass

from tests.scenes.canvases import WRONG, primitives_of
from tests.scenes.lab import Lab
from tests.scenes.plays.beats import SCHEDULE
from tests.scenes.plays.common import SUFFIX, web
from tests.scenes.plays.healthy import all_sorts_of_work
from tests.scenes.scene import Scene

__all__ = ["HOUR"]


@dataclass(frozen=True, slots=True)
class Kind:
    """How the worker of a queue is started, and where its results go."""

    pool: str
    concurrency: int
    results: str
    options: tuple[str, ...] = ()


KINDS: Mapping[str, Kind] = {
    "celery": Kind("prefork", 2, "redis"),
    "threads": Kind("threads", 4, "database"),
    "solo": Kind("solo", 1, "rpc"),
    "gevent": Kind("gevent", 10, "file"),
    "eventlet": Kind("eventlet", 10, "redis"),
    "autoscaled": Kind("prefork", 1, "database", ("--autoscale=4,1",)),
    "children": Kind("prefork", 2, "file", ("--max-tasks-per-child=1",)),
}
"""By queue; the worker has the name of its queue."""
RESTARTED = ("celery", "threads", "gevent", "eventlet")
"""Workers that a deploy stops and starts again under the same name; the others would take longer than it waits for them."""
PODS = 3
BETWEEN_DEPLOYS_S = 120.0


def _backends(lab: Lab) -> Mapping[str, str]:
    """Of each queue, the URL of its result backend."""
    urls = {
        "redis": lab.cluster.redis_url,
        "rpc": "rpc://",
        "database": f"db+sqlite:///{lab.folder}/results.sqlite",
        "file": f"file://{lab.folder}/results",
    }
    return {queue: urls[kind.results] for queue, kind in KINDS.items()}


def _start(lab: Lab, queue: str) -> None:
    kind = KINDS[queue]
    environment = {"DEMO_RESULTS_URL": _backends(lab)[queue]}
    lab.cluster.start_worker(queue, [queue], kind.concurrency, kind.pool, *kind.options, environment=environment)


def _everything(lab: Lab) -> None:
    (lab.folder / "results").mkdir(exist_ok=True)
    for queue in KINDS:
        _start(lab, queue)
    for suffix in ("bcdfg", "hjklm", "npqrs"):
        lab.cluster.start_worker(web("7d9f8b6c5d", suffix), ["web"], 2)
    lab.cluster.start_beat(SCHEDULE)


def _healthy(lab: Lab) -> None:
    """A deploy every few minutes, and a check after it."""
    counted = lab.folder / "canvases.json"
    lab.cluster.start_client("tests.scenes.canvases", str(counted), json.dumps(_backends(lab)))
    all_sorts_of_work(lab)
    lab.traffic(0.5, "web", delay=0.2)
    lab.traffic(2.0, "gevent", "eventlet", delay=1.0)
    names = random.Random(12)
    deploys = 0
    while lab.now + BETWEEN_DEPLOYS_S < 60 * lab.minutes:
        _deploy(lab, names, RESTARTED[deploys % len(RESTARTED)])
        deploys += 1
        lab.rest_until(lab.now + BETWEEN_DEPLOYS_S / 2)
        lab.check(f"after deploy {deploys}", (0,))
        lab.rest_until(lab.now + BETWEEN_DEPLOYS_S / 2)
    lab.rest_until(60 * lab.minutes)
    _require_every_primitive(lab, json.loads(counted.read_text()))


def _deploy(lab: Lab, names: random.Random, restarted: str) -> None:
    """Pods are replaced one by one, a worker is restarted under its name, and beat as well."""
    release = "".join(names.choices(SUFFIX, k=10))
    old = [name.partition("@")[2] for name in lab.cluster.workers if name.startswith("celery@web-")]
    for pod in old:
        lab.cluster.start_worker(web(release, "".join(names.choices(SUFFIX, k=5))), ["web"], 2)
        lab.rest_until(lab.now + 5)
        lab.cluster.kill_worker(pod, signal.SIGTERM)
        lab.rest_until(lab.now + 10)
    lab.cluster.kill_worker(restarted, signal.SIGTERM)
    _start(lab, restarted)
    lab.cluster.signal_beat(signal.SIGTERM)
    lab.rest_until(lab.now + 5)
    lab.cluster.kill_beat()
    lab.cluster.start_beat(SCHEDULE)


def _require_every_primitive(lab: Lab, counts: Mapping[str, Mapping[str, int]]) -> None:
    """An hour in which they did not all work was not this one."""
    needed = {queue: primitives_of(backend) for queue, backend in _backends(lab).items()}
    without = [f"{name} on {queue}" for queue, names in needed.items() for name in names if not counts[queue].get(name)]
    wrong = [f"{of_queue[WRONG]} on {queue}" for queue, of_queue in counts.items() if WRONG in of_queue]
    if without or wrong:
        raise RuntimeError(f"expected every primitive to work on every queue, found none of: {without}; wrong: {wrong}; see canvases.log")


HOUR = (
    Scene(
        "healthy_hour",
        "Every pool, every primitive of the canvas, four result backends, beat, and a deploy every three minutes.",
        120,
        _everything,
        _healthy,
        conf={"beat_schedule": SCHEDULE},
        schedule="beat",
        minutes=60,
        green_pools=True,
    ),
)
