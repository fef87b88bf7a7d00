"""The plan: all that a cycle wants written, as one value; and what a cycle loads before it decides."""

from collections.abc import Mapping

from msgspec import Struct, field

from watchdog.core.incidents.lifecycle import Incident, Transition
from watchdog.core.incidents.messages import Message, Notified
from watchdog.core.model.rows import Sample

__all__ = ["Loaded", "Plan"]


class Loaded(Struct, frozen=True):
    """What the database says of one target when a cycle begins to decide.

    `notified`: (incident id, receiver) -> what it was told, for open incidents and for ended ones whose end is still owed.
    `waiting`: messages that never left and may still be merged or withdrawn, oldest first.
    `unsettled`: incidents that have ended (fired once) while somebody who was told of them has not been told, or sent, the end.
    """

    open: tuple[Incident, ...] = ()
    unsettled: tuple[Incident, ...] = ()
    notified: Mapping[tuple[str, str], Notified] = field(default_factory=dict)
    waiting: tuple[Message, ...] = ()
    previous_cycle_at: float | None = None
    off: frozenset[str] = frozenset()
    """Receivers that are switched off: nothing is tried there until somebody mends them."""
    last_message: int = 0
    """Number of the last message ever made: part of the next ones' names, for the clock may be set back to a time that was before."""


class Plan(Struct, frozen=True):
    """What one cycle writes, in one transaction: nothing is sent that is not in it."""

    target: str
    at: float
    incidents: tuple[Incident, ...] = ()
    """New and changed ones."""
    transitions: tuple[Transition, ...] = ()
    messages: tuple[Message, ...] = ()
    """New ones."""
    withdrawn: tuple[str, ...] = ()
    """Ids of waiting messages that newer ones replace, or that cancelled out."""
    memories: Mapping[str, object] = field(default_factory=dict)
    """Table -> what it remembers."""
    samples: Mapping[str, Sample] = field(default_factory=dict)
    """Table -> what this cycle saw, for windowed columns."""
    keep_samples_s: float = 900.0
    """Older samples of this target may go."""
