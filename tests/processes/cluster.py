"""The demo's cluster for tests, which start hundreds of workers: its workers and its Flower are forked where they can be."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.processes.forked import Forked, can_be_forked
from watchdog.demo.cluster import Cluster as ClusterOfDemo
from watchdog.demo.processes import Child, Process

__all__ = ["Cluster", "ForkedProcess"]


class ForkedProcess(Process):
    """The same kind of process, without a start of Python; a program that cannot be forked is started as usual."""

    def _started(self, command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> Child:
        if not can_be_forked(command, environment):
            return super()._started(command, folder, environment)
        return Forked(command, folder, environment, self.log, leads_session=True)


class Cluster(ClusterOfDemo):
    """Use it like the demo's."""

    def _process(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> Process:
        return ForkedProcess(name, command, self.workdir, environment)
