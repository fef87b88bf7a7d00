"""Incidents that matter to other targets: those about servers that several may name (see `core/incidents/quiet/shared_servers`), and what
may explain these.

In an outage of a server that a thousand targets share, each of them needs all thousand, in every cycle. So they are read once by a process,
and then only what has changed: each write of such an incident takes the next number of the table `changes`.

In: a connection, what a target shares, its own incidents. Out: the twins, and the causes on their targets.
"""

import threading
from collections.abc import Collection, Iterable, Iterator, Mapping
from math import inf

from watchdog.core.incidents.lifecycle import Incident, State
from watchdog.core.incidents.quiet.shared_servers import NO_TWINS, Twins
from watchdog.store.migrations import OPEN_STATES
from watchdog.store.records import INCIDENT_COLUMNS, incident_from_cells
from watchdog.store.sql import Connection, tuples

__all__ = ["SharedIncidents", "changed_number", "matters_elsewhere"]

MOST_ENDED = 5000
"""Most ended incidents that are remembered; then all is read again, as far as it is needed."""

_COLUMNS = ", ".join(f'"{name}"' for name in INCIDENT_COLUMNS)
_OPEN = f"SELECT {_COLUMNS} FROM incidents WHERE state IN {OPEN_STATES} AND (server <> '' OR inhibits <> '[]')"  # noqa: S608 - our own column names
_CHANGED = f"SELECT {_COLUMNS} FROM incidents WHERE change > 0 AND change > :number"  # noqa: S608 - the first condition for the partial index
_ENDED = f"""
    SELECT {_COLUMNS} FROM incidents
    WHERE server = :server AND server <> '' AND resolved_at >= :since AND resolved_at < :until
          AND fired_at IS NOT NULL"""  # noqa: S608


def matters_elsewhere(incident: Incident) -> bool:
    """Whether the cycles of other targets may need an incident."""
    return bool(incident.server or incident.inhibits)


def changed_number(connection: Connection) -> int:
    """Return the number of the change that is written now."""
    return int(connection.execute("UPDATE changes SET number = number + 1 RETURNING number").fetchone()[0])


class SharedIncidents:
    """What a process knows of them. `read` is for whoever holds the write lock, alone or with other threads of which none changes one."""

    def __init__(self) -> None:
        self._reading = threading.Lock()
        self.outdated = False
        """Whether all of it is to be read again, because what was read may have been rolled back. Any thread may say so."""
        self._forget()

    def _forget(self) -> None:
        self.outdated = False
        self._number = -1
        self._twins = NO_TWINS
        self._known: dict[str, Incident] = {}
        self._causes: dict[str, dict[str, Incident]] = {}
        self._ended: set[str] = set()
        self._ended_since: dict[str, float] = {}

    def read(
        self, connection: Connection, servers: Collection[str], own: Iterable[Incident]
    ) -> tuple[Twins, Mapping[str, tuple[Incident, ...]]]:
        """Return the twins of a target's incidents, and target -> the open incidents there that hold others back.

        `own`: the target's incidents. Twins that ended since the first of those began are among the result, so that the end can name them.
        """
        with self._reading:
            return self._read(connection, servers, own)

    def _read(
        self, connection: Connection, servers: Collection[str], own: Iterable[Incident]
    ) -> tuple[Twins, Mapping[str, tuple[Incident, ...]]]:
        number = int(connection.execute("SELECT number FROM changes").fetchone()[0])
        if self.outdated or number < self._number or len(self._ended) > MOST_ENDED:
            self._forget()
        if self._number < 0:
            self._take(_rows(connection, _OPEN, {}))
        elif number > self._number:
            self._take(_rows(connection, _CHANGED, {"number": self._number}))
        self._number = number
        began = [incident.started_at for incident in own if incident.server]
        if began:
            self._reach_back(connection, servers, min(began))
        return self._twins, _Causes(self._causes)

    def _reach_back(self, connection: Connection, servers: Collection[str], since: float) -> None:
        """Read what ended between `since` and what is known of already."""
        for server in servers:
            until = self._ended_since.get(server, inf)
            if since < until:
                self._take(_rows(connection, _ENDED, {"server": server, "since": since, "until": until}))
                self._ended_since[server] = since

    def _take(self, incidents: Iterable[Incident]) -> None:
        """Note incidents as they are now."""
        shared: list[Incident] = []
        before: list[Incident] = []
        for incident in incidents:
            was = self._known.pop(incident.id, None)
            if was is not None and was.server:
                before.append(was)
            self._causes.get(incident.target, {}).pop(incident.id, None)
            self._ended.discard(incident.id)
            if incident.server and (incident.open or incident.fired_at is not None):
                shared.append(incident)
                self._known[incident.id] = incident
                if not incident.open:
                    self._ended.add(incident.id)
            if incident.open and incident.inhibits and (incident.server or incident.state is not State.PENDING):
                self._causes.setdefault(incident.target, {})[incident.id] = incident
        if shared or before:
            self._twins = self._twins.plus(shared, before)


class _Causes(Mapping[str, tuple[Incident, ...]]):
    """Target -> its causes, read as they are asked for: mostly one target of a thousand is."""

    def __init__(self, of_target: Mapping[str, Mapping[str, Incident]]) -> None:
        self._of_target = of_target

    def __getitem__(self, target: str) -> tuple[Incident, ...]:
        return tuple(self._of_target[target].values())

    def __iter__(self) -> Iterator[str]:
        return iter(self._of_target)

    def __len__(self) -> int:
        return len(self._of_target)


def _rows(connection: Connection, sql: str, given: Mapping[str, object]) -> list[Incident]:
    return [incident_from_cells(cells) for cells in tuples(connection, sql, given)]
