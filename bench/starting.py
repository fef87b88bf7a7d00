"""CPU of short commands, from fork to exit, beside a Python that imports what they cannot do without and does nothing."""

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from bench.cpu import cpu_s_of_command, interleaved
from bench.daemon import as_installed
from bench.figures import Figure, by_round
from bench.servers import serving
from bench.site import Site

__all__ = ["starting", "watchdog_command"]

CLICK = "import click"
EVERYTHING = "import click, pydantic_settings, httpx, redis, msgspec, sqlite3, jinja2.sandbox; httpx.Client()"
MOST_VERSION, MOST_CHECK = 1.3, 1.1
WORKERS = 4


def starting(folder: Path, *, rounds: int = 15) -> Iterator[Figure]:
    """`--version` and `check --once`."""
    with serving(Site(WORKERS, 0, time.time()), folder) as servers:
        flags = ["--flower", servers.flower_url, "--redis", servers.redis_url]
        yield _beside("watchdog --version", ["--version"], CLICK, folder, rounds, MOST_VERSION)
        yield _beside("watchdog check --once", ["check", "--once", *flags], EVERYTHING, folder, rounds, MOST_CHECK)


def _beside(what: str, arguments: list[str], imports: str, folder: Path, rounds: int, most: float) -> Figure:
    command, floor, environment = [*watchdog_command(), *arguments], [sys.executable, "-c", imports], as_installed(folder)

    def ms_of(command: list[str]) -> float:
        return cpu_s_of_command(command, folder, environment) * 1000

    interleaved(1, lambda: ms_of(command), lambda: ms_of(floor))  # the first run compiles
    pairs = interleaved(rounds, lambda: ms_of(command), lambda: ms_of(floor))
    return by_round(f"`{what}`: CPU of the whole process", "ms", pairs, most)


def watchdog_command() -> list[str]:
    """The command as it is installed beside this Python; else the module."""
    installed = Path(sys.executable).with_name("watchdog")
    return [str(installed)] if os.access(installed, os.X_OK) else [sys.executable, "-m", "watchdog"]
