"""`app_tasks`: one row per registered task, with the limits and retries that hold for it."""

from watchdog.core.model.rows import Cell, Column, Kind, Look, Reading, Row, Table
from watchdog.core.model.servers.celery_app import AppSeen, AppTask
from watchdog.tables.celery_app.whole import UNREAD, visibility_timeout_s

__all__ = ["TABLE"]

NUMBER, TEXT, BOOLEAN = Kind.NUMBER, Kind.TEXT, Kind.BOOLEAN

COLUMNS = (
    Column("task", TEXT, "its name"),
    Column("queue", TEXT, "where it is sent by its own queue or the app's routes"),
    Column("time_limit_s", NUMBER, "its time limit, or the app's; 0: none", "s", 0.0),
    Column("soft_time_limit_s", NUMBER, "its soft time limit, or the app's; 0: none", "s", 0.0),
    Column("acks_late", BOOLEAN, "its message is acknowledged after it has run"),
    Column("acks_on_failure", BOOLEAN, "with acks_late: its message is acknowledged, too, after a run that fails; else it is rejected"),
    Column("reject_on_worker_lost", BOOLEAN, "it runs again if its process is killed"),
    Column("retries", BOOLEAN, "it retries by autoretry_for, or its code calls retry"),
    Column("retries_itself", BOOLEAN, "it retries by autoretry_for"),
    Column("backoff", BOOLEAN, "retry_backoff: it waits longer from retry to retry"),
    Column("retry_delay_s", NUMBER, "the longest that it waits for a retry, as declared", "s", 0.0),
    Column("endless", BOOLEAN, "it is retried without end: max_retries = None"),
    Column("visibility_timeout_s", NUMBER, "after which its message is delivered again if not acknowledged; infinite: never", "s"),
)


def read(look: Look) -> Reading:
    """Return a row for every task."""
    app = look.memory
    if not isinstance(app, AppSeen):
        return UNREAD
    visible_s = visibility_timeout_s(app)
    return Reading(tuple(_row(task, visible_s) for task in app.tasks))


def _row(task: AppTask, visible_s: float) -> Row:
    cells: dict[str, Cell] = {
        "task": task.name,
        "queue": task.queue,
        "time_limit_s": task.time_limit_s or 0.0,
        "soft_time_limit_s": task.soft_time_limit_s or 0.0,
        "acks_late": task.acks_late,
        "acks_on_failure": task.acks_on_failure,
        "reject_on_worker_lost": task.reject_on_worker_lost,
        "retries": task.retries,
        "retries_itself": task.retries_itself,
        "backoff": task.backoff,
        "retry_delay_s": (task.retry_delay_s or 0.0) if task.retries else 0.0,
        "endless": task.retries and task.max_retries is None,
        "visibility_timeout_s": visible_s,
    }
    return Row(cells, {} if task.queue is not None else {"queue": f"its route could not be asked for: {task.unrouted}"})


TABLE = Table("app_tasks", "a registered task", ("task",), COLUMNS, lambda _: (), read)
