"""A spell: one incident from when it fired to its end, of a replay or of the daemon.

In: incidents. Out: what the two have in common, so that they can be compared.
"""

from collections.abc import Iterable, Mapping

from msgspec import Struct

from watchdog.core.incidents.explain.explained import Explained
from watchdog.core.incidents.lifecycle import Incident
from watchdog.core.incidents.messages import FIRE, Event
from watchdog.core.model.severity import Severity

__all__ = ["Notification", "Spell", "spell_of"]


class Notification(Struct, frozen=True):
    """One notice of an incident: to whom, of what, when, in which message."""

    receiver: str
    event: Event
    at: float
    message: str = ""


class Spell(Struct, frozen=True):
    """One incident that fired. `until`: when it ended (None: it had not). `told`: everything that was said of it, oldest first.

    `untold`: why nobody was told as it fired, if it is known. `server`: what identifies the server that it is about, if it is about one.
    """

    rule: str
    target: str
    key: Mapping[str, str]
    severity: Severity
    fired_at: float
    until: float | None
    told: tuple[Notification, ...]
    summary: str
    ended: str = ""
    id: str = ""
    server: str = ""
    untold: Explained | None = None
    told_as: str = ""
    """The target that shares the server, and is told in its stead."""

    @property
    def about(self) -> tuple[str, str, tuple[tuple[str, str], ...]]:
        """What it is about: rule, target and key."""
        return self.rule, self.target, tuple(sorted(self.key.items()))

    @property
    def told_at(self) -> float | None:
        """When somebody was told first; None: nobody was."""
        return min(self.first_told.values(), default=None)

    @property
    def first_told(self) -> Mapping[str, float]:
        """Receiver -> when it was told first that this fires."""
        first: dict[str, float] = {}
        for one in self.told:
            if one.event in FIRE:
                first[one.receiver] = min(one.at, first.get(one.receiver, one.at))
        return first

    def overlaps(self, other: "Spell") -> bool:
        """Whether both fired at some time."""
        infinity = float("inf")
        return self.fired_at <= (infinity if other.until is None else other.until) and other.fired_at <= (
            infinity if self.until is None else self.until
        )


def spell_of(incident: Incident, told: Iterable[Notification], untold: Explained | None = None) -> Spell | None:
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
        tuple(told),
        incident.summary,
        incident.ended.value if incident.ended is not None else "",
        incident.id,
        incident.server,
        untold,
    )
