"""What several scenes share: little clusters to start from, names of pods, which rules report that a worker is gone, and when a group is
notified of more."""

from tests.scenes.lab import Lab

__all__ = ["GONE", "JOINS_S", "SUFFIX", "one_worker", "two_workers", "web"]

GONE = ("WorkerLost", "HostLost", "WorkersLost", "NoWorkersOnline", "EveryWorkerLost", "WorkersBelowMinimum")
JOINS_S = 60
"""The default `group_interval`: what joins a group whose message was just sent waits as long for the next one."""

SUFFIX = "bcdfghjklmnpqrstvwxz2456789"
"""The letters of Kubernetes' pod names."""


def web(release: str, suffix: str) -> str:
    """The name of a pod."""
    return f"web-{release}-{suffix}"


def one_worker(lab: Lab) -> None:
    """`main` on the queue `celery`, one process."""
    lab.cluster.start_worker("main", ["celery"])


def two_workers(lab: Lab) -> None:
    """That, and `other` on a queue of its own."""
    one_worker(lab)
    lab.cluster.start_worker("other", ["other"])
