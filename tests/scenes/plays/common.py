"""What several scenes share: little clusters to start from, and which rules report that a worker is gone."""

from tests.scenes.lab import Lab

__all__ = ["GONE", "one_worker", "two_workers"]

GONE = ("WorkerLost", "HostLost", "WorkersLost", "NoWorkersOnline", "EveryWorkerLost", "WorkersBelowMinimum")


def one_worker(lab: Lab) -> None:
    """`main` on the queue `celery`, one process."""
    lab.cluster.start_worker("main", ["celery"])


def two_workers(lab: Lab) -> None:
    """That, and `other` on a queue of its own."""
    one_worker(lab)
    lab.cluster.start_worker("other", ["other"])
