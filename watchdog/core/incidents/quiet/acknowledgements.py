"""Acknowledgements: a person knows of an incident and works on it, so that nobody is reminded.

An acknowledgement holds for the severity it was given at: an incident that gets worse is notified of again. It never hides an end.
"""

from msgspec import Struct

from watchdog.core.incidents.lifecycle import Incident
from watchdog.core.model.severity import Severity

__all__ = ["Acknowledgement"]


class Acknowledgement(Struct, frozen=True):
    """Who knows of an incident, since `at` (epoch seconds)."""

    incident: str
    at: float
    severity: Severity
    comment: str = ""
    author: str = ""

    def holds_for(self, incident: Incident) -> bool:
        """Whether it was given at this severity or a higher one."""
        return self.severity.rank >= incident.severity.rank
