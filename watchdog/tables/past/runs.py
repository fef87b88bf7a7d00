"""Runs that were not listed before: where Flower alone tells, it lists the last hundred of a task again and again.

In: the lists that `tasks` remembers, and when the runs ended that were listed last. Out: the new ones.
"""

from collections.abc import Mapping

from watchdog.tables.tasks.runtimes import Arrival, Run, TimedTask

__all__ = ["Ended", "ended_now", "new_runs"]

Ended = Mapping[str, frozenset[float]]
"""Task -> when the runs ended that were listed last (epoch seconds)."""
NOTHING = frozenset[float]()


def new_runs(timed: TimedTask, task: str, before: Ended, since: float) -> list[tuple[Run, Arrival]]:
    """Return the runs that were not listed before, and ended since somebody counts."""
    listed = before.get(task, NOTHING)
    return [(run, came) for run, came in zip(timed.runs, timed.came, strict=False) if run[0] not in listed and run[0] >= since]


def ended_now(runtimes: Mapping[str, TimedTask], before: Ended) -> dict[str, frozenset[float]]:
    """Return what is listed now; of a list that was not answered, what was listed before."""
    return {task: before.get(task, NOTHING) if timed.gap else frozenset(run[0] for run in timed.runs) for task, timed in runtimes.items()}
