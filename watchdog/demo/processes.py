"""One process of the little cluster: started in a session of its own, its output in a log file, ended with all its children."""

import contextlib
import os
import secrets
import signal
import socket
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

__all__ = ["ClusterError", "Process", "child_environment", "free_port"]

LOOPBACK = "127.0.0.1"
FOREIGN = ("CELERY", "DEMO_", "FLOWER_", "NOTIFY_SOCKET", "WATCHDOG")
"""Variables of the caller's own deployment that must not reach the children, by how they begin."""


class ClusterError(Exception):
    """The little cluster cannot do what was asked; with the last lines of the log where a process died."""


class Process:
    """A child process that leads a process group of its own, so that nothing of it outlives `end`."""

    def __init__(self, name: str, command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> None:
        self.name = name
        self.log = folder / f"{name.replace('/', '_')}.log"
        self._over = False
        with self.log.open("ab") as log:
            self._child = subprocess.Popen(  # noqa: S603 - a program of ours with arguments of ours, without a shell
                list(command), cwd=folder, env=dict(environment), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        self.pid = self._child.pid

    @property
    def running(self) -> bool:
        """Whether its main process lives. The first look that finds it dead also ends what it left behind."""
        if not self._over and self._child.poll() is not None:
            self._end_children()
        return not self._over

    def require_running(self) -> None:
        """Raise ClusterError with the end of its log where it has died."""
        if not self.running:
            raise ClusterError(f"{self.name} ended with {self._child.returncode}; the end of {self.log}:\n{self.last_lines()}")

    def last_lines(self, count: int = 15) -> str:
        """The end of its log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-count:])

    def send(self, sig: signal.Signals) -> None:
        """A signal to its main process alone (SIGSTOP hangs it, SIGCONT wakes it)."""
        if self.running:
            os.kill(self.pid, sig)

    def kill(self) -> None:
        """SIGKILL to the whole group, without waiting; `end` reaps it."""
        if self.running:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)

    def end(self, sig: signal.Signals = signal.SIGKILL, patience_s: float = 15.0) -> None:
        """End it: SIGKILL takes the group at once; another signal goes to the main process, which has `patience_s` to leave."""
        if sig is not signal.SIGKILL and self.running:
            self.send(sig)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._child.wait(patience_s)
        self.kill()
        if not self._over:
            self._child.wait()
            self._end_children()

    def _end_children(self) -> None:
        """What the main process left in its group goes too; only now, while the number cannot be anybody else's."""
        self._over = True
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)


def free_port() -> int:
    """A loopback port that nobody listens on, below those that systems hand out to outgoing connections."""
    while True:
        port = 12_000 + secrets.randbelow(18_000)
        with socket.socket() as probe:
            try:
                probe.bind((LOOPBACK, port))
            except OSError:
                continue
            return port


def child_environment(more: Mapping[str, str]) -> dict[str, str]:
    """The caller's environment less what belongs to another deployment, with this very package first on the path, and `more`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
    package_home = str(Path(__file__).resolve().parents[2])
    path = os.pathsep.join(filter(None, [package_home, kept.get("PYTHONPATH", "")]))
    return {**kept, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1", **more}
