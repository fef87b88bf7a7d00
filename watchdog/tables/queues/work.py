"""What is done with the messages of each queue: tasks in execution, tasks worked off a minute, how long messages waited.

Input: a `Look`, the consumers of this poll. Output: cells, or the reasons of their gaps. Neither Flower nor a worker counts by queue. Where
a queue's consumers consume nothing else, what they do is done with its messages; else the tasks that Flower lists, or that were heard of,
show their queue.
"""

from collections import Counter
from collections.abc import Sequence

from watchdog.core.model.demand import NOT_READ
from watchdog.core.model.gaps import Gap
from watchdog.core.model.history import second_look_needed
from watchdog.core.model.queries import STARTED_TASKS
from watchdog.core.model.replies import TaskSeen
from watchdog.core.model.rows import Cell, Look, Reading
from watchdog.tables.queues.consumers import Consumers
from watchdog.tables.queues.worked_off import WorkedOff, worked_off
from watchdog.tables.tasks.runtimes import BY_QUEUE, RUNTIMES

__all__ = ["OF_WORK", "QueueWork", "idle_work"]

OF_WORK = ("active", "wait_avg_s", "finished_per_min")
NOT_LISTED = "no success of a task from it is listed yet"
NONE_LISTED: Counter[str | None] = Counter()
SEVERAL = "{worker} consumes several queues, and of what it executes now it is not known which it came from"


def idle_work(look: Look) -> dict[str, str]:
    """Return column -> why nothing fills it in this poll."""
    demand = look.demand
    if not (demand.history or demand.wants("tasks", *RUNTIMES) or demand.wants("queues", *BY_QUEUE)):
        return dict.fromkeys(BY_QUEUE, NOT_READ)
    if look.target.without_tasks:  # what workers of one queue took is known all the same
        return second_look_needed(look, "finished_per_min") | {"wait_avg_s": look.target.without_tasks}
    tasks = look.before.get("tasks")
    return {column: f"{column} needs a second poll" for column in BY_QUEUE} if tasks is not None and "per_min" in tasks.idle else {}


class QueueWork:
    """One poll's evidence about what is done with messages."""

    def __init__(self, look: Look, consumers: Consumers) -> None:
        self._look, self._consumers = look, consumers
        consumed = Counter([name for names in consumers.by_queue.values() for name in names])
        self._of_several = {name for name, queues in consumed.items() if queues > 1}
        self._worked_off: WorkedOff = worked_off(look.before.get("tasks", Reading(unread="flower: not queried")), look.now, look.window_s)
        self._listed = _listed(look) if any(consumers.active.get(name) for name in self._of_several) else {}
        self._workers = {str(row.cells["name"]): row for row in look.before.get("workers", Reading()).rows}

    def fill(self, queue: str, cells: dict[str, Cell], gaps: dict[str, str]) -> None:
        """Fill the cells of a queue, or the reasons why there are none. Written in place, because each cycle reads a thousand queues."""
        consumers = self._consumers
        names, unknown = consumers.by_queue.get(queue, ()), consumers.unknown or consumers.perhaps.get(queue)
        if unknown is not None:
            gaps["active"] = gaps["finished_per_min"] = unknown
            rate: float | None = None
        else:
            self._active(queue, names, cells, gaps)
            rate = self._rate(queue, names, cells, gaps)
        worked = self._worked_off
        if worked.why_waits or (queue not in worked.wait_avg_s and rate != 0):
            gaps["wait_avg_s"] = worked.why_waits or worked.why_rates or NOT_LISTED
        else:
            cells["wait_avg_s"] = worked.wait_avg_s.get(queue, 0.0)

    def _active(self, queue: str, names: Sequence[str], cells: dict[str, Cell], gaps: dict[str, str]) -> None:
        """Fill how many of its tasks are executed now."""
        found = 0.0
        for name in names:
            active = self._consumers.active.get(name)
            if active is None or name in self._consumers.silent:
                gaps["active"] = f"{name}: {self._consumers.silent.get(name, 'it does not say')}"
                return
            if active == 0 or name not in self._of_several:
                found += active
                continue
            listed = self._listed.get(name, NONE_LISTED)
            if None in listed or listed.total() != active:
                gaps["active"] = SEVERAL.format(worker=name)
                return
            found += listed[queue]
        cells["active"] = found

    def _rate(self, queue: str, names: Sequence[str], cells: dict[str, Cell], gaps: dict[str, str]) -> float | None:
        """Fill how many tasks from it finished a minute: what its consumers took, if they consume nothing else; else what is listed."""
        found: float | None = 0.0
        if not names or not self._of_several.isdisjoint(names):
            why = self._worked_off.why_rates
            found = None if why else self._worked_off.per_min.get(queue, 0.0)
        else:
            why = ""
            for row in [self._workers[name] for name in names]:
                rate = row.cells.get("processed_per_min")
                if not isinstance(rate, float):
                    found, why = None, row.gaps.get("processed_per_min", f"{row.cells['name']}: it does not say")
                    break
                found = (found or 0.0) + rate
        if found is None:
            gaps["finished_per_min"] = why
        else:
            cells["finished_per_min"] = found
        return found


def _listed(look: Look) -> dict[str, Counter[str | None]]:
    """Return worker -> the queues of the tasks that Flower lists as started on it, as often as they occur."""
    listed = look.replies.get(STARTED_TASKS, tuple[TaskSeen, ...])
    found: dict[str, Counter[str | None]] = {}
    for task in () if isinstance(listed, Gap) else listed:
        if task.worker is not None:
            found.setdefault(task.worker, Counter())[task.routing_key] += 1
    return found
