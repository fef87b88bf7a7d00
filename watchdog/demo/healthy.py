"""A healthy demo cluster, for the demo to break and for people to try watchdog on: started, its addresses shown, ended on any signal."""

import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from rich.console import Console
from rich.text import Text

from watchdog.demo.cluster import Cluster, ClusterError
from watchdog.demo.processes import LOOPBACK
from watchdog.demo.redis_server import RedisServerMissingError, redis_server

__all__ = ["PATIENCE_S", "open_cluster", "run_cluster", "show_addresses", "start_healthy"]

PATIENCE_S = 60.0
"""Seconds for one step: a loaded machine is slow, and waiting is better than failing."""
USUAL_REDIS, USUAL_FLOWER = 6379, 5555
"""The ports at which `watchdog init` looks."""
LOOK_S = 0.5


def run_cluster(console: Console) -> int:
    """Run a healthy cluster until Ctrl-C, at the usual ports if they are free. Returns 1 if it could not start, or broke down."""
    try:
        with open_cluster(console) as cluster:
            cluster.redis_port = USUAL_REDIS if _is_free(USUAL_REDIS) else cluster.redis_port
            cluster.flower_port = USUAL_FLOWER if _is_free(USUAL_FLOWER) else cluster.flower_port
            start_healthy(console, cluster)
            show_addresses(console, cluster)
            console.print(Text("It runs until you press Ctrl-C. Next, in another terminal:"), soft_wrap=True)
            console.print(Text(f"  watchdog init{_flags(cluster)}"), soft_wrap=True)
            while True:
                cluster.require_servers()
                time.sleep(LOOK_S)
    except (ClusterError, RedisServerMissingError) as error:
        console.print(Text(str(error), style="red"), soft_wrap=True)
        return 1


@contextmanager
def open_cluster(console: Console) -> Iterator[Cluster]:
    """A cluster that is not started yet; it ends with the block, on Ctrl-C, SIGTERM and SIGHUP too."""
    program, where_from = redis_server()
    console.print(Text(f"redis-server: {program} (from {where_from})"), soft_wrap=True)
    with _signals_as_ctrl_c(), Cluster(heartbeat_s=1) as cluster:
        yield cluster


def start_healthy(console: Console, cluster: Cluster) -> None:
    """Start Redis, two workers and Flower; all are online."""
    with console.status("starting Redis, two Celery workers and Flower"):
        cluster.start_redis()
        cluster.start_worker("web-1", ["indexing"], 2)
        cluster.start_worker("gpu-1", ["training"], 1)
        cluster.start_flower()
        cluster.wait_ready(PATIENCE_S)


def show_addresses(console: Console, cluster: Cluster) -> None:
    """Show where everything is."""
    for name, value in [
        ("Redis", cluster.redis_url),
        ("Flower", cluster.flower_url),
        ("workers", ", ".join(sorted(cluster.online()))),
        ("logs", str(cluster.workdir)),
    ]:
        console.print(Text(f"  {name:<8} {value}"), soft_wrap=True)


def _flags(cluster: Cluster) -> str:
    """What `watchdog init` must be told, if it does not look there by itself."""
    usual = (cluster.redis_port, cluster.flower_port) == (USUAL_REDIS, USUAL_FLOWER)
    return "" if usual else f" --flower {cluster.flower_url} --redis {cluster.redis_url}"


def _is_free(port: int) -> bool:
    """Whether nobody listens there."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as mine:
        mine.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections of a server that has ended do not count
        try:
            mine.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


@contextmanager
def _signals_as_ctrl_c() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end the demo like Ctrl-C, so that it cleans up."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(_: int, __: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {sig: signal.signal(sig, interrupt) for sig in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for sig, handler in before.items():
            signal.signal(sig, handler)
