"""What `[http]` costs: a daemon that serves while nobody looks, beside one that does not; and what is served, at a large site."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.request import urlopen

from bench.cpu import cpu_s_of_pid, rss_mb_of_pid
from bench.daemon import daemon, write_config
from bench.figures import Figure, by_round
from bench.servers import LOOPBACK, Servers, serving
from bench.site import Site
from watchdog.demo.processes import Process, free_port

__all__ = ["http"]

SMALL = 4
PATIENCE_S = 120.0
SERVED: dict[str, float | None] = {
    "/": 100.0,
    "/targets/site": 100.0,
    "/targets/site?all=workers": 100.0,
    "/targets/site?all=queues": 100.0,
    "/incidents?all=ended": 100.0,
    "/metrics": None,
    "/metrics/celery-exporter": None,
    "/api/v1/status": None,
    "/api/v1/targets": None,
    "/api/v1/targets/site/tables/workers": None,
    "/api/v1/targets/site/history?table=queues": None,
    "/api/v1/incidents": None,
}
"""Path -> the most CPU (ms) that a request may cost; None: no target."""


def http(folder: Path, *, size: int = 1000, rounds: int = 3, round_s: float = 20.0, requests: int = 10) -> Iterator[Figure]:
    """CPU while nobody looks, memory, and CPU per request with `size` workers and as many queues."""
    with serving(Site(SMALL, 0, time.time()), folder) as servers, ExitStack() as stack:
        served, port = stack.enter_context(_running(folder / "served", servers, "1s", http=True))
        plain, _ = stack.enter_context(_running(folder / "plain", servers, "1s", http=False))
        _wait_until_ready(served, port)
        time.sleep(round_s / 2)
        pairs = [_spent(served, plain, round_s) for _ in range(rounds)]
        yield by_round(f"`[http]`, nobody looks, a cycle each second: CPU in {round_s:g} s; floor: without it", "s", pairs, 1.1)
        yield by_round(
            "`[http]`, nobody looks: memory; floor: without it", "MB", [(rss_mb_of_pid(served.pid), rss_mb_of_pid(plain.pid))], None
        )
    with serving(Site(size, 0, time.time()), folder) as servers, _running(folder / "large", servers, "1h", http=True) as (large, port):
        _wait_until_ready(large, port)
        for path, most_ms in SERVED.items():
            yield Figure(
                f"GET {path}, {size:,} workers and queues: CPU", _cpu_ms_of_a_request(large, port, path, requests), "ms", most=most_ms
            )


def _spent(served: Process, plain: Process, round_s: float) -> tuple[float, float]:
    before = [cpu_s_of_pid(process.pid) for process in (served, plain)]
    time.sleep(round_s)
    with_it, without = (cpu_s_of_pid(process.pid) - began for process, began in zip((served, plain), before, strict=True))
    return with_it, without


@contextmanager
def _running(folder: Path, servers: Servers, interval: str, *, http: bool) -> Iterator[tuple[Process, int]]:
    port = free_port()
    table = {"http": {"listen": f"{LOOPBACK}:{port}"}} if http else {}
    target = {"name": "site", "flower": servers.flower_url, "redis": servers.redis_url}
    more = "".join(f"[{name}]\n{''.join(f'{key} = {value!r}' for key, value in keys.items())}\n" for name, keys in table.items())
    write_config(folder, {"interval": interval, "database": "watchdog.db"}, {"target": [target]}, more)
    with daemon(folder) as process:
        yield process, port


def _wait_until_ready(process: Process, port: int) -> None:
    ends_at = time.monotonic() + PATIENCE_S
    while time.monotonic() < ends_at:
        process.require_running()
        try:
            urlopen(f"http://{LOOPBACK}:{port}/readyz", timeout=5).close()
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise TimeoutError(f"not ready after {PATIENCE_S:g} s")


def _cpu_ms_of_a_request(process: Process, port: int, path: str, requests: int) -> float:
    """The first request, which compiles templates and reads the day, is not counted."""
    url = f"http://{LOOPBACK}:{port}{path}"
    urlopen(url, timeout=60).read()
    began = cpu_s_of_pid(process.pid)
    for _ in range(requests):
        urlopen(url, timeout=60).read()
    return (cpu_s_of_pid(process.pid) - began) / requests * 1000
