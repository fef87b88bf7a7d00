"""The kinds of receivers.

A new kind is one file here and one line in `RECEIVERS`: a settings class (a `ReceiverSettings` with a literal `type`, strict, secrets as
`SecretStr`) and a class with the methods of `base.Receiver`, constructed from those settings alone. `render` is pure; `send` makes one
attempt and returns `Delivered`, `Later` or `Refused`, with a reason that names what to fix and contains no secret (`http.receiver` is the
beginning of anything sent over HTTP). Client libraries are imported at the first attempt. The contract tests iterate over this mapping.
"""

from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct

from watchdog.receivers.apprise import AppriseReceiver, AppriseSettings
from watchdog.receivers.base import Receiver
from watchdog.receivers.chat.discord import DiscordReceiver, DiscordSettings
from watchdog.receivers.chat.mattermost import MattermostReceiver, MattermostSettings
from watchdog.receivers.chat.ntfy import NtfyReceiver, NtfySettings
from watchdog.receivers.chat.rocketchat import RocketchatReceiver, RocketchatSettings
from watchdog.receivers.chat.teams import TeamsReceiver, TeamsSettings
from watchdog.receivers.chat.telegram import TelegramReceiver, TelegramSettings
from watchdog.receivers.console import ConsoleReceiver, ConsoleSettings
from watchdog.receivers.mail.receiver import EmailReceiver
from watchdog.receivers.mail.settings import EmailSettings
from watchdog.receivers.pagerduty import PagerdutyReceiver, PagerdutySettings
from watchdog.receivers.settings import ReceiverSettings
from watchdog.receivers.slack.receiver import slack_receiver
from watchdog.receivers.slack.settings import SlackSettings
from watchdog.receivers.webhook.settings import WebhookSettings
from watchdog.receivers.webhook.shaped import webhook_receiver

__all__ = ["RECEIVERS", "ReceiverKind"]


class ReceiverKind(Struct, frozen=True):
    """A kind of receiver: its class, constructed by `receiver(settings)`, and its settings class (`extra="forbid"`, frozen)."""

    receiver: Callable[[Any], Receiver]
    settings: type[ReceiverSettings]
    holds_open: bool = False
    """Whether what began there stays open until its end comes: a test message is followed by its end, and it hears who works on what."""


RECEIVERS: Mapping[str, ReceiverKind] = {
    "webhook": ReceiverKind(webhook_receiver, WebhookSettings),
    "slack": ReceiverKind(slack_receiver, SlackSettings),
    "discord": ReceiverKind(DiscordReceiver, DiscordSettings),
    "teams": ReceiverKind(TeamsReceiver, TeamsSettings),
    "mattermost": ReceiverKind(MattermostReceiver, MattermostSettings),
    "rocketchat": ReceiverKind(RocketchatReceiver, RocketchatSettings),
    "telegram": ReceiverKind(TelegramReceiver, TelegramSettings),
    "ntfy": ReceiverKind(NtfyReceiver, NtfySettings),
    "email": ReceiverKind(EmailReceiver, EmailSettings),
    "pagerduty": ReceiverKind(PagerdutyReceiver, PagerdutySettings, holds_open=True),
    "apprise": ReceiverKind(AppriseReceiver, AppriseSettings),
    "console": ReceiverKind(ConsoleReceiver, ConsoleSettings),
}
"""Kind, as `type` in the configuration -> class and settings."""
