"""Flower's `/api/tasks` and `/api/task/info`: the path of a query about tasks, and the decoding of its answer.

A list is always requested with a limit (Flower 2.0 and 1.2 take `limit=0` for "all": 64 MB for 80,000 tasks), never by time: Flower's
filter has whole minutes of its own time zone. Only the needed fields are decoded; only the last line of a traceback is kept, except for one
task that is asked for by its id.
"""

from math import inf
from typing import Any
from urllib.parse import quote, urlencode

import msgspec
from msgspec import Struct

from watchdog.core.decoding import ready
from watchdog.core.model.gaps import Gap
from watchdog.core.model.queries import (
    FailedTasks,
    RecentTasks,
    RevokedTasks,
    RunningTasks,
    SucceededTasks,
    WaitingTasks,
    WholeTask,
    WorkersTasks,
)
from watchdog.core.model.replies import TaskSeen, WholeTaskSeen
from watchdog.core.model.servers.flower_queries import OldestTasks
from watchdog.sources.flower.json import UNREADABLE, as_kind, decoded
from watchdog.sources.moments import moment
from watchdog.sources.task_texts import LONGEST_TEXT, arguments_of, cut, last_line

__all__ = ["TaskQuery", "tasks_path", "tasks_seen", "whole_task_path", "whole_task_seen"]

TaskQuery = RunningTasks | WaitingTasks | FailedTasks | RevokedTasks | SucceededTasks | WorkersTasks | RecentTasks | OldestTasks

MOST_TASKS = 1000
"""The longest list that is requested (0.8 MB, 70 ms of Flower's loop)."""
LONGEST_TRACEBACK = 100_000
MOST_CHILDREN = 1000
_EXPECTED = "an object of id -> task, each with its state,"


class _Task(Struct):
    state: str
    uuid: str = ""
    name: str | None = None
    worker: str | None = None
    sent: float | None = None
    eta: Any = None
    received: float | None = None
    started: float | None = None
    succeeded: float | None = None
    failed: float | None = None
    runtime: float | None = None
    exception: str | None = None
    traceback: str | None = None
    retries: int | None = None
    routing_key: str | None = None
    timestamp: float | None = None
    retried: float | None = None
    revoked: float | None = None
    expires: Any = None
    args: str | None = None
    kwargs: str | None = None


_FIELDS: dict[str, Any] = {field.encode_name: field.type for field in msgspec.structs.fields(_Task)}
_LOOSE: Any = dict[str, dict[str, Any]] | list[dict[str, Any]]
_STATES = {RunningTasks: "STARTED", WaitingTasks: "RECEIVED", FailedTasks: "FAILURE", RevokedTasks: "REVOKED", SucceededTasks: "SUCCESS"}


def tasks_path(query: TaskQuery) -> str:
    """The path; the state is in capitals, because Flower 2.0 and 1.2 compare it literally."""
    asked = {"limit": str(_limit(query))}
    if state := _STATES.get(type(query)):
        asked = {"state": state, **asked}
    if isinstance(query, RunningTasks):
        asked["sort_by"] = "started"
    if isinstance(query, OldestTasks):
        asked["sort_by"] = "received"
    if isinstance(query, SucceededTasks):
        asked["taskname"] = query.task
    if isinstance(query, WorkersTasks):
        asked["workername"] = query.worker
    return f"/api/tasks?{urlencode(asked)}"


def tasks_seen(body: bytes, query: TaskQuery) -> tuple[TaskSeen, ...] | Gap:
    """The tasks of an answer, in its order (running ones by their start), without others that a lenient server may have added."""
    tasks = _tasks(body)
    if isinstance(tasks, Gap):
        return tasks
    asked_for = [task for task in tasks if _is_asked_for(task, query)]
    if isinstance(query, RunningTasks):
        asked_for.sort(key=lambda task: task.started or task.received or 0.0)
    if isinstance(query, OldestTasks):
        asked_for.sort(key=lambda task: task.received or inf)
    with_arguments = isinstance(query, RunningTasks)
    return tuple(_task_seen(task, arguments_of(task.args, task.kwargs) if with_arguments else None) for task in asked_for[: _limit(query)])


