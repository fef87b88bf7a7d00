"""A spell: one incident from when it fired to its end, of a replay or of the daemon.

In: incidents. Out: what the two have in common, so that they can be compared.
"""

from collections.abc import Mapping

from msgspec import Struct, field

from watchdog.core.incidents.lifecycle import Incident
from watchdog.core.model.severity import Severity

__all__ = ["Spell", "spell_of"]


class Spell(Struct, frozen=True):
    """One incident that fired. `until`: when it ended (None: it had not). `told_at`: when somebody was told first (None: nobody was)."""

    rule: str
    target: str
    key: Mapping[str, str]
    severity: Severity
    fired_at: float
    until: float | None
    told_at: float | None
    summary: str
    ended: str = ""
    id: str = field(default="")
    trial: bool = False

    @property
    def about(self) -> tuple[str, str, tuple[tuple[str, str], ...]]:
        """What it is about: rule, target and key."""
        return self.rule, self.target, tuple(sorted(self.key.items()))

    def overlaps(self, other: "Spell") -> bool:
        """Whether both fired at some time."""
        infinity = float("inf")
        return self.fired_at <= (infinity if other.until is None else other.until) and other.fired_at <= (
            infinity if self.until is None else self.until
        )


def spell_of(incident: Incident, told_at: float | None) -> Spell | None:
    """Return an incident as a spell; None if it never fired."""
    if incident.fired_at is None:
        return None
    return Spell(
        incident.rule,
        incident.target,
        incident.key,
        incident.severity,
        incident.fired_at,
        None if incident.open else incident.resolved_at,
        told_at,
        incident.summary,
        incident.ended.value if incident.ended is not None else "",
        incident.id,
        incident.trial,
    )
