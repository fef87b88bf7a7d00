"""The receivers that watchdog knows.

A new one is one file here and one line in `RECEIVERS`: a settings class (a `ReceiverSettings` with a literal `type`, strict, secrets as
`SecretStr`) and a class with the methods of `base.Receiver`, made from those settings alone. `render` is pure; `send` makes one attempt and
sorts what came of it into `Delivered`, `Later` and `Refused`, with a reason that names what to mend and holds no secret (`http_attempt`
does it for anything posted over HTTP). Client libraries are imported on the first attempt. The contract tests walk this mapping.
"""

from collections.abc import Callable, Mapping
from typing import Any

from watchdog.receivers.base import Receiver
from watchdog.receivers.console import ConsoleReceiver, ConsoleSettings
from watchdog.receivers.settings import ReceiverSettings
from watchdog.receivers.webhook import WebhookReceiver, WebhookSettings

__all__ = ["RECEIVERS"]

RECEIVERS: Mapping[str, tuple[type[ReceiverSettings], Callable[[Any], Receiver]]] = {
    "webhook": (WebhookSettings, WebhookReceiver),
    "console": (ConsoleSettings, ConsoleReceiver),
}
"""Kind -> (its settings, what makes a receiver from them)."""
