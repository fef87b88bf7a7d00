"""A mount namespace of its own: what is mounted in it nobody else sees, and it is gone when the last process in it is.

In: root. Out: a command prefix that runs a program there. `MissingError` where this user may make none.
"""

import os
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.servers.waiting import until

__all__ = ["MissingError", "MountNamespace"]


class MissingError(Exception):
    """No mounts can be made here: the sentence says why."""


class MountNamespace:
    """Holds the namespace until it is left; whoever runs in it must have ended by then."""

    def __init__(self) -> None:
        if os.geteuid() != 0:
            raise MissingError("mounting a small disk needs root")
        hold = ["unshare", "--mount", "setpriv", "--pdeathsig", "KILL", "sleep", "infinity"]
        self._holder = subprocess.Popen(hold, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.prefix = ["nsenter", f"--target={self._holder.pid}", "--mount", "--"]
        ours = Path("/proc/self/ns/mnt").readlink()

        def apart() -> bool:
            if self._holder.poll() is not None:
                assert self._holder.stderr is not None
                raise MissingError(f"no mount namespace can be made: {self._holder.stderr.read().decode().strip()}")
            return Path(f"/proc/{self._holder.pid}/ns/mnt").readlink() != ours

        until(apart, 10, "the mount namespace")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._holder.kill()
        self._holder.wait()
        if self._holder.stderr is not None:
            self._holder.stderr.close()

    def run(self, *command: str | Path) -> str:
        """Run it there, as root."""
        done = subprocess.run([*self.prefix, *map(str, command)], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
        assert done.returncode == 0, f"{command} ended with {done.returncode}: {done.stderr}"
        return done.stdout

    def seen(self, path: Path) -> Path:
        """What this path is in the namespace, as we reach it."""
        return Path(f"/proc/{self._holder.pid}/root{path}")
