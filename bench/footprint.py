"""What `watchdog run` needs while nothing happens: its memory, and its CPU over a minute; and whether many targets all get their cycles."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from bench.cpu import cpu_s_of_pid, rss_mb_of_pid
from bench.daemon import daemon, write_config
from bench.figures import Figure
from bench.servers import Servers, serving
from bench.site import Site

__all__ = ["footprint"]

WORKERS = 4
PATIENCE_S = 300.0
"""How long all targets may take to their first cycle."""
SETTLING_S = 15.0
MINUTE_S = 60.0


class Idle(NamedTuple):
    """A minute of a daemon."""

    rss_mb: float
    cpu_s: float
    longest_pause_s: float
    """The longest time between two cycles of a target."""


def footprint(
    folder: Path, *, many: int = 100, most: int = 1000, settling_s: float = SETTLING_S, minute_s: float = MINUTE_S
) -> Iterator[Figure]:
    """One target every 10 s; then many, then as many as one process is to bear. Shipped rules, one webhook receiver that hears nothing."""
    with serving(Site(WORKERS, 0, time.time()), folder) as servers:
        _idle(folder / "compiling", servers, 1, settling_s, 0.0)
        idle = _idle(folder / "one", servers, 1, settling_s, minute_s)
        yield Figure("`watchdog run`, 1 target every 10 s: memory", idle.rss_mb, "MB", most=70)
        yield Figure("`watchdog run`, 1 target every 10 s: CPU a minute", idle.cpu_s * MINUTE_S / minute_s, "s", most=0.1)
        idle = _idle(folder / "many", servers, many, settling_s, minute_s)
        yield from _shares(idle, many, minute_s, most_mb=90, most_share=6)
        idle = _idle(folder / "most", servers, most, settling_s, minute_s)
        yield from _shares(idle, most, minute_s, most_mb=400, most_share=100)
        yield Figure(f"`watchdog run`, {most:,} targets every 10 s: longest pause of a target", idle.longest_pause_s, "s", most=20)


def _shares(idle: Idle, targets: int, minute_s: float, *, most_mb: float, most_share: float) -> Iterator[Figure]:
    what = f"`watchdog run`, {targets:,} targets every 10 s"
    yield Figure(f"{what}: memory", idle.rss_mb, "MB", most=most_mb)
    yield Figure(f"{what}: share of a core", idle.cpu_s / minute_s * 100, "%", most=most_share)


def _idle(folder: Path, servers: Servers, targets: int, settling_s: float, minute_s: float) -> Idle:
    """A minute of a daemon that has settled after every target's first cycle."""
    watched = [
        {"name": f"site-{n}", "flower": f"{servers.flower_url}/f{n}", "redis": servers.redis_url.replace("/0", f"/{n % 16}")}
        for n in range(targets)
    ]
    receivers = [{"name": "ops", "type": "webhook", "url": f"{servers.flower_url}/nobody"}]
    write_config(folder, {"interval": "10s", "database": "watchdog.db"}, {"target": watched, "receiver": receivers})
    database = folder / "watchdog.db"
    with daemon(folder) as process:
        ends_at = time.monotonic() + PATIENCE_S
        while len(_cycles(database, 0.0)) < targets and time.monotonic() < ends_at:
            process.require_running()
            time.sleep(0.5)
        time.sleep(settling_s)
        before, began = cpu_s_of_pid(process.pid), time.time()
        time.sleep(minute_s)
        process.require_running()
        used_s = cpu_s_of_pid(process.pid) - before
        return Idle(rss_mb_of_pid(process.pid), used_s, _longest_pause_s(_cycles(database, began), targets, began, time.time()))


def _cycles(database: Path, since: float) -> dict[str, list[float]]:
    """Target -> when it had its cycles, by the samples that each of them leaves."""
    found: dict[str, list[float]] = {}
    try:
        with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as connection:
            rows = connection.execute("SELECT DISTINCT target, at FROM samples WHERE at > ? ORDER BY at", (since,)).fetchall()
    except sqlite3.OperationalError:  # it is only being made
        return found
    for target, at in rows:
        found.setdefault(target, []).append(at)
    return found


def _longest_pause_s(cycles: dict[str, list[float]], targets: int, began: float, ended: float) -> float:
    """A target without any cycle has paused all the time."""
    if len(cycles) < targets:
        return ended - began
    return max(later - earlier for moments in cycles.values() for earlier, later in pairwise([began, *moments, ended]))
