"""Decodes a task's entry in its result backend: raw bytes of `celery-task-meta-<id>` into a `TaskMetaSeen`, or a `StoredResultSeen`.

While a task runs, Celery writes `{"status", "result", …}` there; `result` is what the task passed to `update_state(meta=…)`, in a form that
its author chose. With only `task_track_started` it is `{"pid", "hostname"}`, which is not a progress report.
"""

import math
from typing import Any

import msgspec
from msgspec import Raw, Struct

from watchdog.core.decoding import ready
from watchdog.core.model.replies import StoredResultSeen, TaskMetaSeen

__all__ = ["task_meta"]

ENDED = frozenset({"SUCCESS", "FAILURE", "REVOKED", "RETRY", "REJECTED", "IGNORED"})
"""Celery's own states in which `result` is not a progress report but a value or an exception."""
CELERYS_OWN = frozenset({"pid", "hostname"})
STEPS = ("step", "current_step", "stage", "phase", "status", "message", "description", "desc", "detail")
"""Keys under which tasks report their current step; the first one with a value is used."""
_PAIRS = (
    ("current", "total"),
    ("done", "total"),
    ("completed", "total"),
    ("processed", "total"),
    ("step", "total_steps"),
    ("current_step", "total_steps"),
)
_PEAKS = ("peak_memory", "peak_memory_bytes", "memory_bytes")
"""Keys under which tasks report the memory that they hold or held at most, in bytes: Celery knows of none, so these names are our own."""
_PERCENTAGES = ("percent", "percentage", "percent_complete", "pct")
LONGEST_META = 2000
LONGEST_ENTRY = 200
LONGEST_STEP = 200
LONGEST_TEXT = 100_000
MOST_CHILDREN = 1000
UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class _Meta(Struct):
    status: str
    result: Raw = Raw(b"null")


def task_meta(raw: object) -> TaskMetaSeen | None:
    """The task's state; all None if there is no such key; None if it is not what Celery writes as JSON."""
    if raw is None:
        return TaskMetaSeen()
    if not isinstance(raw, bytes):
        return None
    try:
        meta = msgspec.json.decode(raw, type=ready(_Meta))
        report = None if meta.status in ENDED else msgspec.json.decode(meta.result)
    except UNREADABLE:
        return None
    if not isinstance(report, dict):
        return TaskMetaSeen(meta.status)
    report = {key: value for key, value in report.items() if key not in CELERYS_OWN}
    inner = report.get("progress")
    told = {**report, **inner} if isinstance(inner, dict) else report  # {"progress": {"current": 3, "total": 12}}
    return TaskMetaSeen(meta.status, _progress(told), _step(told), _short(report), _peak(told)) if report else TaskMetaSeen(meta.status)


class _Stored(Struct):
    status: str
    result: Raw = Raw(b"null")
    traceback: Any = None
    date_done: Any = None
    name: Any = None
    worker: Any = None
    queue: Any = None
    retries: Any = None
    args: Raw = Raw(b"null")
    kwargs: Raw = Raw(b"null")
    parent_id: Any = None
    children: Any = None


def stored_result(raw: object) -> StoredResultSeen | None:
    """Everything in the task's entry; all None if there is no such key; None if it is not what Celery writes as JSON."""
    reported = task_meta(raw)
    if raw is None or reported is None or not isinstance(raw, bytes):
        return StoredResultSeen() if raw is None else None
    try:
        entry = msgspec.json.decode(raw, type=ready(_Stored))
        result = msgspec.json.decode(entry.result)
    except UNREADABLE:
        return None
    failed = isinstance(result, dict) and "exc_type" in result
    return StoredResultSeen(
        status=entry.status,
        reported=reported,
        result_json=_json(entry.result) if entry.status == "SUCCESS" else None,
        exception=_exception(result) if failed else None,
        traceback=_text(entry.traceback),
        done=_text(entry.date_done),
        name=_text(entry.name),
        worker=_text(entry.worker),
        queue=_text(entry.queue),
        retries=entry.retries if isinstance(entry.retries, int) else None,
        args_json=_json(entry.args),
        kwargs_json=_json(entry.kwargs),
        parent_id=_text(entry.parent_id),
        children=_children(entry.children),
    )


def _exception(result: dict[str, Any]) -> str:
    """`ValueError('no such user')`, as Celery stored its type and arguments."""
    said = result.get("exc_message")
    arguments = ", ".join(map(repr, said)) if isinstance(said, list) else "" if said is None else repr(said)
    return f"{result['exc_type']}({arguments})"[:LONGEST_TEXT]


def _children(found: object) -> tuple[str, ...]:
    """The ids in Celery's `[[[id, parent], children], …]`."""
    ids = map(_first, found[:MOST_CHILDREN]) if isinstance(found, list) else ()
    return tuple(one[:LONGEST_ENTRY] for one in ids if isinstance(one, str))


def _first(value: object) -> object:
    while isinstance(value, list) and value:
        value = value[0]
    return value


def _json(raw: Raw) -> str | None:
    """A value as it was stored; None for nothing."""
    text = bytes(raw).decode("utf-8", "replace")
    return None if text == "null" else text[:LONGEST_TEXT]


def _text(value: object) -> str | None:
    return value[:LONGEST_TEXT] if isinstance(value, str) and value else None


def _progress(report: dict[str, Any]) -> float | None:
    """`progress` from 0 to 1, or above 1 in percent; else a part of a total, as in Celery's documentation; else a percentage."""
    number = _number(report.get("progress"))
    if number is not None:
        return number if number <= 1 else number / 100 if number <= 100 else None
    for done, of in _PAIRS:
        part, total = _number(report.get(done)), _number(report.get(of))
        if part is not None and total:
            return min(part / total, 1.0)
    percentages = (report[name] for name in _PERCENTAGES if name in report)
    return next((percent for said in percentages if (percent := _percent(said)) is not None), None)


def _percent(said: object) -> float | None:
    """`25`, `"25"` and `"25%"` -> 0.25."""
    number = _number(said if not isinstance(said, str) else said.strip().rstrip("%"))
    return number / 100 if number is not None and number <= 100 else None


def _number(value: object) -> float | None:
    """A non-negative number, also from a string, with or without %."""
    percent = isinstance(value, str) and value.strip().endswith("%")
    try:
        number = math.nan if isinstance(value, bool) else float(value.strip().rstrip("%") if isinstance(value, str) else value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return None
    return (number / 100 if percent else number) if math.isfinite(number) and number >= 0 else None


def _step(report: dict[str, Any]) -> str | None:
    """The current step, on one line: the first of `STEPS` that contains a text or a number."""
    said = next((report[name] for name in STEPS if _is_word(report.get(name))), None)
    return None if said is None else " ".join(str(said).split())[:LONGEST_STEP]


def _peak(report: dict[str, Any]) -> float | None:
    """The first of `_PEAKS` that contains a number of bytes."""
    said = (report[name] for name in _PEAKS if isinstance(report.get(name), int | float))
    return next((number for one in said if (number := _number(one))), None)


def _is_word(value: object) -> bool:
    return isinstance(value, int | float) or (isinstance(value, str) and bool(value.strip()))


def _short(report: dict[str, Any]) -> str:
    """The report as JSON; if it is too long, only its short entries."""
    whole = msgspec.json.encode(report).decode()
    if len(whole) <= LONGEST_META:
        return whole
    kept: dict[str, Any] = {}
    left = LONGEST_META
    for key, value in report.items():
        size = len(msgspec.json.encode({key: value}))
        if size <= min(LONGEST_ENTRY, left):
            kept[key] = value
            left -= size
    return msgspec.json.encode(kept).decode()
