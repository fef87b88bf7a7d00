"""The tables of a Celery app that is examined without its cluster: what rules of `watchdog doctor --app` can judge.

They are read from one `AppSeen`, which is given to each table as its memory: nothing is polled, and one look is all there is. `conf` is the
table of the same name, with the app itself in the place of a worker, so that the same rules judge both.
"""

from collections.abc import Mapping

from watchdog.core.model.rows import Table
from watchdog.tables.celery_app import queues, schedules, tasks, whole

__all__ = ["APP_TABLES"]

APP_TABLES: Mapping[str, Table] = {table.name: table for table in (whole.TABLE, whole.CONF, tasks.TABLE, queues.TABLE, schedules.TABLE)}
"""Name -> table."""
