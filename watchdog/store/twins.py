"""Incidents of other targets about the same servers (see `core/incidents/quiet/shared_servers`), as far as a cycle needs them.

In: a target, its servers, its own incidents. Out: the twins that may be told instead, or are to be named; and what may explain those.
"""

import json
import sqlite3
from collections.abc import Collection, Iterable

from watchdog.core.incidents.lifecycle import Incident
from watchdog.store.looks.row_cache import CachedRows
from watchdog.store.migrations import OPEN_STATES
from watchdog.store.records import INCIDENT_COLUMNS, incident_from_cells

__all__ = ["load"]

_COLUMNS = ", ".join(f'"{name}"' for name in INCIDENT_COLUMNS)
_OPEN = f"""
    SELECT {_COLUMNS} FROM incidents
    WHERE server IN (SELECT value FROM json_each(:servers)) AND server <> '' AND resolved_at IS NULL
          AND target <> :target AND state IN {OPEN_STATES}"""  # noqa: S608 - our own column names
_JUST_ENDED = f"""
    SELECT {_COLUMNS} FROM incidents
    WHERE server IN (SELECT value FROM json_each(:servers)) AND server <> '' AND resolved_at >= :since
          AND target <> :target AND fired_at IS NOT NULL"""  # noqa: S608
_CAUSES = f"""
    SELECT {_COLUMNS} FROM incidents WHERE target IN (SELECT value FROM json_each(:targets)) AND state IN {OPEN_STATES}
          AND state <> 'pending' AND inhibits <> '[]' AND server = ''"""  # noqa: S608


def load(
    connection: sqlite3.Connection, target: str, servers: Collection[str], own: Iterable[Incident], kept: CachedRows[Incident]
) -> tuple[tuple[Incident, ...], tuple[Incident, ...]]:
    """The twins of a target's incidents, and the open incidents of their targets that hold others back and are no twins themselves.

    `kept`: the rows of the previous load. `own`: the target's incidents. Twins that ended since the first of those began are among the
    result, so that the end can name them.
    """
    given: dict[str, object] = {"servers": json.dumps(sorted(servers)), "target": target}
    twins = list(kept.values(_rows(connection, _OPEN, given)))
    began = [incident.started_at for incident in own if incident.server]
    if began:
        twins += map(incident_from_cells, _rows(connection, _JUST_ENDED, {**given, "since": min(began)}))
    others = sorted({incident.target for incident in twins if incident.open})
    causes = map(incident_from_cells, _rows(connection, _CAUSES, {"targets": json.dumps(others)})) if others else ()
    return tuple(twins), tuple(causes)


def _rows(connection: sqlite3.Connection, sql: str, given: dict[str, object]) -> Iterable[tuple[object, ...]]:
    cursor = connection.cursor()
    cursor.row_factory = None
    return cursor.execute(sql, given)
