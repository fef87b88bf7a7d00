"""Debian's real Alertmanager, without cluster, and its command line.

In: a folder, a configuration. Out: its address, what it answers, what `amtool` prints.
"""

import contextlib
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx

from tests.servers.waiting import until
from watchdog.demo.processes import LOOPBACK, Process, child_environment, free_port

__all__ = ["AMTOOL", "PROGRAM", "RealAlertmanager", "amtool", "real_alertmanager", "tool_environment"]

PROGRAM, AMTOOL = shutil.which("prometheus-alertmanager"), shutil.which("amtool")
NO_RECEIVERS = "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n"


class RealAlertmanager:
    """A real Alertmanager below a path, which may be stopped and started again."""

    def __init__(self, folder: Path, config: str = NO_RECEIVERS) -> None:
        self.folder, self.port = folder, free_port()
        self.url = f"http://{LOOPBACK}:{self.port}/alerts-here"
        self._config = config
        self._process: Process | None = None

    def start(self) -> None:
        (self.folder / "alertmanager.yml").write_text(self._config)
        command = [
            str(PROGRAM), f"--config.file={self.folder}/alertmanager.yml", f"--storage.path={self.folder}/data",
            "--cluster.listen-address=", f"--web.listen-address={LOOPBACK}:{self.port}", "--web.route-prefix=/alerts-here",
        ]  # fmt: skip
        self._process = Process("alertmanager", command, self.folder, child_environment({}))
        until(self._ready, 60, "Alertmanager to be ready")

    def stop(self) -> None:
        if self._process is not None:
            self._process.end()
            self._process = None

    def _ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/-/ready", trust_env=False, timeout=5).status_code == 200
        except httpx.HTTPError:
            return False


@contextlib.contextmanager
def real_alertmanager(folder: Path, config: str = NO_RECEIVERS) -> Iterator[RealAlertmanager]:
    """One that runs."""
    folder.mkdir(parents=True, exist_ok=True)
    one = RealAlertmanager(folder, config)
    one.start()
    try:
        yield one
    finally:
        one.stop()


def amtool(url: str, *args: str, home: Path) -> subprocess.CompletedProcess[str]:
    """One command of amtool against this address; it reads no configuration of the user's."""
    command = [str(AMTOOL), f"--alertmanager.url={url}", *args]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, env=tool_environment(home))


def tool_environment(home: Path) -> dict[str, str]:
    """In which amtool finds no configuration but what is in this folder."""
    return child_environment({"HOME": str(home)})
