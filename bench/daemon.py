"""`watchdog run` as a process of its own, with a configuration made for one figure; its code compiled, as an installed package's is."""

import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from watchdog.demo.processes import Process, child_environment

__all__ = ["as_installed", "daemon", "write_config"]


def as_installed(folder: Path) -> dict[str, str]:
    """The environment of a child: compiled code is kept, whatever this process's environment says. The first run compiles.

    It is kept in `folder`, unless PYTHONPYCACHEPREFIX names another place.
    """
    environment = child_environment({"PYTHONPYCACHEPREFIX": os.environ.get("PYTHONPYCACHEPREFIX", str(folder / "compiled"))})
    return {name: value for name, value in environment.items() if name != "PYTHONDONTWRITEBYTECODE"}


def write_config(folder: Path, top: Mapping[str, object], tables: Mapping[str, Sequence[Mapping[str, object]]], more: str = "") -> None:
    """`watchdog.toml` in that folder: its keys, then its `[[target]]`s and `[[receiver]]`s."""
    lines = [f"{key} = {json.dumps(value)}" for key, value in top.items()]
    for table, entries in tables.items():
        for entry in entries:
            lines += [f"[[{table}]]", *(f"{key} = {json.dumps(value)}" for key, value in entry.items())]
    folder.mkdir(exist_ok=True)
    (folder / "watchdog.toml").write_text("\n".join([*lines, more]) + "\n")


@contextmanager
def daemon(folder: Path) -> Iterator[Process]:
    """It runs while the block does. What it compiles lies beside `folder`."""
    process = Process("watchdog", [sys.executable, "-m", "watchdog", "run"], folder, as_installed(folder.parent))
    try:
        yield process
    finally:
        process.end()
