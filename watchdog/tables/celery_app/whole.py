"""`app` and `conf`: one row each for the whole app, of what it sets."""

from watchdog.core.model.rows import Cell, Column, Kind, Look, Reading, Row, Table
from watchdog.core.model.servers.celery_app import AppSeen
from watchdog.tables.fleet import conf as of_workers

__all__ = ["CONF", "TABLE", "UNREAD", "visibility_timeout_s"]

UNREAD = Reading(unread="the app was not read")
DEFAULT_VISIBILITY_S = {"redis": 3600.0, "rediss": 3600.0, "sentinel": 3600.0, "sqs": 1800.0}
"""Transport -> what kombu 5.7 waits before it delivers a message again that is not acknowledged. Others never do."""

COLUMNS = (
    Column("app", Kind.TEXT, "the app, as for `celery -A`"),
    Column("tasks", Kind.NUMBER, "registered tasks, without Celery's own", "tasks"),
    Column("transport", Kind.TEXT, "the transport of its messages: redis, amqp, sqs"),
    Column("always_eager", Kind.BOOLEAN, "task_always_eager: tasks run where they are sent"),
)


def visibility_timeout_s(app: AppSeen) -> float:
    """After which an unacknowledged message is delivered again; infinite if the transport never does that."""
    default = DEFAULT_VISIBILITY_S.get(app.transport)
    return float("inf") if default is None else app.visibility_timeout_s or default


def read(look: Look) -> Reading:
    """Return the one row of `app`."""
    app = look.memory
    if not isinstance(app, AppSeen):
        return UNREAD
    cells: dict[str, Cell] = {
        "app": app.app,
        "tasks": float(len(app.tasks)),
        "transport": app.transport,
        "always_eager": app.always_eager,
    }
    return Reading((Row(cells),))


def read_conf(look: Look) -> Reading:
    """Return the one row of `conf`."""
    app = look.memory
    if not isinstance(app, AppSeen):
        return UNREAD
    cells = of_workers.cells_of(app.app, app.pool, app.transport, app.settings, visibility_timeout_s(app), results=app.results)
    return Reading((Row(cells),))


TABLE = Table("app", "the app as a whole", (), COLUMNS, lambda _: (), read)
CONF = Table("conf", "the app, in the place of a worker", ("worker",), of_workers.TABLE.columns, lambda _: (), read_conf)
