"""How many failures of a kind (a task and an exception) are usual: the baseline for a burst.

Input: what was remembered, the new failures of a poll, and how many runs of each task were watched. Output: how many failures of a kind a
window usually holds. It is the larger of two estimates: by time, and by runs, because more traffic brings more failures. Old failures lose
weight over a week; what lies within the window itself is not part of the baseline.
"""

from collections.abc import Iterable, Mapping
from math import exp

from msgspec import Struct, field
from msgspec.structs import replace

__all__ = ["PAST_S", "Kind", "UsualErrors", "has_past", "noted", "usual_count"]

PAST_S = 7 * 86400.0
"""Time constant of the past, in seconds; older failures count for less than 37 %."""
FEWEST_RUNS = 500.0
"""With fewer runs of a task, the share of failures is unknown."""
FORGOTTEN = 0.1
MOST_KINDS = 500


class Kind(Struct, frozen=True):
    """Failures of a kind. `ever`: all known; `watched`: those since runs are counted, without those of the first list."""

    ever: float = 0.0
    watched: float = 0.0


class UsualErrors(Struct, frozen=True):
    """Task -> exception -> its failures, and the seconds they cover. `at`: when last updated (epoch seconds); None: never."""

    at: float | None = None
    began_at: float | None = None
    """When first updated."""
    seconds: float = 0.0
    kinds: Mapping[str, Mapping[str, Kind]] = field(default_factory=dict)

    def of(self, task: str, exception: str) -> Kind:
        """Return the failures of one kind."""
        return self.kinds.get(task, {}).get(exception, Kind())


def noted(known: UsualErrors, new: Iterable[tuple[str, str]], seconds: float, now: float) -> UsualErrors:
    """Add new failures, (task, exception) each, of the seconds since the last update; in a first poll: all known ones."""
    first = known.at is None
    left = 1.0 if known.at is None else exp(-max(now - known.at, 0.0) / PAST_S)
    kinds = {
        (task, exception): Kind(kind.ever * left, kind.watched * left)
        for task, of_task in known.kinds.items()
        for exception, kind in of_task.items()
    }
    for both in new:
        kind = kinds.get(both, Kind())
        kinds[both] = Kind(kind.ever + 1, kind.watched + (not first))
    kept = sorted(((both, kind) for both, kind in kinds.items() if kind.ever >= FORGOTTEN), key=lambda entry: -entry[1].ever)[:MOST_KINDS]
    nested: dict[str, dict[str, Kind]] = {}
    for (task, exception), kind in sorted(kept, key=lambda entry: entry[0]):
        nested.setdefault(task, {})[exception] = kind
    return replace(known, at=now, began_at=now if first else known.began_at, seconds=known.seconds * left + max(seconds, 0.0), kinds=nested)


def has_past(known: UsualErrors, task_since: float | None, window_s: float, now: float) -> bool:
    """Whether more than the window is known of a task, from Flower's list at the first poll or from what was watched since.

    `task_since`: when the task was first seen to finish. If watchdog has run for longer, a new task has no past.
    """
    watched_s = now - known.began_at if known.began_at is not None else 0.0
    is_new = task_since is not None and now - task_since < 2 * window_s <= watched_s
    return known.seconds >= 2 * window_s and not is_new


def usual_count(kind: Kind, count: float, seconds: float, runs: float, window_s: float, finished: float) -> float:
    """Return how many failures of a kind such a window usually holds; 0 if too little is known.

    `count` and `finished`: its failures and its task's runs within the window; `seconds` and `runs`: all that were watched.
    """
    before_s, before_runs = seconds - window_s, runs - finished
    of_time = max(kind.ever - count, 0.0) / before_s * window_s if before_s >= window_s else 0.0
    of_runs = max(kind.watched - count, 0.0) / before_runs * finished if before_runs >= FEWEST_RUNS else 0.0
    return max(of_time, of_runs)
