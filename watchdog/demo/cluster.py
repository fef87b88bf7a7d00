"""A small real cluster on free loopback ports: Redis, Celery workers, Flower; each can be started, stopped and broken.

In: what to start. Out: `redis_url`, `flower_url`, and `app` to send tasks from this process. In any case, `close` (or leaving the `with`)
ends everything that was started here, by process group, and nothing else.
"""

import contextlib
import shutil
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx
from celery import Celery

from watchdog.demo.processes import LOOPBACK, ClusterError, Process, child_environment, free_port
from watchdog.demo.redis_server import redis_server
from watchdog.demo.tasks import make_app, send_many

__all__ = ["Cluster", "ClusterError"]


class Cluster:
    """One Redis, any number of workers, one Flower. Not thread-safe.

    `workdir` receives the logs and is kept; without it a temporary folder is used and removed. `heartbeat_s` is the workers' heartbeat
    interval (Celery's default: 2); Flower considers a worker offline after two of them. `environment` is passed to the workers and `app`
    (see `demo.tasks`). `flower_python` runs Flower: that of another virtual environment runs another version. `redis_program` is the Redis
    server or a compatible one; without it `redis_server` finds one.
    """

    def __init__(
        self,
        workdir: Path | None = None,
        *,
        heartbeat_s: int = 2,
        environment: Mapping[str, str] | None = None,
        flower_python: Path | None = None,
        redis_program: Path | None = None,
    ) -> None:
        self._temporary = workdir is None
        self.workdir = workdir or Path(tempfile.mkdtemp(prefix="watchdog-demo-"))
        self.workdir.mkdir(parents=True, exist_ok=True)
        self._heartbeat_s = heartbeat_s
        self._more = dict(environment or {})
        self._flower_python = str(flower_python or sys.executable)
        self._redis_program = redis_program
        self._redis: Process | None = None
        self._flower: Process | None = None
        self._flower_prefix = ""
        self._flower_auth: tuple[str, str] | None = None
        self.workers: dict[str, Process] = {}
        self.redis_port = free_port()
        self.flower_port = free_port()
        self._app: Celery | None = None
        self._http = httpx.Client(trust_env=False, timeout=5.0, verify=False)  # noqa: S501 - plain http on loopback: no CA to load

    def __enter__(self) -> Self:
        """Starts nothing yet."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """End everything, also on errors and Ctrl-C."""
        self.close()

    @property
    def redis_url(self) -> str:
        """The broker, which also stores results."""
        return f"redis://{LOOPBACK}:{self.redis_port}/0"

    @property
    def flower_url(self) -> str:
        """Flower's base URL, including its prefix."""
        return f"http://{LOOPBACK}:{self.flower_port}{self._flower_prefix}"

    @property
    def app(self) -> Celery:
        """A Celery app that sends to this cluster from the calling process."""
        if self._app is None:
            self._app = make_app(self._environment())
        return self._app

    # --- Redis ----------------------------------------------------------------------------------------------------------

    def start_redis(self, port: int | None = None, *args: str) -> Process:
        """Start Redis, without persistence, on `port` or its previous one, with command line `args`. Returns when it answers."""
        if self._redis and self._redis.running:
            raise ClusterError(f"redis runs already on port {self.redis_port}")
        self.redis_port = port or self.redis_port
        program = self._redis_program or redis_server()[0]
        command = [str(program), "--port", str(self.redis_port), "--bind", LOOPBACK, "--save", "", "--appendonly", "no"]
        self._redis = self._process("redis", [*command, "--dir", str(self.workdir), *args], self._environment())
        self._until(self._redis_answers, 10.0, self._redis, "answer a PING")
        return self._redis

    def stop_redis(self, sig: signal.Signals = signal.SIGTERM) -> None:
        """End Redis with that signal; its data is lost. SIGSTOP only suspends it, until `resume_redis`."""
        if self._redis and sig is signal.SIGSTOP:
            self._redis.send(sig)
        elif self._redis:
            self._redis.end(sig)

    def resume_redis(self) -> None:
        """Resume a Redis suspended by SIGSTOP."""
        if self._redis:
            self._redis.send(signal.SIGCONT)

    # --- workers --------------------------------------------------------------------------------------------------------

    def start_worker(
        self,
        name: str,
        queues: Iterable[str],
        concurrency: int = 1,
        pool: str = "prefork",
        *args: str,
        environment: Mapping[str, str] | None = None,
    ) -> Process:
        """Start a worker `celery@name` (or `name` if it contains an @) on these queues; `wait_ready` waits until it is online."""
        full_name = worker_name(name)
        if full_name in self.workers and self.workers[full_name].running:
            raise ClusterError(f"worker {full_name} runs already")
        options = ["-n", full_name, "-Q", ",".join(queues), "-c", str(concurrency), "-P", pool, "-l", "INFO", "--without-mingle"]
        options += [f"--heartbeat-interval={self._heartbeat_s}", *args]
        child = self._process(f"worker-{full_name}", self._celery("worker", *options), self._environment(environment))
        self.workers[full_name] = child
        return child

    def kill_worker(self, name: str, sig: signal.Signals = signal.SIGKILL) -> None:
        """End a worker: SIGKILL kills its whole process group; SIGTERM lets it finish and sign off."""
        if worker_name(name) not in self.workers:
            raise ClusterError(f"no worker {worker_name(name)}; there are: {', '.join(self.workers) or 'none'}")
        self.workers.pop(worker_name(name)).end(sig)

    # --- Flower ---------------------------------------------------------------------------------------------------------

    def start_flower(self, *args: str, port: int | None = None, environment: Mapping[str, str] | None = None) -> Process:
        """Start Flower on `port` or its previous one, with command line `args`. Returns when it answers."""
        if self._flower and self._flower.running:
            raise ClusterError(f"flower runs already on port {self.flower_port}")
        self.flower_port = port or self.flower_port
        prefix, login = _option(args, "--url_prefix").strip("/"), _option(args, "--basic_auth").split(",")[0].partition(":")
        self._flower_prefix = f"/{prefix}" if prefix else ""
        self._flower_auth = (login[0], login[2]) if login[0] else None
        command = self._celery("flower", f"--address={LOOPBACK}", f"--port={self.flower_port}", *args, python=self._flower_python)
        settings = self._environment({"FLOWER_UNAUTHENTICATED_API": "true", **(environment or {})})
        self._flower = self._process("flower", command, settings)
        self._until(self._flower_answers, 30.0, self._flower, "answer /healthcheck")
        return self._flower

    def stop_flower(self, sig: signal.Signals = signal.SIGTERM) -> None:
        """End Flower. SIGSTOP only suspends it, until `resume_flower`."""
        if self._flower and sig is signal.SIGSTOP:
            self._flower.send(sig)
        elif self._flower:
            self._flower.end(sig)

    def resume_flower(self) -> None:
        """Resume a Flower suspended by SIGSTOP."""
        if self._flower:
            self._flower.send(signal.SIGCONT)

    # --- the whole ------------------------------------------------------------------------------------------------------

    def wait_ready(self, timeout: float = 30.0) -> None:
        """Wait until Flower sees every running worker online (without Flower: until each answers a ping); else raise ClusterError."""
        deadline = time.monotonic() + timeout
        missing = set(self.workers)
        while missing and time.monotonic() < deadline:
            for child in (self._redis, self._flower, *self.workers.values()):
                if child:
                    child.require_running()
            missing = set(self.workers) - self.online()
            time.sleep(0.1 if missing else 0)
        if missing:
            logs = "\n".join(f"{name}:\n{self.workers[name].last_lines(5)}" for name in sorted(missing))
            raise ClusterError(f"not online after {timeout:g}s: {', '.join(sorted(missing))}; the end of their logs:\n{logs}")

    def require_servers(self) -> None:
        """Raise ClusterError if Redis or Flower has ended; workers may come and go."""
        for server in (self._redis, self._flower):
            if server:
                server.require_running()

    def online(self) -> set[str]:
        """The workers that Flower sees online now (without Flower: those that answer a ping, as many as there should be)."""
        if self._flower is None or not self._flower.running:
            answers = self.app.control.ping(timeout=1.0, limit=len(self.workers) or None)
            return {name for answer in answers for name in answer}
        try:
            answer = self._http.get(f"{self.flower_url}/api/workers", params={"status": "true"}, auth=self._flower_auth).raise_for_status()
        except httpx.HTTPError:
            return set()
        return {name for name, is_online in answer.json().items() if is_online}

    def flood(self, queue: str, count: int, task: str = "demo.ok", **arguments: object) -> list[str]:
        """Send `count` tasks to a queue. Returns their ids."""
        return send_many(self.app, task, queue, count, **arguments)

    def close(self) -> None:
        """End everything that was started here, at once. May be called twice."""
        children = [child for child in (self._flower, *self.workers.values(), self._redis) if child]
        for child in children:
            child.kill()
        for child in children:
            child.end()
        self.workers.clear()
        if self._app is not None:
            with contextlib.suppress(Exception):  # its sockets are closed on the other side
                self._app.close()
            self._app = None
        self._http.close()
        if self._temporary:
            shutil.rmtree(self.workdir, ignore_errors=True)

    def _process(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> Process:
        return Process(name, command, self.workdir, environment)

    def _celery(self, command: str, *options: str, python: str = sys.executable) -> list[str]:
        return [python, "-m", "celery", "-A", "watchdog.demo.tasks", command, *options]

    def _environment(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        own = {"DEMO_BROKER_URL": self.redis_url, "TMPDIR": str(self.workdir)}  # a killed worker cannot remove its temporary files
        return child_environment({**own, **self._more, **(more or {})})

    def _redis_answers(self) -> bool:
        """Whether it sends any byte: a server that requires a password or is loading has started too."""
        with contextlib.suppress(OSError), socket.create_connection((LOOPBACK, self.redis_port), timeout=1.0) as connection:
            connection.sendall(b"PING\r\n")
            return bool(connection.recv(1))
        return False

    def _flower_answers(self) -> bool:
        with contextlib.suppress(httpx.HTTPError):
            return self._http.get(f"{self.flower_url}/healthcheck").is_success
        return False

    def _until(self, done: Callable[[], bool], timeout: float, child: Process, what: str) -> None:
        deadline = time.monotonic() + timeout
        while not done():
            child.require_running()
            if time.monotonic() > deadline:
                child.end()
                raise ClusterError(f"{child.name} did not {what} within {timeout:g}s; the end of {child.log}:\n{child.last_lines()}")
            time.sleep(0.02)
        child.require_running()


def worker_name(name: str) -> str:
    """`celery@name`, or the name itself if it contains an @."""
    return name if "@" in name else f"celery@{name}"


def _option(args: Iterable[str], name: str) -> str:
    """The value of `--name=value` among arguments, or ""."""
    return next((arg.partition("=")[2] for arg in args if arg.startswith(f"{name}=")), "")
