"""Celery with the pools gevent and eventlet, and with results in a database, in a virtual environment of its own.

In: nothing. Out: its Python. Nothing else here needs these packages, and nothing else should meet what they patch.
"""

from pathlib import Path

from tests.processes.environments import python_with

__all__ = ["green_python"]

PACKAGES = ("celery[redis]>=5.5,<6", "gevent>=25,<28", "eventlet>=0.40,<1", "sqlalchemy>=2,<3")


def green_python() -> Path:
    """The Python of that environment; RuntimeError with pip's last words where it cannot be made."""
    return python_with("green", PACKAGES)
