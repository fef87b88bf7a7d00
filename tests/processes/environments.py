"""Virtual environments of their own under `.venvs/`, made when a test first asks for them and kept.

In: a name, what to install. Out: its Python. A folder that is complete holds a stamp naming what was installed into it.
"""

import fcntl
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

__all__ = ["python_with"]

HOME = Path(__file__).parents[2] / ".venvs"


def python_with(name: str, packages: Sequence[str]) -> Path:
    """The Python of the environment of that name; RuntimeError with pip's last words where it cannot be made."""
    HOME.mkdir(exist_ok=True)
    folder = HOME / name
    with (HOME / f"{name}.lock").open("w") as lock:  # two test runs may want it at once
        fcntl.flock(lock, fcntl.LOCK_EX)
        return _made(folder, packages)


def _made(folder: Path, packages: Sequence[str]) -> Path:
    made_of = "\n".join([*packages, sys.version, ""])
    stamp, python = folder / ".installed", folder / "bin" / "python"
    if not (stamp.exists() and stamp.read_text() == made_of):
        _run(sys.executable, "-m", "venv", "--clear", "--without-pip", str(folder))
        install = ["--quiet", "--disable-pip-version-check", "--no-compile"]  # Python compiles what it imports, which is a part of it
        _run(sys.executable, "-m", "pip", "--python", str(python), "install", *install, *packages)
        stamp.write_text(made_of)
    return python


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr[-2000:]}")
