"""One process of the demo cluster: started in its own session, with its output in a log file, and ended with all its children."""

import contextlib
import os
import secrets
import signal
import socket
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

__all__ = ["Child", "ClusterError", "Process", "child_environment", "free_port"]

LOOPBACK = "127.0.0.1"
FOREIGN = ("CELERY", "DEMO_", "FLOWER_", "NOTIFY_SOCKET", "WATCHDOG")
"""Prefixes of variables that belong to the caller's own deployment and must not reach the children."""


class ClusterError(Exception):
    """The demo cluster cannot do what was asked; includes the last lines of the log if a process died."""


class Child(Protocol):
    """A started process, as `subprocess.Popen` has them."""

    pid: int
    returncode: int | None

    def poll(self) -> int | None:
        """Its exit code, if it has ended."""

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code; raises subprocess.TimeoutExpired."""


class Process:
    """A child process that leads its own process group, so that nothing of it survives `end`."""

    def __init__(self, name: str, command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> None:
        self.name = name
        self.log = folder / f"{name.replace('/', '_')}.log"
        self._over = False
        self._child = self._started(command, folder, environment)
        self.pid = self._child.pid

    @property
    def running(self) -> bool:
        """Whether its main process is running. The first call that finds it dead also ends its remaining children."""
        if not self._over and self._child.poll() is not None:
            self._end_children()
        return not self._over

    def require_running(self) -> None:
        """Raise ClusterError with the end of its log if it has died."""
        if not self.running:
            raise ClusterError(f"{self.name} ended with {self._child.returncode}; the end of {self.log}:\n{self.last_lines()}")

    def last_lines(self, count: int = 15) -> str:
        """The end of its log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-count:])

    def send(self, sig: signal.Signals) -> None:
        """Send a signal to its main process only (SIGSTOP suspends it, SIGCONT resumes it)."""
        if self.running:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, sig)

    def kill(self) -> None:
        """SIGKILL the whole group, without waiting; `end` reaps it."""
        if self.running:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)

    def end(self, sig: signal.Signals = signal.SIGKILL, patience_s: float = 15.0) -> None:
        """End it: SIGKILL kills the group at once; another signal goes to the main process, which has `patience_s` to exit."""
        if sig is not signal.SIGKILL and self.running:
            self.send(sig)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._child.wait(patience_s)
        self.kill()
        if not self._over:
            self._child.wait()
            self._end_children()

    def _started(self, command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> Child:
        with self.log.open("ab") as log:
            return subprocess.Popen(  # noqa: S603 - our own program and arguments, without a shell
                list(command), cwd=folder, env=dict(environment), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )

    def _end_children(self) -> None:
        """Kill what the main process left in its group.

        The main process is gone. If there is one with its id, that is another's: a group that still has members keeps its id.
        """
        self._over = True
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(self.pid, 0)
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)


def free_port() -> int:
    """A loopback port that nobody listens on, below the range that systems use for outgoing connections."""
    while True:
        port = 12_000 + secrets.randbelow(18_000)
        with socket.socket() as probe:
            try:
                probe.bind((LOOPBACK, port))
            except OSError:
                continue
            return port


def child_environment(more: Mapping[str, str]) -> dict[str, str]:
    """The caller's environment without variables of other deployments, with this package first on the path, and with `more`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
    package_home = str(Path(__file__).resolve().parents[2])
    path = os.pathsep.join(filter(None, [package_home, kept.get("PYTHONPATH", "")]))
    return {**kept, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1", **more}
