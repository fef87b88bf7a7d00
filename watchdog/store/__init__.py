"""The store: incidents, their transitions, the notification log and the outbox, in one SQLite file or PostgreSQL database.

In: a plan, committed in one transaction before anything is sent. Out: what the next cycle, the delivery and the command line need.
"""

from watchdog.store.looks.history import Looked
from watchdog.store.looks.progress import Progress
from watchdog.store.looks.row_cache import CachedTarget
from watchdog.store.outbox.dead_letters import OutboxMessage, OutboxShown, ReceiverOff, Retried
from watchdog.store.outbox.queue import LONGEST_PAUSE_S, Claimed
from watchdog.store.outbox.settling import Settled
from watchdog.store.reads.shown import IncidentShown, MessageShown, Watched
from watchdog.store.refusals import (
    AwayError,
    ConflictError,
    NotApartError,
    NotFoundError,
    NotInForceError,
    OvertakenError,
    StoreError,
    UnsureError,
)
from watchdog.store.store import Store
from watchdog.store.transaction import Transaction

__all__ = [
    "LONGEST_PAUSE_S",
    "AwayError",
    "CachedTarget",
    "Claimed",
    "ConflictError",
    "IncidentShown",
    "Looked",
    "MessageShown",
    "NotApartError",
    "NotFoundError",
    "NotInForceError",
    "OutboxMessage",
    "OutboxShown",
    "OvertakenError",
    "Progress",
    "ReceiverOff",
    "Retried",
    "Settled",
    "Store",
    "StoreError",
    "Transaction",
    "UnsureError",
    "Watched",
]  # fmt: skip
