"""One daemon a database: a lock that the kernel takes back when its holder dies, however it dies.

The lock lies on `<database>.lock`, which holds the pid of the holder for the one who comes second; the file stays, the lock does not.
Its time is the holder's last sign of life: containers have no systemd to tell.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from watchdog.store.refusals import StoreError, speaking_of

__all__ = ["is_held", "lease", "retaken", "sign_of_life"]


@contextmanager
def lease(path: Path) -> Iterator[None]:
    """Hold the database at `path` alone; `StoreError` at once where another watchdog does."""
    lock = _taken(path)
    try:
        yield
    finally:
        os.close(lock)


def retaken(path: Path) -> int | None:
    """Where the lock's own file was deleted: a new one, held until the descriptor is closed. None where it is there."""
    return None if _lock_of(path).exists() else _taken(path)


def is_held(path: Path) -> bool | None:
    """Whether a watchdog holds the database at `path`; None where its lock may not be read."""
    try:
        lock = os.open(_lock_of(path), os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    except OSError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)  # let go with the descriptor, at once
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False


def sign_of_life(path: Path) -> None:
    """Set the lock's time to now; where that cannot be, its age tells."""
    with suppress(OSError):
        os.utime(_lock_of(path))


def _lock_of(path: Path) -> Path:
    return Path(f"{path.resolve()}.lock")  # resolved: two names of one file are one database


def _taken(path: Path) -> int:
    with speaking_of(path, 0):
        lock = os.open(_lock_of(path), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        _take(lock, path)
    except BaseException:
        os.close(lock)
        raise
    return lock


def _take(lock: int, path: Path) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        pid = os.pread(lock, 20, 0).decode("ascii", "replace").strip()
        who = f"another watchdog (pid {pid})" if pid.isdigit() else "another watchdog"
        raise StoreError(f"{who} uses {path}; stop it first, or let `database` in the configuration name another path") from None
    with speaking_of(path, 0):
        os.ftruncate(lock, 0)
        os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
