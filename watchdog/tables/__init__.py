"""The tables: what rules can judge. Each is one pure module.

To add one: write `tables/<name>.py` with its columns, key, `asks` and `read`, and add its `TABLE` below, after the tables in its `needs`.
The schema, the rules' checks, `watchdog tables` and the contract tests use this list.
"""

from collections.abc import Mapping

from watchdog.core.model.rows import Table
from watchdog.tables import blind, cluster, sources
from watchdog.tables import self_monitoring as own
from watchdog.tables.broker import table as broker
from watchdog.tables.fleet import conf, flower, groups, hosts, kinds
from watchdog.tables.past import objectives, usual
from watchdog.tables.periodic import rhythms, schedulers, schedules
from watchdog.tables.queues import table as queues
from watchdog.tables.running import table as running
from watchdog.tables.tasks import errors
from watchdog.tables.tasks import table as tasks
from watchdog.tables.workers import table as workers

__all__ = ["TABLES"]

TABLES: Mapping[str, Table] = {
    table.name: table
    for table in (
        workers.TABLE,
        tasks.TABLE,
        queues.TABLE,
        errors.TABLE,
        running.TABLE,
        schedulers.TABLE,
        schedules.TABLE,
        objectives.TABLE,
        usual.TABLE,
        rhythms.TABLE,
        broker.TABLE,
        sources.TABLE,
        groups.TABLE,
        hosts.TABLE,
        kinds.TABLE,
        conf.TABLE,
        flower.TABLE,
        cluster.TABLE,
        blind.TABLE,
        own.RECEIVERS,
        own.RULES,
        own.SILENCES,
        own.SELF,
    )
}
"""Name -> table, in reading order."""
