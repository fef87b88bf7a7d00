"""A day that a database remembers: 24 hours of tasks with their failures, queues and workers, an hour in which nobody looked, two deploys.

In: an open store and now. Out: history in it, as a daemon would have left it.
"""

import math
import random
from collections.abc import Iterator, Mapping

from watchdog.core.history.series import Keeping, Part, Series, Slice, Value
from watchdog.core.incidents.quiet.deploys import Deploy
from watchdog.core.model.last_look import LastLook
from watchdog.core.model.sketch import sketch_of
from watchdog.store import Looked, Store
from watchdog.tables.history.kept import KEPT
from watchdog.tables.history.series import CLUSTER, ERRORS, QUEUES, TASKS, WORKERS

__all__ = ["deploys", "remember_a_day"]

HOUR, STEP_S = 3600.0, 150.0
WORKERS_THEN = ("celery@web-1", "celery@web-2", "celery@images-1", "celery@mail-1")
TASKS_THEN = {
    "demo.ok": (0.7, 0.4, 0.0, "", "emails", 0.0),
    "demo.advance": (0.25, 4.0, 0.008, "TimeoutError", "images", 30.0),
    "demo.fail": (0.05, 1.1, 0.002, "ConnectionError", "emails", 2.0),
}
"""Task -> its share of all runs, mean runtime (s), the share that failed; exception, queue and duration (s) of its failures."""
QUEUES_THEN = {"emails": 6.0, "images": 9.0, "reports": 1.0}
"""Queue -> the most that waited."""
NIGHT, DAY = 0.2, 0.8
BLIND_FROM, BLIND_TO = 18.0, 16.0
"""Hours ago between which nobody looked."""
Rows = Mapping[tuple[str, ...], tuple[Value, ...]]


def remember_a_day(store: Store, target: str, now: float) -> None:
    """Fill the history of a target."""
    chance, before = random.Random(7), None
    for at in _moments(now):
        parts = {name: Part(at - STEP_S, at, rows) for name, rows in _tables(at, now, chance)}
        with store.cycle() as transaction:
            transaction.record(Looked(target, Slice(at, parts), LastLook(at, 10.0, {}), before), Keeping(KEPT))
        before = at


def deploys(now: float) -> Iterator[Deploy]:
    """Two deploys of that day."""
    for number, hours in enumerate((9.0, 2.5)):
        yield Deploy(f"01DEPLOY{number}", f"2.4.{number}", ("*",), now - hours * HOUR, now - hours * HOUR + 600.0, "ci")


def _moments(now: float) -> Iterator[float]:
    for step in range(int(24 * HOUR / STEP_S), 0, -1):
        hours_ago = step * STEP_S / HOUR
        if not BLIND_TO < hours_ago <= BLIND_FROM:
            yield now - step * STEP_S


def _tables(at: float, now: float, chance: random.Random) -> Iterator[tuple[str, Rows]]:
    """Table -> its rows at that moment."""
    hours_ago = (now - at) / HOUR
    busy = NIGHT + DAY * math.sin((24.0 - hours_ago) / 24.0 * math.pi) ** 2
    bad = 12.0 if 8.5 < hours_ago < 9.0 else 1.0  # the deploy of 2.4.0 was no good one
    runs = round(100 * busy)
    failed = {name: float(_times(runs, share * bad, chance)) for name, (_, _, share, _, _, _) in TASKS_THEN.items()}
    yield "tasks", {(name,): _task(runs * share, failed[name], mean_s, chance) for name, (share, mean_s, *_) in TASKS_THEN.items()}
    yield (
        "errors",
        {
            (name, exception, queue): _row(
                ERRORS, count=failed[name], timed=failed[name], seconds=failed[name] * after_s, new=0.0, returned=0.0
            )
            for name, (_, _, _, exception, queue, after_s) in TASKS_THEN.items()
            if failed[name]
        },
    )
    yield "queues", {(name,): _queue(busy * most) for name, most in QUEUES_THEN.items()}
    yield "workers", {(name,): _row(WORKERS, processed=runs / 4, online=1.0, active=busy, load=0.4 + busy) for name in WORKERS_THEN}
    many = float(len(WORKERS_THEN))
    online = {"workers_online": many, "workers_online_min": many, "workers_known": many, "active": many * busy, "capacity": 2 * many}
    yield "cluster", {(): _row(CLUSTER, **online, backlog=16 * busy, backlog_max=20 * busy, unacked=many * busy)}


def _task(succeeded: float, failed: float, mean_s: float, chance: random.Random) -> tuple[Value, ...]:
    runtimes = sketch_of(chance.lognormvariate(math.log(mean_s), 0.5) for _ in range(5))
    return _row(TASKS, succeeded=succeeded, failed=failed, retried=0.0, runtime=runtimes)


def _queue(length: float) -> tuple[Value, ...]:
    return _row(QUEUES, length=length, length_max=length, consumers_min=1.0, oldest_max=length / 3)


def _times(runs: int, share: float, chance: random.Random) -> int:
    return sum(chance.random() < share for _ in range(runs))


def _row(series: tuple[Series, ...], **values: Value) -> tuple[Value, ...]:
    return tuple(values.get(one.name) for one in series)
