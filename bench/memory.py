"""The memory of a process that runs the cycle of `bench.cycle`, with full windows.

The process is a child, `python -m bench.memory FOLDER SIZE RULES CYCLES FLOWER_PORT REDIS_PORT`, because this one has measured other things
before. What counts is what is resident after its last cycle, as for the other figures of memory.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from bench.cpu import rss_mb_of_pid
from bench.cycle import FILLING, IN_A_ROUND, watched_site
from bench.daemon import as_installed
from bench.figures import Figure
from bench.servers import Servers, serving
from bench.site import Site
from watchdog.daemon.starting.garbage import collect_seldom

__all__ = ["memory"]

NOW = 1_800_000_000.0
MOST_MB = 100.0


def memory(folder: Path, *, size: int = 1000, rules: int = 100, cycles: int = FILLING + IN_A_ROUND) -> Iterator[Figure]:
    """What is resident after so many cycles."""
    with serving(Site(size, rules, NOW), folder) as servers:
        _of_child(folder / "compiling", size, rules, 1, servers)
        used_mb = _of_child(folder / "cycles", size, rules, cycles, servers)
    yield Figure(f"the same cycle: memory of its process after {cycles} of them", used_mb, "MB", most=MOST_MB)


def _of_child(folder: Path, size: int, rules: int, cycles: int, servers: Servers) -> float:
    """The figure (MB) of a child with a database in this folder. The first one compiles, which takes memory too."""
    folder.mkdir()
    arguments = [folder, size, rules, cycles, servers.flower_port, servers.redis_port]
    command = [sys.executable, "-m", "bench.memory", *map(str, arguments)]
    return float(subprocess.run(command, env=as_installed(folder.parent), stdout=subprocess.PIPE, text=True, check=True).stdout)


def _resident_mb(folder: Path, size: int, rules: int, cycles: int, servers: Servers) -> float:
    """What this process has resident after so many cycles."""
    collect_seldom()
    with watched_site(Site(size, rules, NOW), servers, folder) as watched:
        for _ in range(cycles):
            watched.cycle.run()
            watched.forget()
            watched.clock.advance()
        return rss_mb_of_pid(os.getpid())


if __name__ == "__main__":
    given, *numbers = sys.argv[1:]
    size, rules, cycles, *ports = map(int, numbers)
    sys.stdout.write(f"{_resident_mb(Path(given), size, rules, cycles, Servers(*ports))}\n")
