"""Looks at real clusters, recorded: what sources answered, cycle by cycle, to be judged again in fast time.

A recording is gzipped JSON lines: `{"at": epoch seconds, "latency_ms": {...}, "answers": [[query, its fields, answer], …]}`; an answer
that was a gap is `{"gap": reason}`. `record.py` beside this file makes one from a real little cluster.
"""

import gzip
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import fields

from tests.builders.answers import counters
from watchdog.core.model import queries
from watchdog.core.model.gaps import Gap
from watchdog.core.model.queries import Query
from watchdog.core.model.replies import (
    EventCounters,
    Held,
    KeysFound,
    MessageHead,
    Pong,
    RedisServer,
    Replies,
    TaskMetaSeen,
    TaskSeen,
    WorkerBeat,
    WorkerInspection,
)

HERE = Path(__file__).parent

ANSWERS: Mapping[type[Query], Any] = {
    queries.WorkerStatus: dict[str, bool],
    queries.WorkerHeartbeats: dict[str, WorkerBeat],
    queries.ReadEventCounters: list[tuple[str, str, str, float]],
    queries.Inspected: dict[str, WorkerInspection],
    queries.InspectedNow: dict[str, WorkerInspection],
    queries.InspectOne: dict[str, WorkerInspection],
    queries.InspectAll: dict[str, WorkerInspection],
    queries.RunningTasks: tuple[TaskSeen, ...],
    queries.FailedTasks: tuple[TaskSeen, ...],
    queries.SucceededTasks: tuple[TaskSeen, ...],
    queries.RecentTasks: tuple[TaskSeen, ...],
    queries.QueueLengths: dict[str, int],
    queries.Ping: Pong,
    queries.ReadServer: RedisServer,
    queries.CountFlushes: int,
    queries.ListLengths: Held[int],
    queries.OldestMessage: MessageHead,
    queries.HashSize: int,
    queries.LowestScore: float | None,
    queries.SetMembers: Held[frozenset[str]],
    queries.ScanKeys: KeysFound,
    queries.TaskMeta: TaskMetaSeen,
}


def line_of(at: float, replies: Replies) -> bytes:
    """One look as one line."""
    answers = [[type(q).__name__, _fields(q), _plain(a)] for q, a in replies.answers.items()]
    return msgspec.json.encode({"at": at, "latency_ms": dict(replies.latency_ms), "answers": answers}) + b"\n"


def looks(name: str) -> Iterator[tuple[float, Replies]]:
    """The looks of a recording, in order: (time, replies)."""
    with gzip.open(HERE / name) as file:
        for line in file:
            look = msgspec.json.decode(line)
            answered = (_answered(*entry) for entry in look["answers"])
            yield look["at"], Replies(dict(answered), look["latency_ms"])


def _fields(query: Query) -> dict[str, Any]:
    return {f.name: getattr(query, f.name) for f in fields(query)}


def _plain(answer: object) -> object:
    if isinstance(answer, Gap):
        return {"gap": answer.reason}
    if isinstance(answer, EventCounters):
        return {"started_at": answer.started_at, "counts": [list(counter) for counter in answer.each()]}
    return {"is": None if answer == float("inf") else answer}


def _answered(kind: str, given: dict[str, Any], answer: dict[str, Any]) -> tuple[Query, object]:
    query: Query = msgspec.convert(given, getattr(queries, kind))
    if "gap" in answer:
        return query, Gap(answer["gap"])
    if isinstance(query, queries.ReadEventCounters):
        return query, counters({(worker, task, event): count for worker, task, event, count in answer["counts"]}, answer["started_at"])
    value = msgspec.convert(answer["is"], ANSWERS[type(query)])
    return query, float("inf") if value is None and isinstance(query, queries.LowestScore) else value
