"""What became of the messages of each queue: how many were worked off, and how long they had waited.

Tasks are counted by name, not by queue. Input: the reading of `tasks`, whose memory holds the last runs of each task with their queues,
as far as their senders report them (task_send_sent_event). Output: queue -> figures over the window; or why there are none.
"""

from collections import Counter
from collections.abc import Iterable, Mapping

from msgspec import Struct, field

from watchdog.core.model.rows import Reading
from watchdog.tables.tasks.counters import TaskCounters
from watchdog.tables.tasks.names import NAMELESS

__all__ = ["WorkedOff", "worked_off"]

NOT_SENT = "of some runs of {task} nobody reported the queue: task_send_sent_event is off, or they were sent before anybody listened"
NOT_LISTED = "no run of {task} within the window is listed yet"


class WorkedOff(Struct, frozen=True):
    """Figures over the window. `why_rates`, `why_waits`: why they are unknown; if empty, that of a queue without any is 0."""

    per_min: Mapping[str, float] = field(default_factory=dict)
    wait_avg_s: Mapping[str, float] = field(default_factory=dict)
    why_rates: str = ""
    why_waits: str = ""


def worked_off(tasks: Reading, now: float, window_s: float) -> WorkedOff:
    """Return the figures of every queue from which something was worked off within the window."""
    memory = tasks.memory if isinstance(tasks.memory, TaskCounters) else TaskCounters()
    unread = tasks.unread or tasks.idle.get("per_min") or tasks.missing
    if unread:
        return WorkedOff(why_rates=unread, why_waits=unread)
    rates, waits = dict[str, float](), dict[str, list[float]]()
    why_rates = why_waits = ""
    for row in tasks.rows:
        name, per_min = str(row.cells["name"]), row.cells.get("per_min")
        timed = memory.runtimes.get(name)
        came = [came for run, came in zip(timed.runs, timed.came, strict=False) if now - run[0] <= window_s] if timed is not None else []
        for queue, waited_s in came:
            if queue is not None and waited_s is not None:
                waits.setdefault(queue, []).append(waited_s)
        if per_min == 0:
            continue
        failed = [failure.queue for failure in memory.failures.of(name) if now - failure.at <= window_s]
        shares, why = _shares(name, [queue for queue, _ in came] + failed)
        why = why if isinstance(per_min, float) else row.gaps.get("per_min", why)
        why_rates, why_waits = why_rates or why, why_waits or (timed.gap if timed is not None else "")
        for queue, share in shares.items():
            rates[queue] = rates.get(queue, 0.0) + share * (per_min if isinstance(per_min, float) else 0.0)
    averages = {queue: sum(found) / len(found) for queue, found in waits.items()}
    return WorkedOff({} if why_rates else rates, averages, why_rates, why_waits)


def _shares(task: str, queues: Iterable[str | None]) -> tuple[dict[str, float], str]:
    """Return queue -> its share of a task's runs; or why that is not known."""
    counted = Counter(queues)
    if not counted or task == NAMELESS:
        return {}, NOT_LISTED.format(task=task)
    if None in counted:
        return {}, NOT_SENT.format(task=task)
    return {queue: count / counted.total() for queue, count in counted.items() if queue is not None}, ""
