"""watchdog as its users run it: a process of its own, in a folder of its own, with a clean environment."""

import contextlib
import json
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.processes.cluster import Cluster
from tests.processes.forked import Forked, can_be_forked
from tests.servers.receiver import RecordingReceiver
from tests.servers.waiting import until
from watchdog.demo.processes import child_environment

PYTHON = [sys.executable, "-W", "error", "-m"]
COMMAND = [*PYTHON, "watchdog"]
FRESH = [*PYTHON, "tests.processes.fresh"]
"""The same, for a daemon whose test waits until it sees a change."""


def watchdog_process(
    *args: str | Path, cwd: Path, environ: Mapping[str, str] | None = None, timeout: float = 60.0
) -> subprocess.CompletedProcess[str]:
    """Run one command to its end, where the process itself is tested; any other: `tests.processes.command_line`."""
    command = [*COMMAND, *map(str, args)]
    return subprocess.run(
        command,
        cwd=cwd,
        env=environment(cwd, environ or {}),
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def environment(home: Path, more: Mapping[str, str]) -> dict[str, str]:
    """Ours, less what belongs to a deployment of watchdog or Celery, and `more`."""
    return {**child_environment({}), "HOME": str(home), "COLUMNS": "100", "PYTHONFAULTHANDLER": "1", **more}


class Daemon:
    """`watchdog run` in a folder that holds its `watchdog.toml` and `watchdog.db`; its log goes to `log`.

    `prefix` starts it elsewhere, as in a mount namespace; `command` in another way. `work`: another command, which names its log.
    """

    def __init__(
        self,
        folder: Path,
        environ: Mapping[str, str] | None = None,
        prefix: Sequence[str] = (),
        command: Sequence[str] = COMMAND,
        work: Sequence[str] = ("run",),
    ) -> None:
        self.folder = folder
        self.log = folder / ("daemon.log" if work[0] == "run" else f"{work[0]}.log")
        self._seen = len(self.text)
        self.process = _started([*prefix, *command, *work], folder, environment(folder, environ or {}), self.log)

    @property
    def text(self) -> str:
        """Its log, and that of those before it."""
        return self.log.read_text() if self.log.exists() else ""

    @property
    def own_text(self) -> str:
        """What it has logged itself."""
        return self.text[self._seen :]

    def wait_for(self, event: str, timeout: float = 60.0, count: int = 1) -> None:
        """Until it has logged that."""

        def logged() -> bool:
            assert self.process.poll() is None or event in self.own_text, f"it ended with {self.process.poll()}:\n{self.own_text}"
            return self.own_text.count(event) >= count

        with _with_log(self):
            until(logged, timeout, f"{event} in the log")

    def send(self, sig: signal.Signals) -> None:
        self.process.send_signal(sig)

    def end(self, sig: signal.Signals = signal.SIGTERM, timeout: float = 20.0) -> int:
        """Its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(sig)
        return self.process.wait(timeout)


def _started(command: Sequence[str], folder: Path, environ: Mapping[str, str], log: Path) -> "subprocess.Popen[bytes] | Forked":
    if can_be_forked(command, environ):
        return Forked(command, folder, environ, log, leads_session=False)
    with log.open("ab") as stream:
        return subprocess.Popen(command, cwd=folder, env=environ, stdout=stream, stderr=stream, stdin=subprocess.DEVNULL)


@contextlib.contextmanager
def _with_log(daemon: Daemon) -> Iterator[None]:
    try:
        yield
    except AssertionError as error:
        raise AssertionError(f"{error}; its log:\n{daemon.own_text[-4000:]}") from None


@contextlib.contextmanager
def running(
    folder: Path,
    environ: Mapping[str, str] | None = None,
    prefix: Sequence[str] = (),
    until: str = "watchdog_started",
    command: Sequence[str] = COMMAND,
    work: Sequence[str] = ("run",),
) -> Iterator[Daemon]:
    """A daemon that has had its first look, or has logged another event; it ends with the block."""
    daemon = Daemon(folder, environ, prefix, command, work)
    try:
        daemon.wait_for(until)
        yield daemon
    finally:
        with contextlib.suppress(subprocess.TimeoutExpired):
            daemon.end()
        daemon.process.kill()
        daemon.process.wait()


SHORT = {"for": "0s", "keep_firing_for": "1s"}


def write_config(folder: Path, cluster: Cluster, hook: str, *, short: tuple[str, ...] = ("*",), more: str = "") -> Path:
    """A configuration with short times for the rules named in `short`.

    Nothing flaps, as `flap_window` is not as short as the other times. QueueNoConsumers is off: it would explain QueueBacklogHigh, by which
    most tests see what is sent.
    """
    top = {"interval": "0.3s", "flap_window": "0s", "database": "watchdog.db"}
    lines = [f"{key} = {json.dumps(value)}" for key, value in top.items()]
    lines += ["[[target]]", 'name = "prod"', f'flower = "{cluster.flower_url}"', f'redis = "{cluster.redis_url}"']
    lines += ["[[receiver]]", 'name = "ops"', 'type = "webhook"', f'url = "{hook}"', 'timeout = "60s"']
    for rule in short:
        lines += ["[[override]]", f'rule = "{rule}"', *(f'{key} = "{value}"' for key, value in SHORT.items())]
    lines += ["[[override]]", 'rule = "QueueNoConsumers"', "enabled = false"]
    path = folder / "watchdog.toml"
    path.write_text("\n".join(lines) + "\n" + more)
    return path


def told(receiver: RecordingReceiver) -> list[tuple[str, str, str]]:
    """(incident, rule, event) of everything the receiver got, in order; a repeat under the same id counts once."""
    bodies: dict[str, dict[str, Any]] = {}
    for request in receiver.requests:
        bodies.setdefault(request.headers["webhook-id"], json.loads(request.body))
    return [(i["id"], i["rule"], i["event"]) for body in bodies.values() for i in body["data"]["incidents"]]


def events_of(receiver: RecordingReceiver, rule: str) -> list[str]:
    """The events of one rule that the receiver got, in order."""
    return [event for _, name, event in told(receiver) if name == rule]
