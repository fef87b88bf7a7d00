"""What is notified: receivers, what the core knows of them, and the tree of routes.

In: settings. Out: receivers that are ready to send, recipients, the routing.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from msgspec.structs import replace

from watchdog.config.sections.mutes import muting, to_windows
from watchdog.config.sections.routes import routing_of
from watchdog.config.settings import Settings
from watchdog.receivers import RECEIVERS
from watchdog.receivers.base import Receiver

if TYPE_CHECKING:
    from watchdog.core.incidents.routing import Recipient, Routing, Terms

__all__ = ["build_receivers", "build_recipients", "build_routing"]


def build_receivers(settings: Settings) -> list[Receiver]:
    """The configured receivers."""
    return [RECEIVERS[receiver.type].receiver(receiver) for receiver in settings.receiver]


def build_recipients(receivers: Iterable[Receiver], settings: Settings) -> "tuple[Recipient, ...]":
    """What the core knows of the receivers."""
    from watchdog.core.incidents.routing import Recipient  # noqa: PLC0415

    asked, terms = {receiver.name: receiver for receiver in settings.receiver}, _terms(settings)
    return tuple(
        Recipient(r.name, r.human, r.settings, its.min_severity, its.matchers, terms[r.name], its.tell_silences, kind.holds_open)
        for r in receivers
        for its in [asked[r.name]]
        for kind in [RECEIVERS[its.type]]
    )


def build_routing(settings: Settings) -> "Routing":
    """The tree of routes."""
    return routing_of(settings.route, _terms(settings), to_windows(settings.mute))


def _terms(settings: Settings) -> "dict[str, Terms]":
    """Receiver -> its own terms."""
    windows = to_windows(settings.mute)
    return {one.name: replace(one.terms, mutes=muting(windows, one.mute)) for one in settings.receiver}
