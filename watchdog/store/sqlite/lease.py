"""One daemon per database, by a lock that the kernel releases when its holder dies, however it dies.

The lock is on `<database>.lock`, which contains the holder's pid for the error message of a second daemon; the file remains after the lock
is released. Its modification time is the holder's last sign of life, for containers, which have no systemd to notify.
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
    """Hold the lock on the database at `path`; `StoreError` at once if another watchdog holds it."""
    lock = _taken(path)
    try:
        yield
    finally:
        os.close(lock)


def retaken(path: Path) -> int | None:
    """If the lock file was deleted: a lock on a new one, held until the descriptor is closed. None if it still exists."""
    return None if _lock_of(path).exists() else _taken(path)


def is_held(path: Path) -> bool | None:
    """Whether a watchdog holds the lock on the database at `path`; None if the lock file may not be read."""
    try:
        lock = os.open(_lock_of(path), os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    except OSError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)  # released at once, when the descriptor is closed
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False


def sign_of_life(path: Path) -> None:
    """Set the lock file's modification time to now. Errors are ignored: the time then stays old, which shows."""
    with suppress(OSError):
        os.utime(_lock_of(path))


def _lock_of(path: Path) -> Path:
    return Path(f"{path.resolve()}.lock")  # resolved: two paths to the same file are one database


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
