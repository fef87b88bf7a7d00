"""Settings of webhooks."""

import base64
import binascii
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, SecretStr, StrictStr, ValidationInfo, model_validator

from watchdog.receivers.http.settings import Headers, HttpSettings
from watchdog.receivers.settings import DigestSettings
from watchdog.receivers.webhook.templates import check_body, check_headers, is_template

__all__ = ["PREFIX", "WebhookSettings", "key_of"]

PREFIX = "whsec_"


def _checked_secret(secret: SecretStr) -> SecretStr:
    key_of(secret)
    return secret


def _checked_headers(headers: dict[str, SecretStr]) -> dict[str, SecretStr]:
    check_headers(headers)
    return headers


def _checked_body(body: str, info: ValidationInfo) -> str:
    check_body(body, info.data.get("headers", {}))
    return body


class WebhookSettings(DigestSettings, HttpSettings):
    """`type = "webhook"`. `body`: a template in place of watchdog's JSON; values of `headers` may be templates, too."""

    type: Literal["webhook"]
    secret: Annotated[SecretStr, AfterValidator(_checked_secret)] | None = None
    headers: Annotated[Headers, AfterValidator(_checked_headers)] = Field(default_factory=dict)
    body: Annotated[StrictStr, Field(min_length=1), AfterValidator(_checked_body)] | None = None

    @property
    def is_shaped(self) -> bool:
        """Whether there is a template in it."""
        return self.body is not None or any(is_template(value.get_secret_value()) for value in self.headers.values())

    @model_validator(mode="after")
    def _has_no_template_for_reports(self) -> Self:
        if self.is_shaped and self.digest is not None:
            raise ValueError("a webhook with templates takes no digest: a report has no incidents; expected a receiver of its own for it")
        return self

    def fingerprint(self) -> str:
        """One with templates has a type of its own: what was made for another cannot be sent with them."""
        printed = super().fingerprint()
        return printed.replace("webhook:", "webhook-shaped:", 1) if self.is_shaped else printed


def key_of(secret: SecretStr) -> bytes:
    """The key's bytes; the ValueError says what is expected, and never what was found."""
    text = secret.get_secret_value().strip().removeprefix(PREFIX)
    try:
        key = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not key:
        raise ValueError(f"expected `{PREFIX}` and the key in base64 (24 to 64 random bytes: `openssl rand -base64 32`)")
    return key
