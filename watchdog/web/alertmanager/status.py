"""What Alertmanager says of itself: its version, its configuration, its cluster; and its receivers.

In: the recipients of the configuration. Out: documents. Clients parse the version and the configuration: these are of Alertmanager's kind.
"""

import json
from collections.abc import Sequence

from msgspec import Struct, field

from watchdog import __version__
from watchdog.core.incidents.routing import Recipient
from watchdog.web.alertmanager.alerts import NOBODY, ReceiverDocument
from watchdog.web.alertmanager.label_sets import instant

__all__ = ["AlertmanagerDocument", "receivers_document", "status_document"]

SPOKEN = "0.25.0"
"""The Alertmanager whose answers these are. karma reads it, to know what it may send."""
NOT_ITS_OWN = "# This is watchdog; its own configuration says who is notified: `watchdog routes test`, `watchdog config show`.\n"


class VersionDocument(Struct, frozen=True, rename="camel"):
    """Which Alertmanager it is like, and what it is."""

    branch: str = "watchdog"
    build_date: str = ""
    build_user: str = ""
    go_version: str = ""
    revision: str = __version__
    version: str = SPOKEN


class ConfigDocument(Struct, frozen=True):
    """The configuration as YAML."""

    original: str


class ClusterDocument(Struct, frozen=True):
    """No cluster."""

    peers: Sequence[str] = ()
    status: str = "disabled"


class AlertmanagerDocument(Struct, frozen=True, rename="camel"):
    """The answer to `status`."""

    config: ConfigDocument
    uptime: str
    cluster: ClusterDocument = ClusterDocument()
    version_info: VersionDocument = field(default_factory=VersionDocument)


def receivers_document(recipients: Sequence[Recipient]) -> list[ReceiverDocument]:
    """All receivers, first that of what nobody is notified of."""
    return [ReceiverDocument(name) for name in dict.fromkeys((NOBODY, *(one.name for one in recipients)))]


def status_document(recipients: Sequence[Recipient], since: float) -> AlertmanagerDocument:
    """What it is, since when."""
    receivers = "".join(f"- name: {json.dumps(one.name)}\n" for one in receivers_document(recipients))
    return AlertmanagerDocument(ConfigDocument(f"{NOT_ITS_OWN}route:\n  receiver: {NOBODY}\nreceivers:\n{receivers}"), instant(since))
