"""Older Flowers, each in a virtual environment of its own (15 s each, measured).

In: a version. Out: the Python that runs that Flower.
"""

from pathlib import Path

from tests.processes.environments import python_with

__all__ = ["OLDER", "flower_python"]

OLDER = {"2.0.1": "flower20", "1.2.0": "flower12"}
"""Version -> the name of its folder here, and of its recorded answers."""
PACKAGES = ("celery[redis]>=5.5,<6", "setuptools")  # Flower 1.2 imports distutils, which Python 3.12 has no more: setuptools brings it


def flower_python(version: str) -> Path:
    """The Python of the virtual environment that holds this Flower; RuntimeError with pip's last words where it cannot be made."""
    return python_with(OLDER[version], [f"flower=={version}", *PACKAGES])
