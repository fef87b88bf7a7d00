"""What one receiver is notified of, and why not, as values: for `watchdog why`, and for the log of decisions."""

from msgspec import Struct

from watchdog.core.incidents.lifecycle import Incident
from watchdog.core.incidents.messages import Event
from watchdog.core.incidents.quiet.reasons import Reason

__all__ = ["GROUP", "Explained", "Made"]

GROUP = "group"
"""The word for a notification that waits for others of its group."""


class Explained(Struct, frozen=True):
    """What one receiver is notified of about one incident now, or why of nothing."""

    said: Event | None = None
    """What is said now."""
    why: str | None = None
    """One word that never changes: of a `Reason`, the name of a `Why`, or `group`; None if something is said."""
    reason: Reason | None = None
    """The reason to be quiet; for what the receiver knows of, why it is not reminded."""
    until: float | None = None
    """When that may change by itself (epoch seconds)."""
    next: Event | None = None
    """What would be said then, if nothing else changes; None: nothing."""
    for_s: float = 0.0
    """Of `later`: how long it must fire before this receiver is notified."""


class Made(Struct, frozen=True):
    """One decision of a cycle, for the log of decisions."""

    incident: Incident
    verdict: str
    receiver: str
    explained: Explained
