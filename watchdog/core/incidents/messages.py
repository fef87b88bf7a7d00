"""What receivers are told: the message, and what each receiver was told of each incident so far."""

from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct, field

from watchdog.core.model.rows import Cell
from watchdog.core.model.severity import Severity

__all__ = ["DROPPED", "Event", "Message", "Notice", "Notified", "strongest"]


DROPPED = "*"
"""In place of the settings under which a message was refused: an operator did not want it told."""


class Event(StrEnum):
    """Why a receiver is told of an incident."""

    FIRST = "first"
    ESCALATED = "escalated"
    REMINDER = "reminder"
    RESOLVED = "resolved"


class Notice(Struct, frozen=True):
    """One incident within one message: a snapshot of it, frozen when the wish was made."""

    incident: str
    fingerprint: str
    event: Event
    rule: str
    target: str
    severity: Severity
    state: str
    """`firing` or `resolved`."""
    key: Mapping[str, str]
    started_at: float
    fired_at: float | None
    sequence: int
    """Counts from 1 what this receiver was told of this incident."""
    ended: str | None = None
    resolved_at: float | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Cell] = field(default_factory=dict)
    summary: str = ""
    description: str = ""
    runbook: str = ""
    targets: tuple[str, ...] = ()
    flapping: bool = False
    link: str = ""
    """The page of Flower that shows it; empty where there is none."""


class Message(Struct, frozen=True):
    """What one receiver is told in one go; `id` is its `webhook-id` for life. Times are epoch seconds."""

    id: str
    receiver: str
    target: str
    created_at: float
    notices: tuple[Notice, ...]
    not_before: float = 0.0
    since: float = 0.0
    """When the oldest of its notices was first wished for; 0: when it was created."""
    service: str = "watchdog"


class Notified(Struct, frozen=True):
    """What a receiver has been told of an incident, counting only what may have arrived.

    `event` is None where nothing may have arrived. `refused`: the last thing it was to be told was refused for good,
    under receiver settings `settings` (a fingerprint), or whatever they are where it was dropped by hand (`DROPPED`).
    """

    incident: str
    receiver: str
    event: Event | None
    severity: Severity
    sequence: int
    at: float
    refused: Event | None = None
    settings: str = ""


def strongest(events: list[Event]) -> Event:
    """The event a message is named for: escalated, first, reminder, resolved, in this order."""
    order = [Event.ESCALATED, Event.FIRST, Event.REMINDER, Event.RESOLVED]
    return min(events, key=order.index)
