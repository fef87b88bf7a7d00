"""Whether a scheduler still sends: how many runs were due since any of its tasks was last seen.

In: its tasks with their schedules, and when each was last seen. Out: the last sign, and the runs due since. Only runs that are half a
minute apart count; a message that waits in a queue proves nothing, so that time with a backlog counts as a sign.
"""

from collections.abc import Iterable

from msgspec.structs import replace

from watchdog.core.model.rows import Look
from watchdog.core.model.schedules.periodic import PeriodicTask
from watchdog.core.model.schedules.schedule import Schedule

__all__ = ["backlog", "last_sign", "missed_runs"]

SLACK_S = 30.0
"""A run may be seen so late: counters are read every 15 s, and a message takes its time. So close, two runs are one."""
MOST_MISSED = 10


def last_sign(times: Iterable[float | None], now: float) -> float | None:
    """Return the last time at which a task was seen (epoch seconds); None: never. One that lies ahead is by a clock that proves nothing."""
    return max((at for at in times if at is not None and at <= now + SLACK_S), default=None)


def missed_runs(schedules: Iterable[tuple[Schedule, float | None]], sign_at: float, now: float) -> int:
    """Return how many runs were due since the last sign; `MOST_MISSED` stands for more.

    `schedules`: each with when its task was last seen, from which its intervals are counted. Runs within half a minute count as one.
    """
    until, times = now - SLACK_S, set[int]()
    for schedule, seen_at in schedules:
        every_s = schedule.every_s
        spread, after = schedule, sign_at
        if every_s is not None:
            spread, after = replace(schedule, every_s=max(every_s, SLACK_S)), _phase(every_s, seen_at, sign_at)
        times.update(int((at - sign_at) // SLACK_S) for at in spread.runs_between(after, until, MOST_MISSED) if at > sign_at)
    return min(len(times), MOST_MISSED)


def _phase(every_s: float, seen_at: float | None, sign_at: float) -> float:
    """The last time, not after the sign, at which it was due if it runs in step with when it was seen."""
    return sign_at if seen_at is None or seen_at > sign_at else sign_at - (sign_at - seen_at) % every_s


def backlog(tasks: Iterable[PeriodicTask], look: Look) -> bool | str:
    """Return whether messages wait in a queue that these may be in; or why that is unknown.

    An entry that names no queue may be in any: only its app knows how it is routed.
    """
    queues = look.before.get("queues")
    if queues is None or queues.unread is not None:
        return (queues.unread if queues is not None else None) or "the lengths of queues were not read"
    named = {one.queue for one in tasks}
    rows = [row for row in queues.rows if None in named or row.cells["name"] in named]
    if any((row.cells.get("length") or 0.0) > 0 for row in rows):  # type: ignore[operator]
        return True
    return next((row.gaps["length"] for row in rows if "length" in row.gaps), False)
