"""What is sent to receivers: messages, and the record of what each receiver was notified of."""

from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct, field

from watchdog.core.history.chart import Chart
from watchdog.core.model.rows import Cell
from watchdog.core.model.severity import Severity
from watchdog.core.report.report import Report

__all__ = ["DROPPED", "FIRE", "Event", "Message", "Notice", "Notified", "Post", "strongest"]


DROPPED = "*"
"""Stands in for the settings under which a message was refused: an operator dropped it by hand."""


class Event(StrEnum):
    """Why a receiver is notified of an incident."""

    FIRST = "first"
    ESCALATED = "escalated"
    REMINDER = "reminder"
    ACKNOWLEDGED = "acknowledged"
    """Somebody works on it: said only to receivers that keep alerts of their own (`Recipient.tell_acknowledgements`)."""
    RESOLVED = "resolved"


FIRE = (Event.FIRST, Event.ESCALATED, Event.REMINDER, Event.ACKNOWLEDGED)
"""Whoever was last notified of one of these believes that the incident fires."""


class Notice(Struct, frozen=True, gc=False):
    """One incident within one message: a snapshot, taken when the notification was decided."""

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
    """Number of this notification among those of this incident to this receiver, from 1."""
    ended: str | None = None
    resolved_at: float | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Cell] = field(default_factory=dict)
    summary: str = ""
    description: str = ""
    runbook: str = ""
    targets: tuple[str, ...] = ()
    flapping: bool = False
    fires: int = 0
    fires_over_s: float = 0.0
    """How often it fired, and how long it took from the first to the last time: shown if it is flapping."""
    link: str = ""
    """The Flower page that shows it; empty if there is none."""
    because: tuple[str, ...] = ()
    """Open incidents that explain it, in words: `BrokerUnreachable redis for 4m`."""
    trend: str = ""
    """How its figure went in the last half hour: `length in 30m: ▁▁▂▅█ up to 60`."""
    deploy: str = ""
    """A deploy shortly before it began: `6m after deploy v512`."""
    closed_by: str = ""
    """Who closed it by hand."""
    closed_because: str = ""
    """The reason that they gave."""
    remedy: str = ""
    """What was done about it by itself, and whether it helped."""


class Post(Struct, frozen=True):
    """What a receiver shows of an earlier message, and can change: its handle there, and the newest notice of each of its incidents."""

    handle: str
    notices: tuple[Notice, ...]


class Message(Struct, frozen=True):
    """What one receiver is sent at once. `id` is its `webhook-id` and never changes. Times are epoch seconds."""

    id: str
    receiver: str
    target: str
    created_at: float
    notices: tuple[Notice, ...]
    not_before: float = 0.0
    since: float = 0.0
    """When the oldest of its notices was first decided; 0: when the message was created."""
    service: str = "watchdog"
    group_id: str = ""
    """The group of incidents that it is about, for as long as the group lives; empty: a message of an earlier version."""
    digest: Report | None = None
    """A report, in place of notices."""
    still: int = 0
    """How many others of the group fire, as far as the receiver was told: counted as the message is sent, if one in it ended or is
    acknowledged."""
    acknowledged: int = 0
    """How many of these somebody works on, as far as the receiver was told."""
    posts: tuple[Post, ...] = ()
    """Earlier messages about its incidents that the receiver can change, newest first; filled in for each attempt."""
    chart: Chart | None = None
    """How the figure of its most urgent incident went: read as the message is sent first, for receivers that show charts."""

    @property
    def group_is_over(self) -> bool:
        """Whether nothing of its group fires any more, as far as the receiver is told."""
        return not self.still and all(notice.event is Event.RESOLVED for notice in self.notices)


class Notified(Struct, frozen=True, gc=False):
    """What a receiver has been notified of about an incident, counting only messages that may have arrived.

    `event` is None if none may have arrived. `refused`: the last event was permanently refused under receiver settings `settings` (a
    fingerprint), or dropped by hand (`DROPPED`), which holds for any settings.
    """

    incident: str
    receiver: str
    event: Event | None
    severity: Severity
    sequence: int
    at: float
    refused: Event | None = None
    settings: str = ""
    group_id: str = ""


def strongest(events: list[Event]) -> Event:
    """Return the event that names a message: escalated, first, reminder, acknowledged, resolved, in this order."""
    order = [Event.ESCALATED, Event.FIRST, Event.REMINDER, Event.ACKNOWLEDGED, Event.RESOLVED]
    return min(events, key=order.index)
