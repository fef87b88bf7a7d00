"""What became of the messages of each queue: how many were worked off, and how long they had waited.

Tasks are counted by name, not by queue. Input: the reading of `tasks`, with the runs that were heard or, in its memory, that Flower lists,
and their queues, as far as their senders report them (task_send_sent_event). Output: queue -> figures over the window, or why not.
"""

from collections import Counter
from collections.abc import Iterator, Mapping

from msgspec import Struct, field

from watchdog.core.model.rows import Reading
from watchdog.core.model.servers.timings import Timing
from watchdog.tables.tasks.counters import TaskCounters
from watchdog.tables.tasks.names import NAMELESS
from watchdog.tables.tasks.runtimes import TimedTask

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
    rates, waits = dict[str, float](), dict[str, tuple[int, float]]()
    why_rates = why_waits = ""
    for row in tasks.rows:
        name, per_min = str(row.cells["name"]), row.cells.get("per_min")
        timed = memory.runtimes.get(name)
        counted = Counter[str | None]()
        for queue, runs, waited, seconds in _came(tasks.timings.get(name, Timing()), timed, now - window_s):
            counted[queue] += runs
            if queue is not None and waited:
                before, before_s = waits.get(queue, (0, 0.0))
                waits[queue] = before + waited, before_s + seconds
        if per_min == 0:
            continue
        counted.update(failure.queue for failure in memory.failures.of(name) if now - failure.at <= window_s)
        shares, why = _shares(name, counted)
        why = why if isinstance(per_min, float) else row.gaps.get("per_min", why)
        why_rates, why_waits = why_rates or why, why_waits or (timed.gap if timed is not None else "")
        for queue, share in shares.items():
            rates[queue] = rates.get(queue, 0.0) + share * (per_min if isinstance(per_min, float) else 0.0)
    averages = {queue: seconds / waited for queue, (waited, seconds) in waits.items()}
    return WorkedOff({} if why_rates else rates, averages, why_rates, why_waits)


def _came(heard: Timing, timed: TimedTask | None, since: float) -> Iterator[tuple[str | None, int, int, float]]:
    """Yield (queue, runs, how many of their waits are known, and the sum of these): of what was heard, and of each run that is listed."""
    for part in heard.came:
        yield part.queue, part.count, part.waits.count, part.waits.total_s
    for run, (queue, waited_s) in zip(timed.runs, timed.came, strict=False) if timed is not None else ():
        if run[0] >= since:
            yield queue, 1, int(waited_s is not None), waited_s or 0.0


def _shares(task: str, counted: Counter[str | None]) -> tuple[dict[str, float], str]:
    """Return queue -> its share of a task's runs; or why that is not known."""
    if not counted or task == NAMELESS:
        return {}, NOT_LISTED.format(task=task)
    if None in counted:
        return {}, NOT_SENT.format(task=task)
    return {queue: count / counted.total() for queue, count in counted.items() if queue is not None}, ""
