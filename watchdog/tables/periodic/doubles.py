"""Whether two beats run: each then sends every task, so that it comes twice at each of its times, for minutes.

In: a task's last successes as Flower lists them, and its schedule. Out: whether its runs are explained by two senders, and by nothing less.
A retry keeps its id and is no second run. What application code sends besides fits no second rhythm; what two beats send during a deploy
ends within 5 minutes. Two beats send everything twice, so that the few tasks that run most often are enough to look at.
"""

from collections.abc import Iterable, Sequence
from math import ceil

from watchdog.core.model.replies import TaskSeen
from watchdog.core.model.schedules.periodic import PeriodicTask
from watchdog.core.model.schedules.schedule import Schedule

__all__ = ["ASK_EVERY_S", "candidates", "sent_twice"]

SHORTEST_S = 10.0
"""Of what runs more often, Flower's list of 100 does not reach back far enough."""
LONG_ENOUGH_S = 300.0
TIMES = 6
CRON_TIMES = 3
CANDIDATES = 3
ASK_EVERY_S = 30.0
MOST_TIMES = 200
EARLY_S, LATE_S = 2.0, 10.0
"""Around the time of a cron, in which what beats send is received."""
SEEN_LATE_S = 30.0
"""A run ends, and is listed, so much later."""


def candidates(planned: Iterable[tuple[PeriodicTask, Schedule | str]], now: float) -> list[tuple[str, Schedule]]:
    """Return the tasks to look at: those with a single entry that run most often."""
    of_task: dict[str, list[Schedule]] = {}
    for one, when in planned:
        of_task.setdefault(one.heard_as, []).extend([when] if isinstance(when, Schedule) else [])
    alone = [(task, whens[0]) for task, whens in of_task.items() if len(whens) == 1 and whens[0].at is None]
    periods = sorted((when.period_s(now), task, when) for task, when in alone) if alone else []
    return [(task, when) for period_s, task, when in periods if period_s >= SHORTEST_S][:CANDIDATES]


def sent_twice(schedule: Schedule, listed: Sequence[TaskSeen], now: float) -> bool:
    """Return whether these runs came twice at each of the last times, and at no other."""
    times = sorted(at for task in listed if not task.retries and not task.has_eta and (at := task.sent or task.received) is not None)
    if schedule.every_s is not None:
        return _in_two_rhythms(times, schedule.every_s, now)
    return _in_pairs(times, schedule, now)


def _in_two_rhythms(times: list[float], every_s: float, now: float) -> bool:
    """Whether two runs came in each of the last intervals, and each follows another by the interval."""
    if not times or now - times[-1] > 2 * every_s + LONG_ENOUGH_S:
        return False
    off_s = min(max(0.05 * every_s, 1.0), every_s / 8)
    counts = [0] * max(TIMES, ceil(LONG_ENOUGH_S / every_s))
    for at in times:
        nth = int((times[-1] + off_s - at) // every_s)
        if nth < len(counts):
            counts[nth] += 1
    recent = times[-sum(counts) :]
    return all(count == 2 for count in counts) and all(
        any(abs(at - every_s - before) <= off_s for before in recent) for at in recent if at > recent[0] + every_s + off_s
    )


def _in_pairs(times: list[float], schedule: Schedule, now: float) -> bool:
    """Whether two runs came at each of the last times of its cron, and none in between."""
    due = schedule.runs_between(times[0] - LATE_S, now - SEEN_LATE_S, MOST_TIMES) if times else []
    due = due[-max(CRON_TIMES, sum(at > now - LONG_ENOUGH_S for at in due)) :]
    if len(due) < CRON_TIMES:
        return False
    recent = [at for at in times if due[0] - EARLY_S <= at < now - SEEN_LATE_S]
    pairs = [sum(at - EARLY_S <= time <= at + LATE_S for time in recent) for at in due]
    return all(count == 2 for count in pairs) and len(recent) == 2 * len(due)
