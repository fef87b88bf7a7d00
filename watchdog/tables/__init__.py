"""The tables: what can be judged. Each is one pure file.

To add one: write `tables/<name>.py` with its columns, key, `asks` and `read`, and name its `TABLE` below, after the
tables in its `needs`. The schema, the rules' checks, `watchdog tables` and the contract tests take it from here.
"""

from collections.abc import Mapping

from watchdog.core.rows import Table
from watchdog.tables import blind, broker, cluster, errors, groups, idle, kinds, own, queues, running, sources, tasks, workers

__all__ = ["TABLES"]

TABLES: Mapping[str, Table] = {
    table.name: table
    for table in (
        workers.TABLE,
        queues.TABLE,
        tasks.TABLE,
        errors.TABLE,
        running.TABLE,
        idle.SCHEDULES,
        broker.TABLE,
        sources.TABLE,
        groups.TABLE,
        kinds.TABLE,
        cluster.TABLE,
        blind.TABLE,
        own.RECEIVERS,
        own.RULES,
        own.SELF,
    )
}
"""Name -> table, in the order in which they are read."""
