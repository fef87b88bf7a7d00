"""A booted Debian in which watchdog is installed as systemd/README.md says, and its service as a test works with it.

In: nothing. Out: a `Machine` that runs commands as root of that Debian, and a `Service` in it with an empty database. What is written in it
lives in memory and ends with it. It shares our loopback: what a test starts there, the daemon in the machine reaches.
"""

import contextlib
import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.processes.debian import debian_tree, own_wheel, require_nspawn, wheels
from tests.processes.nspawn import MissingError, nspawn
from tests.servers.waiting import until

__all__ = ["Machine", "MissingError", "Service", "booted"]

SYSTEMD = Path(__file__).parents[2] / "systemd"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
CONFIG = "/etc/watchdog/watchdog.toml"
DROP_INS = "/etc/systemd/system/watchdog.service.d"


class Machine:
    """A booted Debian. `leader` is the pid of its systemd, as we see it."""

    def __init__(self, leader: int) -> None:
        self.leader = leader

    def run(self, *command: str, check: bool = True, timeout: float = 120.0) -> subprocess.CompletedProcess[str]:
        """Run it as the machine's root, in all of its namespaces."""
        enter = ["nsenter", f"--target={self.leader}", "--all", "--", "env", "-i", f"PATH={PATH}", "LC_ALL=C.UTF-8", "SYSTEMD_PAGER="]
        done = subprocess.run(
            [*enter, *command], capture_output=True, text=True, check=False, timeout=timeout, stdin=subprocess.DEVNULL, cwd="/"
        )
        assert not check or done.returncode == 0, f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
        return done

    def write(self, path: str, text: str, mode: int = 0o644) -> None:
        """A file in it, its folders included."""
        file = Path(f"/proc/{self.leader}/root{path}")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode)
        file.chmod(mode)
        file.write_text(text)


class Service:
    """`watchdog.service` of a machine. The unit is the one that is shipped; what a test changes is a drop-in that it names."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self._since = self._cursor()

    def configure(self, text: str) -> None:
        self.machine.write(CONFIG, text)

    def drop_in(self, name: str, value: str, *, why: str) -> None:
        """Set this in [Service]; systemd knows comments only on lines of their own."""
        self.machine.write(f"{DROP_INS}/test.conf", f"# {why}\n[Service]\n{name}={value}\n")
        self.machine.run("systemctl", "daemon-reload")

    def systemctl(self, verb: str, *options: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return self.machine.run("systemctl", verb, *options, "watchdog", check=check)

    def start(self) -> None:
        self.systemctl("start")

    def shows(self, name: str) -> str:
        """A property, as `systemctl show` has it."""
        return self.systemctl("show", f"--property={name}", "--value").stdout.strip()

    @property
    def pid(self) -> int:
        """The daemon's pid in the machine; 0 while there is none."""
        return int(self.shows("MainPID"))

    @property
    def journal(self) -> str:
        """What the service has written since this test began."""
        after = [f"--after-cursor={self._since}"] if self._since else []
        return self.machine.run("journalctl", "--unit=watchdog", "--output=cat", "--no-pager", *after).stdout

    def wait_for(self, words: str, timeout: float = 30.0) -> None:
        """Until the journal holds these words."""
        try:
            until(lambda: words in self.journal, timeout, f"{words!r} in the journal", every=0.2)
        except AssertionError as error:
            raise AssertionError(f"{error}:\n{self.journal[-3000:]}") from None

    def reset(self) -> None:
        """Stopped, with no state, no configuration and no drop-in."""
        self.systemctl("stop", check=False)
        self.systemctl("reset-failed", check=False)
        self.machine.run("rm", "-rf", "/var/lib/private/watchdog", "/etc/watchdog", DROP_INS)
        self.machine.run("systemctl", "daemon-reload")

    def _cursor(self) -> str:
        lines = self.machine.run("journalctl", "--lines=0", "--show-cursor", "--no-pager").stdout.splitlines()
        return next((line.partition("cursor: ")[2] for line in lines if "cursor: " in line), "")


@contextlib.contextmanager
def booted() -> Iterator[Machine]:
    """A machine with watchdog in it. MissingError where none can be had."""
    require_nspawn()
    tree, house = debian_tree(), wheels()
    with tempfile.TemporaryDirectory(prefix="watchdog-machine-") as folder:
        own_wheel(Path(folder))
        console = Path(folder) / "console.log"
        with nspawn(tree, f"--bind-ro={house}:/wheels", f"--bind-ro={folder}:/own", f"--bind-ro={SYSTEMD}:/systemd", "--boot") as command:
            with console.open("wb") as log:
                process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
            try:
                machine = _up(process, console)
                _install(machine)
                yield machine
            finally:
                _end(process)


def _up(process: "subprocess.Popen[bytes]", console: Path) -> Machine:
    """The machine once it has booted."""
    found: list[Machine] = []

    def booted() -> bool:
        if process.poll() is not None:
            raise MissingError(f"systemd-nspawn ended with {process.returncode} instead of booting: {console.read_text()[-600:].strip()}")
        found[:] = [Machine(pid) for pid, name in children(process.pid) if name == "systemd"]
        return bool(found) and found[0].run("systemctl", "is-system-running", check=False).stdout.strip() in ("running", "degraded")

    try:
        until(booted, 60, "the machine to have booted", every=0.2)
    except AssertionError as late:
        raise MissingError(f"{late}; its console: {console.read_text()[-600:].strip()}") from None
    return found[0]


def children(parent: int) -> list[tuple[int, str]]:
    """Pid and name of each child."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            before, _, after = stat.read_text().rpartition(")")
            if int(after.split()[1]) == parent:
                found.append((int(stat.parent.name), before.partition("(")[2]))
    return found


def _install(machine: Machine) -> None:
    machine.run("python3", "-m", "venv", "/opt/watchdog")
    pip = ["/opt/watchdog/bin/pip", "install", "--quiet", "--disable-pip-version-check"]
    machine.run(*pip, "--no-index", "--find-links=/wheels", "--find-links=/own", "celery-watchdog")
    machine.run("install", "-m", "644", "/systemd/watchdog.service", "/etc/systemd/system/")
    machine.run("systemctl", "daemon-reload")


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Shut it down in order, or at once where that takes too long; with its systemd all of its processes end."""
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        for pid, _ in children(process.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.kill()
        process.wait(10)
