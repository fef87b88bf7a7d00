"""Answers of sources as plain JSON values, and back.

In: a query and its answer. Out: `[query, its fields, answer]`; an answer that was a gap is `{"gap": reason}`. Arguments and reported values
of tasks are not kept, as they belong to somebody, and every text goes through a mask.
"""

from collections.abc import Callable, Mapping
from math import inf
from typing import Any

import msgspec
from msgspec.structs import fields, replace

from watchdog.core.decoding import ready
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
    TaskMetaSeen,
    TaskSeen,
    WholeTaskSeen,
    WorkerBeat,
    WorkerInspection,
)
from watchdog.core.model.servers import flower_queries, heard, rabbitmq_queries, worker_queries
from watchdog.core.model.servers.rabbitmq_replies import NodeSeen, OverviewSeen, QueueSeen
from watchdog.core.model.servers.worker_replies import HeldMessages

__all__ = ["ANSWERS", "Masked", "answered", "plain"]

ANSWERS: Mapping[type[Query], Any] = {
    queries.WorkerStatus: dict[str, bool],
    queries.WorkerHeartbeats: dict[str, WorkerBeat],
    queries.ReadEventCounters: EventCounters,
    queries.Inspected: dict[str, WorkerInspection],
    queries.InspectedNow: dict[str, WorkerInspection],
    queries.InspectOne: dict[str, WorkerInspection],
    queries.InspectAll: dict[str, WorkerInspection],
    queries.RunningTasks: tuple[TaskSeen, ...],
    queries.FailedTasks: tuple[TaskSeen, ...],
    queries.RevokedTasks: tuple[TaskSeen, ...],
    queries.SucceededTasks: tuple[TaskSeen, ...],
    queries.WorkersTasks: tuple[TaskSeen, ...],
    queries.RecentTasks: tuple[TaskSeen, ...],
    heard.CutOff: dict[str, int],
    queries.WholeTask: WholeTaskSeen,
    queries.QueueLengths: dict[str, int],
    flower_queries.HasWorkersPage: bool,
    flower_queries.OldestTasks: tuple[TaskSeen, ...],
    queries.Ping: Pong,
    queries.ReadServer: RedisServer,
    queries.CountFlushes: int,
    queries.ListLengths: Held[int],
    queries.SetMembers: Held[frozenset[str]],
    queries.OldestMessage: MessageHead,
    queries.HashSize: int,
    queries.LowestScore: float | None,
    queries.ScanKeys: KeysFound,
    queries.PingResults: Pong,
    queries.ReadResultsServer: RedisServer,
    queries.TaskMeta: TaskMetaSeen,
    rabbitmq_queries.RabbitOverview: OverviewSeen,
    rabbitmq_queries.RabbitNodes: tuple[NodeSeen, ...],
    rabbitmq_queries.RabbitQueues: tuple[QueueSeen, ...],
    worker_queries.PingWorkers: frozenset[str],
    worker_queries.InspectWorkers: dict[str, WorkerInspection],
    worker_queries.HeldByWorkers: dict[str, HeldMessages],
    worker_queries.ScheduledByWorkers: dict[str, int],
}
"""Each query that is recorded -> what answers it. The others are asked for schedules, for one task, or answered by events."""
_BY_NAME = {query.__name__: query for query in ANSWERS}
_NOT_KEPT: Mapping[type, tuple[str, ...]] = {
    TaskSeen: ("arguments",),
    TaskMetaSeen: ("meta_json",),
    WholeTaskSeen: ("args", "kwargs", "result", "traceback"),
}
"""Fields of replies that hold what belongs to somebody: none decides in a shipped rule."""

Masked = Callable[[str], str]


def plain(query: Query, answer: object, mask: Masked) -> list[Any]:
    """Return a query with its answer as JSON values."""
    asked = {one.name: _masked(msgspec.to_builtins(getattr(query, one.name)), mask) for one in fields(query)}
    if isinstance(answer, Gap):
        return [type(query).__name__, asked, {"gap": mask(answer.reason)}]
    value = None if answer == inf else _masked(msgspec.to_builtins(_kept(answer), order="deterministic"), mask)
    return [type(query).__name__, asked, {"is": value}]


def answered(entry: object) -> tuple[Query, object]:
    """Return what was written down; ValueError, with what was expected, for anything else."""
    if not isinstance(entry, list) or len(entry) != 3 or not isinstance(entry[2], dict):
        raise ValueError('expected [query, {its fields}, {"is": answer}]')
    name, given, answer = entry
    kind = _BY_NAME.get(name) if isinstance(name, str) else None
    if kind is None:
        raise ValueError(f"unknown query {str(name)[:40]!r}, perhaps of another version of watchdog")
    try:
        query: Query = msgspec.convert(given, ready(kind), str_keys=True)
        if "gap" in answer:
            return query, Gap(str(answer["gap"]))
        value = msgspec.convert(answer.get("is"), ready(ANSWERS[kind]), str_keys=True)
    except msgspec.ValidationError as error:
        raise ValueError(f"answer to {name}: {error}") from None
    return query, inf if value is None and isinstance(query, queries.LowestScore) else value


def _kept(answer: Any) -> Any:
    if isinstance(answer, tuple):
        return tuple(map(_kept, answer))
    private = _NOT_KEPT.get(type(answer), ())
    return replace(answer, **dict.fromkeys(private)) if private else answer


def _masked(value: Any, mask: Masked) -> Any:
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, list | tuple):
        return [_masked(one, mask) for one in value]
    if isinstance(value, dict):
        return {mask(str(name)): _masked(one, mask) for name, one in value.items()}
    return value
