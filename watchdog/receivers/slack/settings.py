"""Settings of Slack receivers: an incoming webhook (`url`), or a bot (`token` and `channel`)."""

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, SecretStr, StrictStr, model_validator

from watchdog.receivers.http.settings import HttpSettings, HttpUrl
from watchdog.receivers.pictures.settings import ChartSettings
from watchdog.receivers.settings import DigestSettings

__all__ = ["SlackSettings"]

_TOKEN = re.compile(r"xox[bp]-[A-Za-z0-9-]{6,250}", re.ASCII)
_CHANNEL = re.compile(r"[CGD][A-Z0-9]{6,20}|#?[^\s#@,]{1,80}")


def _checked_token(token: SecretStr) -> SecretStr:
    if not _TOKEN.fullmatch(token.get_secret_value()):
        raise ValueError("expected the token of a bot as Slack gives it, such as xoxb-… (your app, OAuth & Permissions)")
    return token


def _checked_channel(channel: str) -> str:
    if not _CHANNEL.fullmatch(channel):
        raise ValueError('expected the ID of a channel, such as "C0123456789", or the name of a public one, such as "#alerts"')
    return channel


class SlackSettings(ChartSettings, DigestSettings, HttpSettings):
    """`type = "slack"`. `url` is an incoming webhook, which determines name, picture and channel: a message cannot set them.

    Or `token` is that of a bot which writes to `channel`; then `url` is that of another Slack's API, such as GovSlack's.
    """

    type: Literal["slack"]
    url: HttpUrl = SecretStr("https://slack.com/api")
    token: Annotated[SecretStr, AfterValidator(_checked_token)] | None = None
    channel: Annotated[StrictStr, AfterValidator(_checked_channel)] | None = None
    per_second: Annotated[float, Field(gt=0, le=1000)] = 1.0

    @model_validator(mode="after")
    def _is_a_webhook_or_a_bot(self) -> Self:
        if self.token is None and "url" not in self.model_fields_set:
            raise ValueError("expected `url`, an incoming webhook, or the `token` of a bot and its `channel`; found neither")
        if (self.token is None) != (self.channel is None):
            expected, there = ("`channel`", "`token`") if self.channel is None else ("the `token` of a bot", "`channel`")
            raise ValueError(f"expected {expected} beside {there}, found none; a webhook needs only `url`")
        if self.chart and self.token is None:
            raise ValueError("expected the `token` of a bot and its `channel` beside `chart`, found a webhook, which takes no pictures")
        return self

    @property
    def address(self) -> str:
        """A webhook, or a bot's channel: Slack limits the messages to each."""
        return self.address_of(self.token, self.channel)

    def fingerprint(self) -> str:
        """A bot's has a type of its own: it cannot use the bodies that were made for a webhook."""
        printed = super().fingerprint()
        return printed.replace("slack:", "slack-bot:", 1) if self.token else printed
