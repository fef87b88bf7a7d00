"""A RabbitMQ of its own in a folder, with its management API, on loopback.

In: a folder. Out: `url` for Celery, `api_url` for Flower. It is Debian's package or any RabbitMQ on the PATH; `found` says whether there is
one. Its name server (epmd) listens on a port of its own and ends with it.
"""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import httpx
import kombu.pools

from watchdog.demo.processes import LOOPBACK, Process, free_port

__all__ = ["RabbitMQ", "found", "needs_rabbitmq"]

PLACES = ("/usr/lib/rabbitmq/bin/rabbitmq-server",)  # Debian's own wrapper on the PATH changes the user
needs_rabbitmq = "RabbitMQ is not installed (`make peers` as root installs it)"
"""Why a test is skipped."""
START_S = 120.0  # with other scenes beside it, more than a minute was seen
CONTROL_S = 120.0
"""rabbitmqctl starts an Erlang of its own, which takes half a minute on a crowded machine."""


def found() -> str | None:
    """The program, or None where RabbitMQ is not installed."""
    return next((place for place in PLACES if Path(place).exists()), shutil.which("rabbitmq-server"))


class RabbitMQ:
    """One broker, guest:guest, that can be started, killed and started again with what it kept. `memory_bytes`: where its alarm begins.

    `joins`: the running node with which it forms a cluster.
    """

    def __init__(self, folder: Path, memory_bytes: int = 1 << 29, joins: "RabbitMQ | None" = None) -> None:
        self._node = "scene" if joins is None else "second"
        self._folder = folder / ("rabbitmq" if joins is None else "rabbitmq-second")
        self._first = joins or self
        self._port, self._api_port, self._names_port, self._peers_port = (free_port() for _ in range(4))
        self._memory_bytes = memory_bytes
        self._processes: list[Process] = []

    @property
    def url(self) -> str:
        return f"amqp://guest:guest@{LOOPBACK}:{self._port}//"

    @property
    def api_url(self) -> str:
        return f"http://guest:guest@{LOOPBACK}:{self._api_port}/api/"

    def start(self) -> None:
        """Returns when its API answers; raises TimeoutError with the end of its log, and leaves nothing running then."""
        program = found()
        if program is None:
            raise FileNotFoundError("rabbitmq-server: not installed")
        self._folder.mkdir(parents=True, exist_ok=True)
        self._write_settings()
        broker = Process("broker", [program], self._folder, self._environment())
        self._processes = [broker]
        if self._first is self:
            names = ["epmd", "-port", str(self._names_port), "-address", LOOPBACK]
            self._processes.append(Process("epmd", names, self._folder, self._environment()))
        deadline = time.monotonic() + START_S
        while not self._answers():
            if time.monotonic() > deadline or not broker.running:
                self.kill()
                raise TimeoutError(f"RabbitMQ did not answer within {START_S:.0f}s; the end of its log:\n{broker.last_lines()}")
            time.sleep(0.2)

    def emptied(self) -> "RabbitMQ":
        """The same, as it was at its start: nobody but guest, nothing in it."""
        with self.api() as to:
            for place, kept in (("vhosts", ""), ("users", "guest")):
                for name in {one["name"] for one in to.get(place).json()} - {kept}:
                    to.delete(f"{place}/{quote(name, safe='')}").raise_for_status()
            to.put("vhosts/%2F").raise_for_status()
            to.put("permissions/%2F/guest", json=dict.fromkeys(("configure", "write", "read"), ".*")).raise_for_status()
        kombu.pools.reset()  # the connections that this process keeps for its next use were closed
        return self

    def kill(self) -> None:
        for process in self._processes:
            process.end(signal.SIGKILL)

    def set_memory_limit(self, limit: str) -> None:
        """As `rabbitmqctl set_vm_memory_high_watermark`: a fraction; `0` raises the alarm, which blocks every publisher, at once."""
        self.control("set_vm_memory_high_watermark", limit)

    @contextmanager
    def setting(self, application: str, name: str, value: str, otherwise: str) -> Iterator[None]:
        """A variable of one of its applications has this value (as Erlang writes it), and `otherwise` after that."""
        self.control("eval", f"application:set_env({application}, {name}, {value}).")
        try:
            yield
        finally:
            self.control("eval", f"application:set_env({application}, {name}, {otherwise}).")

    def send(self, sig: signal.Signals) -> None:
        """A signal to the broker with all its processes: SIGSTOP suspends it, SIGCONT resumes it."""
        os.killpg(self._processes[0].pid, sig)

    def let_in(self, user: str, configure: str = ".*", write: str = ".*", read: str = ".*", vhost: str = "/") -> str:
        """A user with these permissions, whose password is hunter2; also for changing them. Returns their URL for Celery."""
        rights = {"configure": configure, "write": write, "read": read}
        with self.api() as to:
            to.put(f"vhosts/{quote(vhost, safe='')}").raise_for_status()
            to.put(f"users/{user}", json={"password": "hunter2", "tags": ""}).raise_for_status()
            to.put(f"permissions/{quote(vhost, safe='')}/{user}", json=rights).raise_for_status()
        return self.url.replace("guest:guest", f"{user}:hunter2").removesuffix("/") + quote(vhost, safe="")

    def cut(self, *names: str) -> int:
        """Close every connection that calls itself by one of these names, as an operator does; returns how many that were."""
        with self.api() as to:
            found = [one for one in to.get("connections").json() if one["client_properties"].get("connection_name") in names]
            return sum(to.delete(f"connections/{quote(one['name'], safe='')}").is_success for one in found)

    def api(self) -> httpx.Client:
        """Its management API, to an administrator."""
        return httpx.Client(base_url=self.api_url, trust_env=False, timeout=20.0)

    def control(self, *command: str) -> None:
        """One command of `rabbitmqctl`."""
        program = Path(found() or "").resolve().parent / "rabbitmqctl"
        subprocess.run([program, *command], env=self._environment(), timeout=CONTROL_S, check=True, capture_output=True)

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.api_url}queues", timeout=2.0, trust_env=False).is_success
        except httpx.HTTPError:
            return False

    def _write_settings(self) -> None:
        (self._folder / "plugins").write_text("[rabbitmq_management].\n")
        settings = {
            "listeners.tcp.1": f"{LOOPBACK}:{self._port}",
            "management.tcp.ip": LOOPBACK,
            "management.tcp.port": self._api_port,
            "vm_memory_high_watermark.absolute": self._memory_bytes,
            "disk_free_limit.absolute": "50MB",
            "collect_statistics_interval": 1000,  # 5 s by default, for which every test of its figures would wait
            "log.console": "true",
        }
        if self._first is not self:
            settings |= {"cluster_formation.peer_discovery_backend": "classic_config"}
            settings |= {"cluster_formation.classic_config.nodes.1": f"{self._first._node}@localhost"}
        (self._folder / "rabbit.conf").write_text("".join(f"{name} = {value}\n" for name, value in settings.items()))

    def _environment(self) -> dict[str, str]:
        folder = self._folder
        return {
            **os.environ,
            "HOME": str(self._first._folder),  # the nodes of a cluster share a cookie, which is there
            "ERL_EPMD_ADDRESS": LOOPBACK,
            "ERL_EPMD_PORT": str(self._first._names_port),
            "RABBITMQ_NODENAME": f"{self._node}@localhost",
            "RABBITMQ_DIST_PORT": str(self._peers_port),
            "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbit.conf"),
            "RABBITMQ_CONF_ENV_FILE": str(folder / "none"),
            "RABBITMQ_PID_FILE": str(folder / "pid"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
        }
