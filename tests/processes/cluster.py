"""The demo's cluster for tests, which start hundreds of workers: its workers and its Flower are forked where they can be."""

import contextlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.processes.forked import Forked, can_be_forked
from tests.servers.waiting import until
from watchdog.demo.cluster import Cluster as ClusterOfDemo
from watchdog.demo.processes import Child, Process

__all__ = ["Cluster", "ForkedProcess"]

READY_S = 10.0


class ForkedProcess(Process):
    """The same kind of process, without a start of Python; a program that cannot be forked is started as usual."""

    def _started(self, command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> Child:
        if not can_be_forked(command, environment):
            return super()._started(command, folder, environment)
        return Forked(command, folder, environment, self.log, leads_session=True)


class Cluster(ClusterOfDemo):
    """Use it like the demo's. Forked workers and a forked Flower would start at once, and Flower inspect what does not answer yet."""

    def start_flower(self, *args: str, port: int | None = None, environment: Mapping[str, str] | None = None) -> Process:
        """Start Flower once all workers are ready, as far as they become so soon."""
        with contextlib.suppress(AssertionError):
            until(self._workers_are_ready, READY_S, "all workers to be ready")
        return super().start_flower(*args, port=port, environment=environment)

    def _workers_are_ready(self) -> bool:
        return all(" ready." in worker.log.read_text(errors="replace") for worker in self.workers.values() if worker.running)

    def _process(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> Process:
        return ForkedProcess(name, command, self.workdir, environment)
