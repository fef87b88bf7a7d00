"""What happened to tasks since the last look, where two count: Flower, and watchdog itself by events.

Each span between two looks is counted by one of them: by events where they were heard throughout, else by Flower. Their totals are never
compared: they begin at different times, and Flower counts some failures twice. From Flower to events it changes at a look at which both
were read; from events to Flower, what events have said since Flower was last read is not counted again.

In: what is remembered, and the counters of both. Out: what rose, and what to remember. Pure.
"""

from collections.abc import Mapping

from msgspec import Struct, field
from msgspec.structs import replace

from watchdog.core.model.replies import EventCounters, EventCounts

__all__ = ["Ours", "Rise", "after_nobody", "rise_of_both"]

NOTHING: EventCounts = {}


class Ours(Struct, frozen=True):
    """What events counted as of the last look. `since`: since when they are heard; None: they were not.

    `said`: what they counted since Flower's counters last changed. `told`: whether the last look was counted by them.
    `gap`: whether nobody counted for a while since Flower's counters last changed.
    """

    since: float | None = None
    counts: EventCounts = field(default_factory=dict)
    said: EventCounts = field(default_factory=dict)
    told: bool = False
    gap: bool = False

    def counts_on(self, heard: EventCounters | None) -> bool:
        """Whether events were heard without a break since the last look."""
        return heard is not None and self.since is not None and heard.started_at == self.since


class Rise(Struct, frozen=True):
    """Worker -> task -> event -> how often it happened since the last look.

    `turned`: another one counted the look before, or will count the next one.
    """

    counts: EventCounts
    ours: Ours
    turned: bool


def rise_of_both(before: EventCounters, ours: Ours, flower: EventCounters, heard: EventCounters | None, *, by_events: bool) -> Rise:
    """Return what rose. `before`: Flower's counters as last read; `flower`: as they are now, or the same if it does not answer."""
    began = before.started_at != flower.started_at
    moved = began or before.counts != flower.counts
    if heard is not None and by_events:
        rise: EventCounts = _rise(ours.counts, heard.counts)
        said = _plus(ours.said, rise)
        if moved and ours.gap:
            missed, _ = _without(_rise(NOTHING if began else before.counts, flower.counts), said)
            rise = _plus(rise, _without_failures(missed))
        kept = Ours(heard.started_at, heard.counts, NOTHING if moved else said, told=True, gap=ours.gap and not moved)
        return Rise(rise, kept, turned=not ours.told or ours.gap)
    rise, left = _without(_rise(NOTHING if began else before.counts, flower.counts), ours.said)
    said = left if not moved or (ours.told and not began) else NOTHING  # it may be late by one look
    return Rise(rise, _from_now_on(heard, said), turned=ours.told or heard is not None)


def after_nobody(ours: Ours, heard: EventCounters | None) -> Ours:
    """Return what to remember after a look at which Flower did not answer and events had not been heard before."""
    return replace(_from_now_on(heard, ours.said), told=ours.told, gap=True)


def _from_now_on(heard: EventCounters | None, said: EventCounts) -> Ours:
    return Ours(said=said) if heard is None else Ours(heard.started_at, heard.counts, said)


def _without_failures(counts: EventCounts) -> EventCounts:
    """Return them without failures, which are counted by Flower's list where nobody has counted them before."""
    return {
        w: {task: {e: count for e, count in events.items() if e != "failed"} for task, events in of.items()} for w, of in counts.items()
    }


_Counts = dict[str, dict[str, dict[str, float]]]


def _rise(before: EventCounts, now: EventCounts) -> _Counts:
    """Return what each counter rose by; one that fell began anew."""
    rose: _Counts = {}
    for worker, tasks in now.items():
        was = before.get(worker, {})
        if tasks == was:  # most workers of a thousand did nothing since
            continue
        for task, events in tasks.items():
            earlier = was.get(task, {})
            more = {event: _more(earlier.get(event, 0.0), count) for event, count in events.items()}
            if any(more.values()):
                rose.setdefault(worker, {})[task] = more
    return rose


def _more(before: float, count: float) -> float:
    return count - before if count >= before else count


def _plus(one: EventCounts, other: EventCounts) -> EventCounts:
    if not one or not other:
        return one or other
    both: _Counts = {worker: {task: dict(events) for task, events in tasks.items()} for worker, tasks in one.items()}
    for worker, tasks in other.items():
        for task, events in tasks.items():
            found = both.setdefault(worker, {}).setdefault(task, {})
            for event, count in events.items():
                found[event] = found.get(event, 0.0) + count
    return both


def _without(rise: EventCounts, said: EventCounts) -> tuple[EventCounts, EventCounts]:
    """Return what rose beyond what was said already, and what was said and did not rise yet."""
    if not said:
        return rise, NOTHING
    beyond = _less(rise, said)
    return beyond, _less(said, rise)


def _less(one: EventCounts, other: EventCounts) -> _Counts:
    found: _Counts = {}
    for worker, tasks in one.items():
        for task, events in tasks.items():
            off: Mapping[str, float] = other.get(worker, {}).get(task, {})
            left = {event: count - off.get(event, 0.0) for event, count in events.items() if count > off.get(event, 0.0)}
            if left:
                found.setdefault(worker, {})[task] = left
    return found
