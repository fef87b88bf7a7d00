"""`app_queues`: one row per queue that the app declares, sends to or routes to, or that workers are said to consume.

Who consumes a queue is known as far as it is told: the names after `-Q`, else `task_queues`, else the default queue where nothing is sent
anywhere else. Otherwise workers must be started with `-Q`, which the app does not show.
"""

from collections.abc import Mapping

from watchdog.core.model.rows import Cell, Column, Kind, Look, Reading, Row, Table
from watchdog.core.model.servers.celery_app import AppSeen
from watchdog.tables.celery_app.whole import UNREAD

__all__ = ["TABLE"]

NOT_TOLD = "the app sets no task_queues: say with --queues which ones its workers are started with (`celery worker -Q …`)"

COLUMNS = (
    Column("queue", Kind.TEXT, "its name"),
    Column("declared", Kind.BOOLEAN, "task_queues has it, or it is the default queue"),
    Column("consumed", Kind.BOOLEAN, "a worker consumes it, as far as told"),
    Column("tasks", Kind.NUMBER, "registered tasks that are sent there", "tasks", 0.0),
    Column("example", Kind.TEXT, "one that is sent there; empty if none is known", neutral=""),
    Column("schedules", Kind.NUMBER, "entries of beat_schedule that name it", "entries", 0.0),
    Column("routed", Kind.BOOLEAN, "task_routes names it"),
    Column("creatable", Kind.BOOLEAN, "task_create_missing_queues: it may be sent to without being declared"),
)


def read(look: Look) -> Reading:
    """Return a row for every queue."""
    app = look.memory
    if not isinstance(app, AppSeen):
        return UNREAD
    sent = _sent(app)
    scheduled = [entry.queue for entry in app.schedules if entry.queue is not None]
    declared = app.declared_queues if app.declared_queues is not None else (app.default_queue,)
    names = sorted({*declared, *sent, *scheduled, *app.route_queues, *app.consumed_queues})
    consumed = _consumed(app, {*sent, *scheduled, *app.route_queues})
    rows = []
    for name in names:
        cells: dict[str, Cell] = {
            "queue": name,
            "declared": name in declared,
            "tasks": float(len(sent.get(name, ()))),
            "example": next(iter(sent.get(name, ())), ""),
            "schedules": float(scheduled.count(name)),
            "routed": name in app.route_queues,
            "creatable": app.creates_queues,
        }
        rows.append(Row(cells if consumed is None else {**cells, "consumed": name in consumed}))
    return Reading(tuple(rows), idle={"consumed": NOT_TOLD} if consumed is None else {})


def _sent(app: AppSeen) -> Mapping[str, list[str]]:
    """Queue -> the tasks that are sent there."""
    sent: dict[str, list[str]] = {}
    for task in app.tasks:
        if task.queue is not None:
            sent.setdefault(task.queue, []).append(task.name)
    return sent


def _consumed(app: AppSeen, used: set[str]) -> frozenset[str] | None:
    if app.consumed_queues:
        return frozenset(app.consumed_queues)
    if app.declared_queues is not None:
        return frozenset(app.declared_queues)
    return frozenset({app.default_queue}) if used <= {app.default_queue} else None


TABLE = Table("app_queues", "a queue that the app or its workers name", ("queue",), COLUMNS, lambda _: (), read)
