"""The handover from one configuration to the next, in the database: one transaction, at a reload as at a start.

In: the names, settings and targets of the new configuration, and the receivers of the old one that can still be notified. Out: renamed
receivers keep their notification log; incidents of removed targets have ended; removed receivers have a final notification in the outbox
(that everything has ended for them). It is sent with their old settings if these are still known, and is a dead letter if not.
"""

from collections.abc import Mapping

import structlog
from msgspec import Struct

from watchdog.core.incidents.decide import end_target
from watchdog.core.incidents.notify import final_notification
from watchdog.core.incidents.routing import Recipient
from watchdog.receivers.base import Receiver
from watchdog.store import Store, Transaction

__all__ = ["FINAL_NOTIFICATION_S", "Handover", "hand_over"]

log = structlog.get_logger()

FINAL_NOTIFICATION_S = 3600.0
"""How long delivery to a removed receiver is still attempted, in seconds."""

_EVENTS = {"renamed": "receiver_renamed", "target": "target_removed", "removed": "receiver_removed"}

SETTINGS_UNKNOWN = "the receiver was taken out of the configuration, and its settings are not known any more: watchdog was restarted"


class Handover(Struct, frozen=True):
    """The input of a handover. `was`: old name -> new name. `removed`: receivers that are no longer configured, by name."""

    recipients: tuple[Recipient, ...]
    targets: frozenset[str]
    service: str
    was: Mapping[str, str]
    removed: Mapping[str, Receiver]
    in_force: str = ""
    """The fingerprint of the new configuration, if others look by it."""


def hand_over(store: Store, handover: Handover, now: float) -> frozenset[str]:
    """Returns the removed receivers that still have messages waiting. `StoreError`: nothing was changed."""
    notes: list[tuple[str, dict[str, object]]] = []
    with store.cycle() as transaction:
        transaction.put_in_force(handover.in_force)
        for old, new in handover.was.items():
            if transaction.rename_receiver(old, new):
                notes.append(("renamed", {"receiver": new, "was": old}))
        for target in sorted(transaction.unfinished_targets() - handover.targets):
            plan = end_target(target, transaction.load(target), handover.recipients, now, handover.service)
            transaction.commit(plan)
            if plan.incidents:
                notes.append(("target", {"target": target, "ended": len(plan.incidents)}))
        known = {recipient.name for recipient in handover.recipients}
        for name in sorted(known):
            transaction.stay(name)
        for name in sorted(transaction.unfinished_receivers() - known):
            given_up = _notify_finally(transaction, name, handover, now)
            if given_up or name in handover.removed:
                notes.append(("removed", {"receiver": name, "given_up": given_up}))
        waited_for = frozenset(name for name in handover.removed if transaction.unfinished_messages(name))
    for what, fields in notes:  # logged only after the commit
        log.info(_EVENTS[what], **fields)
    return waited_for


def _notify_finally(transaction: Transaction, name: str, handover: Handover, now: float) -> int:
    """Queue the final notification. Returns how many messages were given up at once."""
    removed = handover.removed.get(name)
    recipient = Recipient(name, removed.human, removed.settings) if removed else Recipient(name)
    for target in sorted(transaction.unfinished_targets()):
        messages, withdrawn = final_notification(transaction.load(target), recipient, target, now, handover.service)
        transaction.queue(messages, withdrawn, now)
    if removed:
        transaction.leave_by(name, now + FINAL_NOTIFICATION_S)
        return 0
    return transaction.give_up(name, SETTINGS_UNKNOWN)
