"""What was: incidents of a rule, and those that were open at an earlier time, for `watchdog why`; whole lives, for `watchdog report`; what
ended, for the page.
"""

import json
from collections.abc import Collection, Mapping

from msgspec import Struct

from watchdog.core.incidents.lifecycle import Incident, Transition
from watchdog.core.incidents.quiet.acknowledgements import Acknowledgement
from watchdog.store.migrations import OPEN_STATES
from watchdog.store.records import incident_from, transition_from
from watchdog.store.requests import acknowledgements
from watchdog.store.sql import Database

__all__ = ["IncidentHistory", "Life"]


class Life(Struct, frozen=True):
    """An incident, with everything that happened to it, oldest first."""

    incident: Incident
    transitions: tuple[Transition, ...]
    acknowledgements: tuple[Acknowledgement, ...]


_OF_RULE = "SELECT * FROM incidents WHERE rule = ? ORDER BY started_at, id"
_OPEN_THEN = f"""
    SELECT * FROM incidents WHERE target = :target AND started_at <= :at
    AND (state IN {OPEN_STATES} OR EXISTS (SELECT 1 FROM transitions WHERE incident = incidents.id AND at > :at)) ORDER BY id"""  # noqa: S608
"""An incident's `resolved_at` is when its quiet began; it was open until its last transition."""
_FIRED_SINCE = f"""
    SELECT * FROM incidents WHERE fired_at IS NOT NULL AND (state IN {OPEN_STATES} OR resolved_at >= :since)
    ORDER BY id"""  # noqa: S608 - our own SQL
_TOLD_BY_RULE = """
    SELECT incidents.rule, count(*) AS notifications, count(DISTINCT incidents.id) AS incidents
    FROM messages JOIN notices ON notices.message = messages.id JOIN incidents ON incidents.id = notices.incident
    WHERE messages.state = 'delivered' AND delivered_at >= :since AND delivered_at < :until
        AND (:targets IS NULL OR incidents.target IN (SELECT value FROM json_each(:targets)))
    GROUP BY incidents.rule"""
_ENDED = "FROM incidents WHERE resolved_at >= ? AND fired_at IS NOT NULL"
_PAGE_OF_ENDED = f"SELECT * {_ENDED} ORDER BY resolved_at DESC, id DESC LIMIT ? OFFSET ?"
_MOVES = "SELECT * FROM transitions WHERE incident = ? ORDER BY number"


class IncidentHistory:
    """The part of the store that reads what was."""

    _file: Database

    def incidents_of(self, rule: str) -> tuple[Incident, ...]:
        """All incidents of a rule that are kept, also those that never fired, oldest first."""
        with self._file.speaking():
            return tuple(map(incident_from, self._file.connection().execute(_OF_RULE, (rule,))))

    def ended_incidents(self, since: float, most: int, skip: int = 0) -> tuple[tuple[Incident, ...], int]:
        """Incidents that fired and ended since `since`, the last first, after `skip` of them and at most `most`; and how many there are."""
        with self._file.speaking():
            connection = self._file.connection()
            found = tuple(map(incident_from, connection.execute(_PAGE_OF_ENDED, (since, most, skip))))
            return found, int(connection.execute(f"SELECT count(*) {_ENDED}", (since,)).fetchone()[0])

    def open_then(self, target: str, at: float) -> tuple[tuple[Incident, tuple[Transition, ...]], ...]:
        """The incidents of a target that were open at `at`, as they are stored now, with their transitions."""
        with self._file.speaking():
            connection = self._file.connection()
            found = map(incident_from, connection.execute(_OPEN_THEN, {"target": target, "at": at}).fetchall())
            return tuple((one, tuple(map(transition_from, connection.execute(_MOVES, (one.id,))))) for one in found)

    def lives(self, since: float) -> tuple[Life, ...]:
        """The incidents that fired and were open at some time since `since`, with everything that happened to them, oldest first."""
        with self._file.speaking():
            connection = self._file.connection()
            found = tuple(map(incident_from, connection.execute(_FIRED_SINCE, {"since": since}).fetchall()))
            return tuple(
                Life(one, tuple(map(transition_from, connection.execute(_MOVES, (one.id,)))), acknowledgements.history(connection, one.id))
                for one in found
            )

    def told_by_rule(self, since: float, until: float, targets: Collection[str] | None = None) -> Mapping[str, tuple[int, int]]:
        """Rule -> how often receivers were notified by it between these times, and of how many incidents. `targets`: of these alone."""
        given = {"since": since, "until": until, "targets": None if targets is None else json.dumps(list(targets))}
        with self._file.speaking():
            return {row["rule"]: (row["notifications"], row["incidents"]) for row in self._file.connection().execute(_TOLD_BY_RULE, given)}
