"""What is answered of tasks: the queries that Flower would be asked, from the tasks that were heard of.

In: a query, the tasks. Out: the same kind of reply as Flower's; or, for who asks Flower as well, what was heard since the connection was
opened: of what happened while it was not, Flower knows more.
"""

from watchdog.core.model.gaps import Gap
from watchdog.core.model.queries import (
    FailedTasks,
    Query,
    ReadEventCounters,
    RecentTasks,
    RevokedTasks,
    RunningTasks,
    SucceededTasks,
    WorkersTasks,
)
from watchdog.core.model.servers.heard import CountHeard, CutOff, Heard, ListHeard, SentTimes
from watchdog.core.model.servers.timings import TimeRuns
from watchdog.sources.events.tasks.runs import Runs

__all__ = ["answer"]


def answer(query: Query, runs: Runs) -> object:
    """Return the reply; a gap for a query that events do not answer."""
    match query:
        case ReadEventCounters():
            return runs.counters()
        case RunningTasks(limit):
            return runs.started(limit)
        case FailedTasks(limit):
            return runs.failed(limit)
        case RevokedTasks(limit):
            return runs.revoked(limit)
        case SucceededTasks(task, limit):
            return runs.succeeded(task, limit)
        case WorkersTasks(worker, limit):
            return runs.of_worker(worker, limit)
        case RecentTasks(limit):
            return runs.recent(limit)
    return _its_own(query, runs)


def _its_own(query: Query, runs: Runs) -> object:
    """What Flower cannot be asked."""
    match query:
        case CountHeard():
            return runs.counters()
        case SentTimes(tasks):
            return runs.sent(tasks)
        case CutOff():
            return runs.cut_off()
        case TimeRuns(reader, workers, after):
            return runs.timings.read(reader, after, workers)
        case ListHeard():
            return _heard(query, runs)
    return Gap(f"events: do not answer the question {type(query).__name__}")


def _heard(query: ListHeard, runs: Runs) -> object:
    wanted = query.wanted
    listed = runs.started(wanted.limit, anew=True) if isinstance(wanted, RunningTasks) else answer(wanted, runs)
    if isinstance(listed, Gap) or not isinstance(listed, tuple):
        return Gap(f"events: do not answer the question {type(wanted).__name__}")
    return Heard(tuple(task for task in listed if runs.is_anew(task.id)), runs.over(query.among))
