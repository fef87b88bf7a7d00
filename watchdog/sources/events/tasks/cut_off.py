"""Tasks that were cut off from their worker: `task-cancelled`, after a cold shutdown or where a connection was lost.

In: the runs, and what their workers say later. Out: those that have not come again. With `acks_late` the message of such a task comes
again; otherwise it is lost, and the event does not say which. Once its worker works again, what it was cut off from is forgotten.
"""

from collections.abc import Iterable, Iterator, Mapping, Set

from watchdog.sources.events.tasks.run import Run

__all__ = ["CutOffs"]

BACK_S = 10.0
"""A worker that says so much later that it executes nothing is not the one that is stopping."""


class CutOffs:
    """The last `most` of them."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._runs: dict[str, Run] = {}
        self._of_worker: dict[str, set[str]] = {}

    def __contains__(self, task_id: object) -> bool:
        return task_id in self._runs

    def __iter__(self) -> Iterator[str]:
        return iter(self._runs)

    def runs(self) -> Iterable[Run]:
        """Return all of them."""
        return self._runs.values()

    def add(self, run: Run) -> None:
        """Add one as the last; the first one goes if there are too many."""
        self._runs[run.id] = run
        self._of_worker.setdefault(run.worker or "", set()).add(run.id)
        if len(self._runs) > self._most:
            self.take(next(iter(self._runs)))

    def take(self, task_id: str) -> Run | None:
        """Return one that is heard of again, and keep it no longer."""
        run = self._runs.pop(task_id, None)
        if run is not None:
            ids = self._of_worker[run.worker or ""]
            ids.discard(task_id)
            if not ids:
                del self._of_worker[run.worker or ""]
        return run

    def works(self, worker: str) -> None:
        """This worker has started a task: it is back."""
        for task_id in self._of_worker.pop(worker, ()):
            del self._runs[task_id]

    def idle(self, workers: Mapping[str, float]) -> None:
        """These workers said, at this time by their clocks, that they execute nothing."""
        for worker in self._of_worker.keys() & workers.keys():
            if all((self._runs[task_id].cancelled or 0.0) < workers[worker] - BACK_S for task_id in self._of_worker[worker]):
                self.works(worker)

    def count(self, but: Set[str]) -> dict[str, int]:
        """Return worker -> how many, without these tasks."""
        counted = {worker: len(ids - but) for worker, ids in self._of_worker.items() if worker}
        return {worker: count for worker, count in counted.items() if count}
