"""What tasks did before the first poll, from Flower's list of its last tasks, as far back as it reaches.

Counters say nothing until they are read twice; a list does at once. Input: the list, the counters, the target, the current time. Output:
slices of 10 s, oldest first, which count like the differences of later polls; and a sentence that says how far they reach. They are a lower
bound: for a task retried several times only the last retry is listed.
"""

from collections.abc import Iterable
from math import ceil

from msgspec import Struct

from watchdog.core.model.gaps import Gap
from watchdog.core.model.queries import RecentTasks
from watchdog.core.model.replies import EventCounters, TaskSeen
from watchdog.core.model.rows import Look, Sample
from watchdog.core.model.target import Target, covers
from watchdog.core.text.durations import format_duration
from watchdog.tables.tasks.names import filed_name

__all__ = ["COUNTED", "EVENTS", "RECENT", "SPAN", "Earlier", "earlier_now", "span_of", "still_of_use"]

RECENT = RecentTasks()
COUNTED = ("received", "started", "succeeded", "failed", "retried", "revoked", "rejected")
"""The events that Flower counts."""
EVENTS = (*COUNTED, "expired", "redelivered")
"""What a sample holds of a task, in this order. Add new ones at the end, because samples outlive a release."""
SPAN = ""
"""The sample key that holds how many seconds a sample covers."""
SLICE_S = 10.0
LONGEST_S = 3600.0


class Earlier(Struct, frozen=True):
    """The slices, and a note about them."""

    slices: tuple[Sample, ...] = ()
    note: str = ""


def earlier_now(look: Look, counters: EventCounters) -> tuple[Earlier, str]:
    """Return what happened before a first poll; or why that is unknown although it was queried."""
    listed = look.replies.get(RECENT, tuple[TaskSeen, ...])
    if isinstance(listed, Gap):
        return Earlier(), listed.reason if look.replies.asked(RECENT) else ""
    return earlier_of(listed, counters, look.target, look.now), ""


def earlier_of(listed: tuple[TaskSeen, ...], counters: EventCounters, target: Target, now: float) -> Earlier:
    """Return what the target's workers did until now; nothing if the list proves nothing."""
    since, why = _since(listed, counters)
    if since is None or since >= now:
        return Earlier()
    since = max(since, now - LONGEST_S)
    spans = [min(SLICE_S, now - since - SLICE_S * nth) for nth in range(ceil((now - since) / SLICE_S))]
    counted: list[dict[str, list[float]]] = [{} for _ in spans]
    for task in listed:
        if not covers(task.worker, target.workers):
            continue
        for nth, at in enumerate(_times(task)):
            if at is not None and at >= since:
                slice_ = counted[min(max(int((now - at) // SLICE_S), 0), len(spans) - 1)]  # a clock ahead of ours counts as now
                slice_.setdefault(filed_name(task), [0.0] * len(EVENTS))[nth] += 1
    slices = [
        Sample(now - SLICE_S * nth, {SPAN: (span,), **{name: tuple(numbers) for name, numbers in counted[nth].items()}})
        for nth, span in enumerate(spans)
    ]
    return Earlier(
        tuple(reversed(slices)), f"counted from Flower's list of tasks, over the last {format_duration(round(now - since))}{why}"
    )


def span_of(sample: Sample) -> float:
    """Return how many seconds a sample covers."""
    return sample.values.get(SPAN, (0.0,))[0] or 0.0


def still_of_use(slices: Iterable[Sample], now: float) -> tuple[Sample, ...]:
    """Return the samples that a window may still reach."""
    return tuple(s for s in slices if 0 <= now - s.at <= LONGEST_S)


def _since(listed: tuple[TaskSeen, ...], counters: EventCounters) -> tuple[float | None, str]:
    """Return since when the list holds every event that Flower heard, and why not for longer; None: unknown."""
    times = [task.timestamp for task in listed if task.timestamp is not None]
    if len(listed) >= RECENT.limit:
        return max(times[-1] if times else 0.0, counters.started_at or 0.0) or None, f" (its last {len(listed)} tasks)"
    if counters.started_at is None or _is_short(listed, counters):
        return max(min(times, default=0.0), counters.started_at or 0.0) if times else None, " (it keeps no more tasks)"
    return counters.started_at, ""


def _is_short(listed: tuple[TaskSeen, ...], counters: EventCounters) -> bool:
    """Whether Flower has counted more ends of tasks than it lists: `--max_tasks` is reached. (Other events occur repeatedly per task.)"""
    ended = sum(count for _, _, event, count in counters.each() if event in ("succeeded", "failed"))
    return ended > sum((task.succeeded is not None) + (task.failed is not None) for task in listed)


def _times(task: TaskSeen) -> tuple[float | None, ...]:
    """Return when each of `EVENTS` last happened to it."""
    expired = task.revoked if task.expired else None
    return task.received, task.started, task.succeeded, task.failed, task.retried, task.revoked, None, expired
