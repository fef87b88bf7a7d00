"""What was: the incidents of a rule, and those of a target that were open at an earlier time, for `watchdog why`."""

from watchdog.core.incidents.lifecycle import Incident, Transition
from watchdog.store.database import DatabaseFile
from watchdog.store.migrations import OPEN_STATES
from watchdog.store.records import incident_from, transition_from

__all__ = ["incidents_of", "open_then"]

_OF_RULE = "SELECT * FROM incidents WHERE rule = ? ORDER BY started_at, id"
_OPEN_THEN = f"""
    SELECT * FROM incidents WHERE target = :target AND started_at <= :at
    AND (state IN {OPEN_STATES} OR EXISTS (SELECT 1 FROM transitions WHERE incident = incidents.id AND at > :at)) ORDER BY id"""  # noqa: S608
"""An incident's `resolved_at` is when its quiet began; it was open until its last transition."""
_MOVES = "SELECT * FROM transitions WHERE incident = ? ORDER BY number"


def incidents_of(file: DatabaseFile, rule: str) -> tuple[Incident, ...]:
    """All incidents of a rule that are kept, also those that never fired, oldest first."""
    with file.speaking():
        return tuple(map(incident_from, file.connection().execute(_OF_RULE, (rule,))))


def open_then(file: DatabaseFile, target: str, at: float) -> tuple[tuple[Incident, tuple[Transition, ...]], ...]:
    """The incidents of a target that were open, with their transitions."""
    with file.speaking():
        connection = file.connection()
        found = map(incident_from, connection.execute(_OPEN_THEN, {"target": target, "at": at}).fetchall())
        return tuple((one, tuple(map(transition_from, connection.execute(_MOVES, (one.id,))))) for one in found)
