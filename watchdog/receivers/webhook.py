"""The generic webhook: one POST of JSON per message, with the headers of Standard Webhooks 1.0.0 (standardwebhooks.com).

`webhook-id` is the message's id, the same for every attempt, so that a receiver can drop repeats; timestamp and signature are per attempt.
"""

import base64
import binascii
import hashlib
import hmac
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr

from watchdog.core.incidents.messages import Message
from watchdog.core.incidents.outcome import Outcome
from watchdog.core.incidents.payload import encode
from watchdog.receivers.http.receiver import JSON, HttpReceiver
from watchdog.receivers.http.settings import Headers, HttpSettings
from watchdog.receivers.settings import DigestSettings

__all__ = ["WebhookReceiver", "WebhookSettings", "signature"]

_PREFIX = "whsec_"


def _checked_secret(secret: SecretStr) -> SecretStr:
    _key_of(secret)
    return secret


class WebhookSettings(DigestSettings, HttpSettings):
    """`type = "webhook"`."""

    type: Literal["webhook"]
    secret: Annotated[SecretStr, AfterValidator(_checked_secret)] | None = None
    headers: Headers = Field(default_factory=dict)


class WebhookReceiver(HttpReceiver):
    """Posts to one URL."""

    human = False

    def __init__(self, settings: WebhookSettings) -> None:
        self._key = _key_of(settings.secret) if settings.secret else None
        given = {name: value.get_secret_value() for name, value in settings.headers.items()}
        signing = settings.secret.get_secret_value() if settings.secret else ""
        secrets = [*given.values(), signing, signing.removeprefix(_PREFIX)]
        super().__init__(settings, settings.attempt(secrets=secrets), headers=given)

    def render(self, message: Message) -> bytes:
        """The JSON of `core.incidents.payload`."""
        return encode(message)

    def send(self, body: bytes, message_id: str, now: float) -> Outcome:
        """One attempt."""
        timestamp = str(int(now))
        own = {**JSON, "webhook-id": message_id, "webhook-timestamp": timestamp}
        if self._key is not None:
            own["webhook-signature"] = signature(self._key, message_id, timestamp, body)
        given = {name: value for name, value in self._headers.items() if name.lower() not in own}  # no header twice
        return self._attempt.post(body, {**given, **own}, now)


def signature(key: bytes, message_id: str, timestamp: str, body: bytes) -> str:
    """`v1,` and the base64 of HMAC-SHA256 over id, timestamp and the bytes sent, joined by dots."""
    digest = hmac.new(key, b".".join([message_id.encode(), timestamp.encode(), body]), hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode()


def _key_of(secret: SecretStr) -> bytes:
    """The key's bytes; the ValueError says what is expected, and never what was found."""
    text = secret.get_secret_value().strip().removeprefix(_PREFIX)
    try:
        key = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not key:
        raise ValueError(f"expected `{_PREFIX}` and the key in base64 (24 to 64 random bytes: `openssl rand -base64 32`)")
    return key
