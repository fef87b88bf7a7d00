"""`app_schedules`: one row per entry of `beat_schedule`."""

from watchdog.core.model.rows import Cell, Column, Kind, Look, Reading, Row, Table
from watchdog.core.model.servers.celery_app import AppSeen
from watchdog.tables.celery_app.whole import UNREAD, visibility_timeout_s

__all__ = ["TABLE"]

CELERYS_OWN = "celery."

COLUMNS = (
    Column("schedule", Kind.TEXT, "its name"),
    Column("task", Kind.TEXT, "the task that it sends"),
    Column("registered", Kind.BOOLEAN, "the app registers a task of that name"),
    Column("countdown_s", Kind.NUMBER, "its option `countdown`; 0: none", "s", 0.0),
    Column("visibility_timeout_s", Kind.NUMBER, "after which its message is delivered again if not acknowledged; infinite: never", "s"),
)


def read(look: Look) -> Reading:
    """Return a row for every entry."""
    app = look.memory
    if not isinstance(app, AppSeen):
        return UNREAD
    registered = {task.name for task in app.tasks}
    rows = []
    for entry in app.schedules:
        cells: dict[str, Cell] = {
            "schedule": entry.name,
            "task": entry.task,
            "registered": entry.task in registered or entry.task.startswith(CELERYS_OWN),
            "countdown_s": entry.countdown_s or 0.0,
            "visibility_timeout_s": visibility_timeout_s(app),
        }
        rows.append(Row(cells))
    return Reading(tuple(rows))


TABLE = Table("app_schedules", "an entry of beat_schedule", ("schedule",), COLUMNS, lambda _: (), read)
