"""The cluster of a scene: Redis or RabbitMQ, workers with the scenes' tasks, beats, Flower; each a process of its own, on loopback."""

import contextlib
import json
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

from celery import Celery

from tests.scenes.tasks import make_scene_app
from watchdog.demo.cluster import Cluster
from watchdog.demo.processes import LOOPBACK, Process
from watchdog.demo.redis_server import redis_server

__all__ = ["SceneCluster"]


class SceneCluster(Cluster):
    """A demo cluster whose workers run the scenes' tasks, on the broker and the database of Redis that the scene wants.

    `python` runs the workers, beat and clients: that of an environment that has what the scene's tasks and pools need.
    """

    def __init__(
        self,
        workdir: Path,
        environment: Mapping[str, str],
        *,
        database: int = 0,
        python: Path | None = None,
        flower_python: Path | None = None,
    ) -> None:
        super().__init__(workdir, environment=environment, flower_python=flower_python)
        self._database = database
        self._python = str(python or sys.executable)
        self._sender: Celery | None = None
        self._others: list[Process] = []
        self._beat: Process | None = None

    @property
    def redis_url(self) -> str:
        return f"redis://127.0.0.1:{self.redis_port}/{self._database}"

    @property
    def app(self) -> Celery:
        if self._sender is None:
            self._sender = make_scene_app(self._environment())
        return self._sender

    def start_beat(self, schedule: Mapping[str, object], name: str = "beat") -> None:
        """Celery's scheduler, with this schedule; another one under another name."""
        options = ("-s", str(self.workdir / f"{name}-schedule"), "--pidfile=")
        self._beat = Process(name, self._celery("beat", *options), self.workdir, self._environment(self.with_beat_schedule(schedule)))
        self._others.append(self._beat)

    def with_beat_schedule(self, schedule: Mapping[str, object]) -> dict[str, str]:
        """The environment of a worker or a beat that has this schedule."""
        return {"SCENE_CONF": json.dumps({**json.loads(self._environment()["SCENE_CONF"]), "beat_schedule": schedule})}

    def signal_beat(self, sig: signal.Signals) -> None:
        """Send it a signal."""
        if self._beat is not None:
            self._beat.send(sig)

    def kill_beat(self) -> None:
        """End it with SIGKILL."""
        if self._beat is not None:
            self._beat.end()

    def start_client(self, module: str, *args: str) -> None:
        """A module of ours that sends tasks, in a process of its own."""
        self._others.append(Process(module.rpartition(".")[2], [self._python, "-m", module, *args], self.workdir, self._environment()))

    def start_second_redis(self, port: int) -> None:
        """An empty Redis beside the broker."""
        command = [str(redis_server()[0]), "--port", str(port), "--bind", LOOPBACK, "--save", "", "--dir", str(self.workdir)]
        self._others.append(Process("second-redis", command, self.workdir, self._environment()))

    def close(self) -> None:
        for other in self._others:
            other.end()
        super().close()
        if self._sender is not None:
            with contextlib.suppress(Exception):  # its sockets lead nowhere now
                self._sender.close()

    def _celery(self, command: str, *options: str, python: str = "") -> list[str]:
        return [python or self._python, "-m", "celery", "-A", "tests.scenes.tasks", command, *options]
