"""Whether it is known what tasks did until now, for the tables that wait for what should have happened.

In: a look, with the reading of `tasks`. Out: why that is unknown, and since when nothing was missed. While events are heard beside Flower,
what they count is known without it: a Flower that is away or starts anew loses nothing that was heard.
"""

from watchdog.core.model.gaps import Gap
from watchdog.core.model.queries import ReadEventCounters
from watchdog.core.model.replies import EventCounters
from watchdog.core.model.rows import Look
from watchdog.tables.tasks.counters import TaskCounters

__all__ = ["counted_since", "missed_since", "uncounted"]


def uncounted(look: Look) -> str:
    """Return why it is unknown what tasks did until now; empty if it is known."""
    tasks = look.before["tasks"]
    counters = look.replies.get(ReadEventCounters(), EventCounters)
    ours = tasks.memory.ours if isinstance(tasks.memory, TaskCounters) else None
    by_events = ours is not None and ours.told and not ours.gap and tasks.unread is None
    return tasks.partial or (counters.reason if isinstance(counters, Gap) and not by_events else "")


def counted_since(look: Look) -> float | None:
    """Return since when whatever tasks did was counted (epoch seconds); None: it is not yet."""
    memory = look.before["tasks"].memory
    return memory.counted_since if isinstance(memory, TaskCounters) else None


def missed_since(before: float | None, now: float | None) -> bool:
    """Whether something may have been missed between two looks, whose `counted_since` these are: nobody counted for a while."""
    return before is not None and now is not None and before != now
