"""How many failures of a kind (a task and an exception) are usual: what a burst is a burst against.

In: what was remembered, the failures that are new in a look, and how many runs of each task were watched. Out: how many of a kind a
window holds as a rule. It is the larger of two: what its past tells for as much time, and for as many runs, for more traffic brings more
failures. Old failures count less and less, over a week; what lies within the window itself is not its past.
"""

from collections.abc import Iterable, Mapping
from math import exp

from msgspec import Struct, field
from msgspec.structs import replace

__all__ = ["PAST_S", "Kind", "UsualErrors", "has_past", "noted", "usual_count"]

PAST_S = 7 * 86400.0
"""Over how long the past is taken; what is older counts for less than a third."""
FEWEST_RUNS = 500.0
"""Before so many runs of a task nobody knows which share of them fails."""
FORGOTTEN = 0.1
MOST_KINDS = 500


class Kind(Struct, frozen=True):
    """Failures of a kind. `ever`: all that are known; `watched`: those since runs are counted, without what the first list told."""

    ever: float = 0.0
    watched: float = 0.0


class UsualErrors(Struct, frozen=True):
    """Task -> exception -> its failures, and over how many seconds. `at`: when last noted (epoch seconds); None: never."""

    at: float | None = None
    began_at: float | None = None
    """When first noted."""
    seconds: float = 0.0
    kinds: Mapping[str, Mapping[str, Kind]] = field(default_factory=dict)

    def of(self, task: str, exception: str) -> Kind:
        """A kind's."""
        return self.kinds.get(task, {}).get(exception, Kind())


def noted(known: UsualErrors, new: Iterable[tuple[str, str]], seconds: float, now: float) -> UsualErrors:
    """With the new failures, (task, exception) each, of the seconds since they were last noted; of a first look, of all that it knows."""
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
    """Whether more than the window is known of a task, by Flower's list at the first look or by what was watched since.

    `task_since`: when the task was first seen to finish. Where watchdog has looked for longer, one that is new has no past.
    """
    watched_s = now - known.began_at if known.began_at is not None else 0.0
    is_new = task_since is not None and now - task_since < 2 * window_s <= watched_s
    return known.seconds >= 2 * window_s and not is_new


def usual_count(kind: Kind, count: float, seconds: float, runs: float, window_s: float, finished: float) -> float:
    """How many of a kind such a window holds as a rule; 0 where too little is known.

    `count` and `finished`: its failures and its task's runs within the window; `seconds` and `runs`: all that were watched.
    """
    before_s, before_runs = seconds - window_s, runs - finished
    of_time = max(kind.ever - count, 0.0) / before_s * window_s if before_s >= window_s else 0.0
    of_runs = max(kind.watched - count, 0.0) / before_runs * finished if before_runs >= FEWEST_RUNS else 0.0
    return max(of_time, of_runs)
