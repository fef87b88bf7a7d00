"""Older Flowers, each in a virtual environment of its own under `.venvs/`, made when a test first asks for it (15 s each, measured).

In: a version. Out: the Python that runs that Flower. A folder that is complete holds a stamp naming what was installed into it.
"""

import fcntl
import subprocess
import sys
from pathlib import Path

__all__ = ["OLDER", "flower_python"]

HOME = Path(__file__).parents[2] / ".venvs"
OLDER = {"2.0.1": "flower20", "1.2.0": "flower12"}
"""Version -> the name of its folder here, and of its recorded answers."""
PACKAGES = ("celery[redis]>=5.5,<6", "setuptools")  # Flower 1.2 imports distutils, which Python 3.12 has no more: setuptools brings it


def flower_python(version: str) -> Path:
    """The Python of the virtual environment that holds this Flower; RuntimeError with pip's last words where it cannot be made."""
    HOME.mkdir(exist_ok=True)
    folder = HOME / OLDER[version]
    with (HOME / f"{folder.name}.lock").open("w") as lock:  # two test runs may want it at once
        fcntl.flock(lock, fcntl.LOCK_EX)
        return _made(folder, version)


def _made(folder: Path, version: str) -> Path:
    wanted = [f"flower=={version}", *PACKAGES]
    made_of = "\n".join([*wanted, sys.version, ""])
    stamp, python = folder / ".installed", folder / "bin" / "python"
    if not (stamp.exists() and stamp.read_text() == made_of):
        _run(sys.executable, "-m", "venv", "--clear", str(folder))
        _run(str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *wanted)
        stamp.write_text(made_of)
    return python


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr[-2000:]}")
