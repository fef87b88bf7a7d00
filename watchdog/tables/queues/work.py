"""What is done with the messages of each queue: tasks in execution, tasks worked off a minute, how long messages waited.

Input: a `Look`, the consumers of this poll. Output: cells, or the reasons of their gaps. Neither Flower nor a worker counts by queue. Where
a queue's consumers consume nothing else, what they do is done with its messages; else the tasks that Flower lists show their queue.
"""

from collections import Counter

from watchdog.core.model.demand import NOT_READ
from watchdog.core.model.gaps import Gap
from watchdog.core.model.queries import STARTED_TASKS
from watchdog.core.model.replies import TaskSeen
from watchdog.core.model.rows import Cell, Look, Reading
from watchdog.tables.queues.consumers import Consumers
from watchdog.tables.queues.worked_off import WorkedOff, worked_off
from watchdog.tables.tasks.runtimes import BY_QUEUE, RUNTIMES

__all__ = ["OF_WORK", "QueueWork", "idle_work"]

OF_WORK = ("active", "wait_avg_s", "finished_per_min")
NOT_LISTED = "flower: lists no success of a task from it yet"
SEVERAL = "flower: {worker} consumes several queues, and of what it executes now it is not known which it came from"


def idle_work(look: Look) -> dict[str, str]:
    """Return column -> why nothing fills it in this poll."""
    demand = look.demand
    if not (demand.history or demand.wants("tasks", *RUNTIMES) or demand.wants("queues", *BY_QUEUE)):
        return dict.fromkeys(BY_QUEUE, NOT_READ)
    tasks = look.before.get("tasks")
    return {column: f"{column} needs a second poll" for column in BY_QUEUE} if tasks is not None and "per_min" in tasks.idle else {}


class QueueWork:
    """One poll's evidence about what is done with messages."""

    def __init__(self, look: Look, consumers: Consumers) -> None:
        self._look, self._consumers = look, consumers
        self._consumes = Counter(name for names in consumers.by_queue.values() for name in names)
        self._worked_off: WorkedOff = worked_off(look.before.get("tasks", Reading(unread="flower: not queried")), look.now, look.window_s)
        self._listed = _listed(look) if any(active and self._consumes[name] > 1 for name, active in consumers.active.items()) else {}
        self._workers = {str(row.cells["name"]): row for row in look.before.get("workers", Reading()).rows}

    def cells(self, queue: str) -> dict[str, tuple[Cell, str]]:
        """Return column -> (value, or why there is none)."""
        active = self._active(queue)
        if isinstance(active, Gap):
            return {"active": (None, active.reason), **self._of_window(queue)}
        return {"active": (active, ""), **self._of_window(queue)}

    def _active(self, queue: str) -> float | Gap:
        """Return how many of its tasks are executed now."""
        taken = self._consumers.taken(queue)
        if isinstance(taken, Gap):
            return taken
        found = 0.0
        for name in self._consumers.by_queue.get(queue, ()):
            active = self._consumers.active[name]
            if active == 0 or self._consumes[name] == 1:
                found += active
                continue
            listed = self._listed.get(name, Counter())
            if None in listed or listed.total() != active:
                return Gap(SEVERAL.format(worker=name))
            found += listed[queue]
        return found

    def _of_window(self, queue: str) -> dict[str, tuple[Cell, str]]:
        worked, rate = self._worked_off, self._rate(queue)
        found = {"finished_per_min": (None, rate.reason) if isinstance(rate, Gap) else (rate, "")}
        if worked.why_waits or (queue not in worked.wait_avg_s and rate != 0):
            return {**found, "wait_avg_s": (None, worked.why_waits or worked.why_rates or NOT_LISTED)}
        return {**found, "wait_avg_s": (worked.wait_avg_s.get(queue, 0.0), "")}

    def _rate(self, queue: str) -> float | Gap:
        """Return how many tasks from it finished a minute: what its consumers took, if they consume nothing else; else what is listed."""
        count, names = self._consumers.count(queue), self._consumers.by_queue.get(queue, ())
        if isinstance(count, Gap):
            return count
        if not names or any(self._consumes[name] > 1 for name in names):
            why = self._worked_off.why_rates
            return Gap(why) if why else self._worked_off.per_min.get(queue, 0.0)
        found = 0.0
        for row in (self._workers[name] for name in names):
            rate = row.cells.get("processed_per_min")
            if not isinstance(rate, float):
                return Gap(row.gaps.get("processed_per_min", "flower: not queried"))
            found += rate
        return found


def _listed(look: Look) -> dict[str, Counter[str | None]]:
    """Return worker -> the queues of the tasks that Flower lists as started on it, as often as they occur."""
    listed = look.replies.get(STARTED_TASKS, tuple[TaskSeen, ...])
    found: dict[str, Counter[str | None]] = {}
    for task in () if isinstance(listed, Gap) else listed:
        if task.worker is not None:
            found.setdefault(task.worker, Counter())[task.routing_key] += 1
    return found
