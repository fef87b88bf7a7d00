"""Looks at real clusters, recorded: what sources answered, cycle by cycle, to be judged again in fast time.

A recording is gzipped JSON lines as `watchdog rules record` writes them, less the first; `record.py` beside this file makes one from a real
little cluster.
"""

import gzip
from collections.abc import Iterator
from pathlib import Path

import msgspec

from tests.builders.answers import counters
from watchdog.core.model.queries import Query, ReadEventCounters
from watchdog.core.model.replies import Replies
from watchdog.core.scenarios.recorded.answers import answered

HERE = Path(__file__).parent


def looks(name: str) -> Iterator[tuple[float, Replies]]:
    """The looks of a recording, in order: (time, replies)."""
    with gzip.open(HERE / name) as file:
        for line in file:
            look = msgspec.json.decode(line)
            yield look["at"], Replies(dict(map(_answered, look["answers"])), look["latency_ms"])


def _answered(entry: list[object]) -> tuple[Query, object]:
    match entry:
        case ["ReadEventCounters", _, {"started_at": at, "counts": counts}]:  # as they were written down at first
            return ReadEventCounters(), counters({(worker, task, event): count for worker, task, event, count in counts}, at)
    return answered(entry)
