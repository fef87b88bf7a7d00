"""What `watchdog run` needs while nothing happens: its memory, and its CPU over a minute."""

import time
from collections.abc import Iterator
from pathlib import Path

from bench.cpu import cpu_s_of_pid, rss_mb_of_pid
from bench.daemon import daemon, write_config
from bench.figures import Figure
from bench.servers import Servers, serving
from bench.site import Site

__all__ = ["footprint"]

WORKERS = 4
SETTLING_S = 15.0
MINUTE_S = 60.0


def footprint(folder: Path, *, targets: int = 100, settling_s: float = SETTLING_S, minute_s: float = MINUTE_S) -> Iterator[Figure]:
    """One target every 10 s; then many. Shipped rules, one webhook receiver that hears nothing."""
    with serving(Site(WORKERS, 0, time.time()), folder) as servers:
        _idle(folder / "compiling", servers, 1, settling_s, 0.0)
        cpu_s, rss_mb = _idle(folder / "one", servers, 1, settling_s, minute_s)
        yield Figure("`watchdog run`, 1 target every 10 s: memory", rss_mb, "MB", most=70)
        yield Figure("`watchdog run`, 1 target every 10 s: CPU a minute", cpu_s * MINUTE_S / minute_s, "s", most=0.1)
        cpu_s, rss_mb = _idle(folder / "many", servers, targets, settling_s, minute_s)
        yield Figure(f"`watchdog run`, {targets} targets every 10 s: memory", rss_mb, "MB", most=90)
        yield Figure(f"`watchdog run`, {targets} targets every 10 s: share of a core", cpu_s / minute_s * 100, "%", most=8)


def _idle(folder: Path, servers: Servers, targets: int, settling_s: float, minute_s: float) -> tuple[float, float]:
    """CPU (seconds) over a minute, and memory (MB) at its end."""
    watched = [
        {"name": f"site-{n}", "flower": f"{servers.flower_url}/f{n}", "redis": servers.redis_url.replace("/0", f"/{n % 16}")}
        for n in range(targets)
    ]
    receivers = [{"name": "ops", "type": "webhook", "url": f"{servers.flower_url}/nobody"}]
    write_config(folder, {"interval": "10s", "database": "watchdog.db"}, {"target": watched, "receiver": receivers})
    with daemon(folder) as process:
        time.sleep(settling_s)
        before = cpu_s_of_pid(process.pid)
        time.sleep(minute_s)
        process.require_running()
        return cpu_s_of_pid(process.pid) - before, rss_mb_of_pid(process.pid)
