"""From one configuration to the next, in the database: one transaction, at a reload as at a start.

In: the names, settings and targets of the new configuration, and the receivers of the old one that can still be told. Out: renamed
receivers own what they were told; targets that are gone have ended; receivers that are gone have their farewell in the outbox (all that
burns has ended for them), which is sent with their old settings where these are still known, and is a dead letter where they are not.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import structlog

from watchdog.core.incidents.decide import end_target
from watchdog.core.incidents.notify import Addressee, farewell
from watchdog.receivers.base import Receiver
from watchdog.store import Store, Transaction

__all__ = ["FAREWELL_S", "Handing", "hand_over"]

log = structlog.get_logger()

FAREWELL_S = 3600.0
"""How long a receiver that was taken out is still tried."""

_EVENTS = {"renamed": "receiver_renamed", "target": "target_removed", "removed": "receiver_removed"}

SETTINGS_UNKNOWN = "the receiver was taken out of the configuration, and its settings are not known any more: watchdog was restarted"


@dataclass(frozen=True, slots=True)
class Handing:
    """What is handed over to. `was`: old name -> new one. `leaving`: receivers that are not configured any more, by name."""

    addressees: tuple[Addressee, ...]
    targets: frozenset[str]
    service: str
    was: Mapping[str, str]
    leaving: Mapping[str, Receiver]


def hand_over(store: Store, handing: Handing, now: float) -> frozenset[str]:
    """Which of those leaving have something waiting for them. StoreError: nothing was changed."""
    notes: list[tuple[str, dict[str, object]]] = []
    with store.cycle() as transaction:
        for old, new in handing.was.items():
            if transaction.rename_receiver(old, new):
                notes.append(("renamed", {"receiver": new, "was": old}))
        for target in sorted(transaction.unfinished_targets() - handing.targets):
            plan = end_target(target, transaction.load(target), handing.addressees, now, handing.service)
            transaction.commit(plan)
            if plan.incidents:
                notes.append(("target", {"target": target, "ended": len(plan.incidents)}))
        known = {addressee.name for addressee in handing.addressees}
        for name in sorted(known):
            transaction.stay(name)
        for name in sorted(transaction.unfinished_receivers() - known):
            given_up = _say_farewell(transaction, name, handing, now)
            if given_up or name in handing.leaving:
                notes.append(("removed", {"receiver": name, "given_up": given_up}))
        waited_for = frozenset(name for name in handing.leaving if transaction.unfinished_messages(name))
    for what, fields in notes:  # spoken of once it holds
        log.info(_EVENTS[what], **fields)
    return waited_for


def _say_farewell(transaction: Transaction, name: str, handing: Handing, now: float) -> int:
    """How many letters were given up at once."""
    leaving = handing.leaving.get(name)
    addressee = Addressee(name, leaving.human, leaving.settings) if leaving else Addressee(name)
    for target in sorted(transaction.unfinished_targets()):
        messages, withdrawn = farewell(transaction.load(target), addressee, target, now, handing.service)
        transaction.queue(messages, withdrawn, now)
    if leaving:
        transaction.leave_by(name, now + FAREWELL_S)
        return 0
    return transaction.give_up(name, SETTINGS_UNKNOWN)
