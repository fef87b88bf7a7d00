"""The real servers that a figure needs: a Redis, and a process that simulates Flower. Both end with the block."""

import socket
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

import redis

from bench.site import Site
from watchdog.demo.processes import Process, child_environment, free_port
from watchdog.demo.redis_server import redis_server

__all__ = ["LOOPBACK", "Servers", "serving", "wait_for_port"]

LOOPBACK = "127.0.0.1"
PATIENCE_S = 30.0


@dataclass(frozen=True, slots=True)
class Servers:
    """Where they listen."""

    flower_port: int
    redis_port: int

    @property
    def flower_url(self) -> str:
        """The simulated Flower."""
        return f"http://{LOOPBACK}:{self.flower_port}"

    def set_clock(self, now: float) -> None:
        """Set the clock of the simulated Flower (epoch seconds)."""
        urlopen(f"{self.flower_url}/clock/{now}", timeout=PATIENCE_S).close()  # noqa: S310 - a URL of our own

    def set_queues(self, messages: Mapping[str, Sequence[str]]) -> None:
        """Let each of these queues hold these messages and no others."""
        with redis.Redis.from_url(self.redis_url) as broker, broker.pipeline(transaction=False) as batch:
            for queue, held in messages.items():
                batch.delete(queue).rpush(queue, *held)
            batch.execute()

    @property
    def redis_url(self) -> str:
        """The Redis."""
        return f"redis://{LOOPBACK}:{self.redis_port}/0"


@contextmanager
def serving(site: Site, folder: Path) -> Iterator[Servers]:
    """Both, ready to answer; in Redis the bindings of the queues, which are empty."""
    servers = Servers(free_port(), free_port())
    program, _ = redis_server()
    broker_command = [str(program), "--port", str(servers.redis_port), "--bind", LOOPBACK, "--save", "", "--appendonly", "no"]
    flower = [sys.executable, "-m", "bench.flower", str(servers.flower_port), str(site.size), str(site.now)]
    with ExitStack() as stack:
        for name, command, port in (("redis", broker_command, servers.redis_port), ("flower", flower, servers.flower_port)):
            process = Process(name, command, folder, child_environment({}))
            stack.callback(process.end)
            wait_for_port(process, port)
        with redis.Redis.from_url(servers.redis_url) as broker, broker.pipeline(transaction=False) as batch:
            for key, member in site.bindings().items():
                batch.sadd(key, member)
            batch.execute()
        yield servers


def wait_for_port(process: Process, port: int) -> None:
    """Until the process listens there; ClusterError if it ends before."""
    ends_at = time.monotonic() + PATIENCE_S
    while True:
        process.require_running()
        try:
            socket.create_connection((LOOPBACK, port), 1.0).close()
        except OSError:
            if time.monotonic() > ends_at:
                raise
            time.sleep(0.02)
        else:
            return
