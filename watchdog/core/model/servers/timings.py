"""How long runs took and waited, of all that were heard: asked of the source of events, and kept over the window of a rule.

Flower lists the last runs of a task. Events report each, and there may be thousands between two looks, so what is handed on is a sketch.
Each reader is given each run once: it says up to where it has read, and is given what came since. Whoever reads again, because what it
concluded was not stored, is given the same again.
"""

from collections.abc import Iterable, Mapping

from msgspec import Struct

from watchdog.core.model.queries import Query
from watchdog.core.model.sketch import Sketch, Sketching

__all__ = ["Came", "Mark", "TimeRuns", "Timing", "TimingsHeard", "timings_of_all"]

NOTHING = Sketch()


class Came(Struct, frozen=True, array_like=True):
    """Successes of one task that came from one queue (None: unknown). `waits`: from being sent to the start, where that is known."""

    queue: str | None
    count: int
    waits: Sketch = NOTHING


class Timing(Struct, frozen=True, array_like=True):
    """Successes of one task: their runtimes, and how long they were in their worker before they started, as far as that is known.

    `came`: the same runs by the queue that they came from. It is told some seconds later where their senders do not say it.
    """

    count: int = 0
    runtimes: Sketch = NOTHING
    waits: Sketch = NOTHING
    came: tuple[Came, ...] = ()


class Mark(Struct, frozen=True):
    """Up to where a reader has read: since when events were heard without a break (epoch seconds), and a number that only grows."""

    opened_at: float
    nth: int


class TimeRuns(Query, frozen=True):
    """The runs that ended since `after`, or since events are heard. -> `TimingsHeard`.

    `reader`: the target; `workers`: globs of those that are meant.
    """

    source = "events"
    reader: str
    workers: tuple[str, ...] = ()
    after: Mark | None = None


class TimingsHeard(Struct, frozen=True):
    """Task -> its successes, of which all were heard from `since` to `until` (epoch seconds). `mark`: what to say the next time, which is
    told from `until` on.

    A task whose name was never said has the name "".
    """

    mark: Mark
    since: float
    until: float
    timings: Mapping[str, Timing]


def timings_of_all(timings: Iterable[Mapping[str, Timing]]) -> dict[str, Timing]:
    """Return task -> its successes in all of these together."""
    found: dict[str, list[Timing]] = {}
    for one in timings:
        for task, timing in one.items():
            found.setdefault(task, []).append(timing)
    return {task: of_task[0] if len(of_task) == 1 else _sum(of_task) for task, of_task in found.items()}


def _sum(timings: Iterable[Timing]) -> Timing:
    count, runtimes, waits = 0, Sketching(), Sketching()
    came: dict[str | None, tuple[int, Sketching]] = {}
    for one in timings:
        count += one.count
        runtimes.plus(one.runtimes)
        waits.plus(one.waits)
        for part in one.came:
            before, of_queue = came.get(part.queue) or (0, Sketching())
            of_queue.plus(part.waits)
            came[part.queue] = before + part.count, of_queue
    parts = tuple(Came(queue, of_queue, sketch.sketch()) for queue, (of_queue, sketch) in came.items())
    return Timing(count, runtimes.sketch(), waits.sketch(), parts)
