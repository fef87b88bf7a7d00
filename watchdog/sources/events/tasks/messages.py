"""Events of tasks. In: the bytes of a message, which holds one event or, from a worker, the events of half a second (`task.multi`).
Out: the events with the fields that watchdog reads; None if the message is none that can be read.
"""

from typing import Any

import msgspec
from msgspec import Struct

from watchdog.core.decoding import ready
from watchdog.core.text.names import LONGEST_NAME
from watchdog.sources.events.envelope import body_of

__all__ = ["TaskEvent", "task_events", "task_events_in"]


class TaskEvent(Struct, gc=False):
    """One event as its worker, or for `task-sent` its sender, sent it. `timestamp`: seconds by the clock of that one."""

    uuid: str
    type: str
    hostname: str
    timestamp: float | None = None
    name: str | None = None
    args: str | None = None
    kwargs: str | None = None
    retries: int | None = None
    eta: str | None = None
    expires: str | None = None
    queue: str | None = None
    """Of `task-sent` alone: behind a topic exchange its routing key is not the queue's name."""
    routing_key: str | None = None
    runtime: float | None = None
    exception: str | None = None
    traceback: str | None = None


_ONE = msgspec.json.Decoder(ready(TaskEvent))
_MANY = msgspec.json.Decoder(ready(list[TaskEvent]))
_FIELDS: dict[str, Any] = {field.name: field.type for field in msgspec.structs.fields(TaskEvent)}


def task_events(raw: object) -> list[TaskEvent] | None:
    """Return the events in a message of Redis; see `task_events_in`."""
    body = body_of(raw)
    return None if body is None else task_events_in(body)


def task_events_in(body: bytes) -> list[TaskEvent] | None:
    """Return the events in a body, in its order. One without an id, a type or a worker is left out."""
    try:
        events = _MANY.decode(body) if body.startswith(b"[") else [_ONE.decode(body)]
    except msgspec.ValidationError:  # an event of somebody's own, or a field of an unexpected type
        loose = _loose(body)
        if loose is None:
            return None
        events = loose
    except (ValueError, RecursionError):
        return None
    return [event for event in events if 0 < len(event.uuid) <= LONGEST_NAME and 0 < len(event.hostname) <= LONGEST_NAME]


def _loose(body: bytes) -> list[TaskEvent] | None:
    """Return the events without the fields that are of an unexpected type."""
    try:
        found: object = msgspec.json.decode(body)
    except (ValueError, RecursionError):
        return None
    entries = found if isinstance(found, list) else [found]
    return [event for event in map(_loose_event, entries) if event is not None]


def _loose_event(entry: object) -> TaskEvent | None:
    if not isinstance(entry, dict):
        return None
    kept = {name: entry[name] for name, kind in _FIELDS.items() if name in entry and _is(entry[name], kind)}
    try:
        return TaskEvent(**kept)
    except TypeError:  # one of the fields that every event has is missing
        return None


def _is(value: object, kind: Any) -> bool:
    try:
        msgspec.convert(value, ready(kind))
    except msgspec.ValidationError:
        return False
    return True
