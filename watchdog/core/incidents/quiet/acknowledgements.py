"""Acknowledgements: a person knows of an incident and works on it, so that nobody is reminded.

An acknowledgement holds for the severity it was given at: an incident that gets worse is notified of again. It never hides an end.
"""

from collections.abc import Iterable, Mapping

from msgspec import Struct

from watchdog.core.incidents.lifecycle import Incident
from watchdog.core.model.severity import Severity

__all__ = ["OVERTAKEN", "Acknowledgement", "overtaken"]

OVERTAKEN = "the incident got worse"
"""Why an acknowledgement is taken back that no longer holds."""


class Acknowledgement(Struct, frozen=True):
    """Who knows of an incident, since `at` (epoch seconds)."""

    incident: str
    at: float
    severity: Severity
    comment: str = ""
    author: str = ""
    until: float | None = None
    """When it was taken back; None if it holds until the incident ends."""
    why: str = ""
    """Why it was taken back."""

    def holds_for(self, incident: Incident) -> bool:
        """Whether it was given at this severity or a higher one."""
        return self.severity.rank >= incident.severity.rank


def overtaken(acknowledged: Mapping[str, Acknowledgement], incidents: Iterable[Incident]) -> tuple[str, ...]:
    """Return the ids of those acknowledged incidents that have become worse, whose acknowledgement is therefore taken back."""
    if not acknowledged:
        return ()
    return tuple(one.id for one in incidents if (given := acknowledged.get(one.id)) is not None and not given.holds_for(one))
