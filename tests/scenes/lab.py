"""One scene's cluster, its daemon and its receiver: each a process or thread of its own, on loopback, all ended with the scene."""

import contextlib
import json
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import redis

from tests.processes.running import Daemon, watchdog_process
from tests.scenes.cluster import SceneCluster
from tests.scenes.judge import Look, Told
from tests.servers.rabbitmq import RabbitMQ
from tests.servers.receiver import RecordingReceiver
from watchdog.demo.processes import LOOPBACK

__all__ = ["Asked", "Lab"]

Asked = Literal["", "rabbitmq", "all"]

START_S = 60.0
READY_S = 120.0  # a dozen workers on a busy machine


class Lab:
    """What the steps of a scene work with. Steps come from one thread; `every` sends from threads of its own.

    `store`: the URL of the daemon's database on PostgreSQL; empty: a file. `minutes`: how long a scene lasts that says no end itself.
    """

    def __init__(
        self,
        folder: Path,
        conf: Mapping[str, object],
        *,
        database: int,
        on_rabbitmq: bool,
        visibility_timeout_s: float,
        minutes: int = 0,
        store: str = "",
        python: Path | None = None,
        flower_python: Path | None = None,
    ) -> None:
        self.folder, self.minutes = folder, minutes
        self.folder.mkdir(parents=True, exist_ok=True)
        self.rabbitmq = RabbitMQ(folder)
        self.second_node = RabbitMQ(folder, joins=self.rabbitmq)
        self._on_rabbitmq, self._store = on_rabbitmq, store
        settings = {"task_publish_retry": False, **conf}
        environment = {"DEMO_VISIBILITY_TIMEOUT_S": str(visibility_timeout_s)}
        if on_rabbitmq:
            settings["broker_transport_options"] = {}  # those of Redis mean nothing to it
            environment |= {"DEMO_BROKER_URL": self.rabbitmq.url, "DEMO_RESULTS_URL": "disabled://"}
        environment["SCENE_CONF"] = json.dumps(settings)
        self.cluster = SceneCluster(folder, environment, database=database, python=python, flower_python=flower_python)
        self.looks: list[Look] = []
        self.steps: dict[str, float] = {}
        self._receiver = RecordingReceiver()
        self._daemon: Daemon | None = None
        self._closing = threading.Event()
        self._threads: list[threading.Thread] = []
        self._began = time.monotonic()
        self._began_at = time.time()

    def __enter__(self) -> Self:
        self._receiver.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._closing.set()
        for thread in self._threads:
            thread.join(15)
        self._stop_daemon()
        self.cluster.close()
        self.second_node.kill()
        self.rabbitmq.kill()
        self._receiver.__exit__(kind, error, trace)

    @property
    def now(self) -> float:
        """Seconds since the scene began."""
        return time.monotonic() - self._began

    def start_broker(self) -> None:
        """Redis, or RabbitMQ."""
        if self._on_rabbitmq:
            self.rabbitmq.start()
        else:
            self.cluster.start_redis()

    def start_flower(self, *options: str) -> None:
        """Flower, which reads RabbitMQ's queues from its management API."""
        self.cluster.start_flower(*options, *((f"--broker_api={self.rabbitmq.api_url}",) if self._on_rabbitmq else ()))

    def begin(self, schedule: str = "", *, asked: Asked = "", asks_flower: bool = True) -> None:
        """Wait until every worker is online, start the daemon, and count time from here. `schedule`: the scheduler that it watches.

        `asked`: on RabbitMQ, whether watchdog asks it itself, and with "all" the workers through it as well.
        """
        self.cluster.wait_ready(READY_S)
        config = f'database = "{self._store}"\n' if self._store else ""
        config += 'interval = "2s"\n[[target]]\nname = "prod"\n'
        config += f'flower = "{self.cluster.flower_url}"\n' if asks_flower else ""
        config += f'schedule = "{schedule}"\n' if schedule else ""
        if not self._on_rabbitmq:
            config += f'redis = "redis://{LOOPBACK}:{self.cluster.redis_port}/0"\n'  # where a careless configuration looks
        elif asked:
            config += f'rabbitmq = "{self.rabbitmq.api_url}"\n' + (f'celery = "{self.rabbitmq.url}"\n' if asked == "all" else "")
        config += f'[[receiver]]\nname = "ops"\ntype = "webhook"\nurl = "{self._receiver.url}"\n'
        (self.folder / "watchdog.toml").write_text(config)
        shutil.rmtree(self.folder / ".local", ignore_errors=True)  # the database of an earlier run in this folder
        self._daemon = Daemon(self.folder)
        self._daemon.wait_for("watchdog_started", START_S)  # seconds on a busy machine, in which the first steps would be missed
        self._began, self._began_at = time.monotonic(), time.time()

    def step(self, name: str) -> None:
        """Note that the step of that name is taken now."""
        self.steps[name] = self.now

    def rest_until(self, seconds: float) -> None:
        """Sleep until so many seconds after the beginning."""
        time.sleep(max(0.0, seconds - self.now))

    def send(
        self, task: str, queue: str, *, count: int = 1, expires: float | None = None, countdown_s: float | None = None, **arguments: object
    ) -> None:
        """Send, and forget."""
        for _ in range(count):
            self.attempt(
                lambda: self.cluster.app.send_task(
                    task, kwargs=arguments, queue=queue, retry=False, expires=expires, countdown=countdown_s, ignore_result=True
                )
            )

    def traffic(self, seconds: float, *queues: str, delay: float = 0.0) -> None:
        """A task that succeeds, to each of the queues, again and again until the scene ends."""

        def send() -> None:
            for queue in queues:
                self.send("demo.ok", queue, delay=delay)

        self.every(seconds, send)

    def attempt(self, call: Callable[[], object]) -> None:
        """Call it; a broker that is away or refuses is part of the scene."""
        with contextlib.suppress(Exception):
            call()

    def ask_redis(self, *command: str) -> None:
        """One command to the broker, as an operator gives it."""
        with redis.Redis(host=LOOPBACK, port=self.cluster.redis_port, socket_timeout=5.0) as connection:
            connection.execute_command(*command)

    def every(self, seconds: float, call: Callable[[], None]) -> None:
        """Call again and again until the scene ends."""

        def run() -> None:
            while not self._closing.wait(seconds):
                call()

        thread = threading.Thread(target=run, name="traffic")
        thread.start()
        self._threads.append(thread)

    def check(self, what: str, right: tuple[int, ...], *args: str) -> None:
        """`watchdog check --once`, and the exit codes that are right now."""
        at = self.now
        done = watchdog_process("check", "--once", *args, cwd=self.folder)
        self.looks.append(Look(at, what, done.returncode, right))
        with (self.folder / "checks.log").open("a") as log:
            log.write(f"{self.looks[-1]}\n{done.stdout}{done.stderr}\n")

    def _stop_daemon(self) -> None:
        if self._daemon is not None:
            self._daemon.process.terminate()
            try:
                self._daemon.process.wait(15)
            except subprocess.TimeoutExpired:
                self._daemon.process.kill()

    def replayed_otherwise(self) -> list[str]:
        """End the daemon, and replay what it recorded: what the same rules would have sent otherwise, which is nothing."""
        self._stop_daemon()
        done = watchdog_process("rules", "replay", "--format", "json", cwd=self.folder)
        (self.folder / "replay.json").write_text(done.stdout + done.stderr)
        if done.returncode not in (0, 1):
            return [f"a replay ended with {done.returncode}: {done.stderr.strip()[:300]}"]
        pairs = json.loads(done.stdout)["incidents"]
        return [
            f"a replay differs: {one['difference']} {one['rule']}[{','.join(one['key'].values())}] {one['why']}"
            for one in pairs
            if one["difference"] != "same"
        ]

    def told(self) -> list[Told]:
        """What the receiver got so far, one entry an event, in order."""
        entries: list[Told] = []
        for request in self._receiver.requests:
            for incident in json.loads(request.body)["data"]["incidents"]:
                key = ",".join(str(value) for value in incident["key"].values())
                entries.append(Told(request.at - self._began_at, incident["event"], incident["rule"], key, incident["summary"]))
        return entries