def _is_asked_for(task: _Task, query: TaskQuery) -> bool:
    named = not isinstance(query, SucceededTasks) or task.name == query.task
    its = not isinstance(query, WorkersTasks) or task.worker == query.worker
    return named and its and task.state.upper() == _STATES.get(type(query), task.state.upper())


def _limit(query: TaskQuery) -> int:
    return min(max(query.limit, 1), MOST_TASKS)


def _tasks(body: bytes) -> list[_Task] | Gap:
    """Every task of the answer: `{id: task}` as sent by Flower, or a list of tasks as sent by some compatible servers."""
    try:
        by_id = msgspec.json.decode(body, type=ready(dict[str, _Task]))
    except UNREADABLE:
        return _loose_tasks(body)
    for task_id, task in by_id.items():
        task.uuid = task_id
    return list(by_id.values())


def _loose_tasks(body: bytes) -> list[_Task] | Gap:
    """The same for tasks with fields of unexpected types, which are left out, and for lists."""
    found = decoded(body, _LOOSE, "/api/tasks", _EXPECTED)
    if isinstance(found, Gap):
        return found
    entries = [entry | {"uuid": task_id} for task_id, entry in found.items()] if isinstance(found, dict) else found
    tasks = [_loose_task(entry) for entry in entries]
    if not all(tasks):
        return Gap(f"flower: expected {_EXPECTED} from /api/tasks, found a task without an id or a state")
    return [task for task in tasks if task is not None]


def _loose_task(entry: dict[str, Any]) -> _Task | None:
    kept = {name: value for name, value in entry.items() if name in _FIELDS and as_kind(value, _FIELDS[name]) is not None}
    kept.setdefault("uuid", entry.get("id") or entry.get("task_id"))
    task = as_kind(kept, _Task)
    return task if task is not None and task.uuid else None


def _task_seen(task: _Task, arguments: str | None) -> TaskSeen:
    return TaskSeen(
        id=task.uuid[:LONGEST_TEXT],
        name=cut(task.name),
        state=task.state.upper(),
        worker=cut(task.worker),
        received=task.received,
        started=task.started,
        succeeded=task.succeeded,
        failed=task.failed,
        runtime=task.runtime,
        exception=cut(task.exception),
        traceback_last=last_line(task.traceback),
        retries=task.retries,
        routing_key=cut(task.routing_key),
        timestamp=task.timestamp,
        retried=task.retried,
        revoked=task.revoked,
        expires=moment(task.expires),
        arguments=arguments,
        sent=task.sent,
        has_eta=task.eta is not None,
    )


_OF_WHOLE: dict[str, Any] = {
    field.name: field.type for field in msgspec.structs.fields(WholeTaskSeen) if field.name not in {"id", "children"}
}


def whole_task_path(query: WholeTask) -> str:
    """The path of everything about one task."""
    return f"/api/task/info/{quote(query.id, safe='')}"


def whole_task_seen(body: bytes, query: WholeTask) -> WholeTaskSeen | Gap:
    """Everything about one task. A field of an unexpected type is left out; an answer without a state is none."""
    found = decoded(body, dict[str, Any], "/api/task/info", "an object with the fields of a task")
    if isinstance(found, Gap):
        return found
    fields = {name: _whole(found[name], kind) for name, kind in _OF_WHOLE.items() if found.get(name) is not None}
    state = fields.pop("state", None)
    if not isinstance(state, str) or not state or not isinstance(found.get("uuid", query.id), str):
        return Gap("flower: expected an object with the fields of a task from /api/task/info, found one without a state")
    children = found.get("children")
    ids = tuple(child[:LONGEST_TEXT] for child in children[:MOST_CHILDREN] if isinstance(child, str)) if isinstance(children, list) else ()
    return WholeTaskSeen(str(found.get("uuid", query.id))[:LONGEST_TEXT], state.upper(), **fields, children=ids)


def _whole(value: object, kind: Any) -> Any:
    """The value of a field; None if it is of another type. `eta` and `expires` are texts, or numbers."""
    text = as_kind(value, kind)
    if text is None and kind == str | None and isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return text[:LONGEST_TRACEBACK] if isinstance(text, str) else text
