"""What commands leave behind in SQLite's memory, which one limit holds for the whole process: nothing, however often they run."""

import ctypes
from ctypes.util import find_library
from pathlib import Path

import pytest

from tests.processes.command_line import watchdog
from watchdog.config import rulebook

RULE = '[[rule]]\nname = "A"\nfrom = "queues"\nwhen = "length > 5"\n'
TARGET = '[[target]]\nname = "lab"\nredis = "redis://127.0.0.1:1"\n'


def used() -> int:
    """Bytes."""
    library = ctypes.CDLL(find_library("sqlite3"))
    library.sqlite3_memory_used.restype = ctypes.c_longlong
    return int(library.sqlite3_memory_used())


@pytest.mark.skipif(find_library("sqlite3") is None, reason="SQLite is part of Python here, and cannot be asked")
@pytest.mark.parametrize("command", ["rules check a.toml", "rules list", "check --once", "doctor", "query SELECT*FROM/**/queues", "status"])
def test_a_command_leaves_nothing_in_sqlites_memory(command: str, tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(RULE)
    (tmp_path / "watchdog.toml").write_text(TARGET)
    after = []
    for _ in range(3):
        rulebook._read.cache_clear()  # what is read again must leave nothing either
        watchdog(*command.split(), cwd=tmp_path)
        after.append(used())
    assert after[2] == after[1]
