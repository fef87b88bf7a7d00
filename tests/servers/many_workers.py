"""Many real Celery workers at the price of few: one process imports Celery and forks a solo worker for each queue's turn.

In: a cluster with a running Redis, names and queues. Out: as many workers of it, all ended with the block.
"""

import contextlib
import os
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from tests.processes.cluster import Cluster
from watchdog.demo.processes import Process, child_environment

__all__ = ["many_workers"]


@contextlib.contextmanager
def many_workers(cluster: Cluster, queues: Mapping[str, Sequence[str]]) -> Iterator[Process]:
    """One worker for each name, on its queues."""
    turns = [f"{name}={','.join(consumed)}" for name, consumed in queues.items()]
    command = [sys.executable, "-m", "tests.servers.many_workers", *turns]
    environment = child_environment({"DEMO_BROKER_URL": cluster.redis_url, "PYTHONPATH": str(Path(__file__).parents[2])})
    process = Process("many-workers", command, cluster.workdir, environment)
    try:
        yield process
    finally:
        process.end(signal.SIGKILL)


def _fork_all(turns: Sequence[str]) -> None:
    from watchdog.demo.tasks import app

    app.loader.import_default_modules()
    app.finalize()
    for turn in turns:
        name, _, consumed = turn.partition("=")
        if os.fork() == 0:
            app.Worker(hostname=name, queues=consumed.split(","), pool="solo", concurrency=1, loglevel="INFO", without_mingle=True).start()
            os._exit(0)
    while True:
        os.wait()


if __name__ == "__main__":
    _fork_all(sys.argv[1:])
