"""The generic webhook: one POST of JSON per message, with the headers of Standard Webhooks 1.0.0 (standardwebhooks.com).

`webhook-id` is the message's id, the same for every attempt, so that a receiver can drop repeats; timestamp and signature are per attempt.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping

from watchdog.core.incidents.messages import Message
from watchdog.core.incidents.outcome import Outcome
from watchdog.core.incidents.payload import encode
from watchdog.core.text.secrets import outside_templates
from watchdog.receivers.http.receiver import JSON, HttpReceiver
from watchdog.receivers.webhook.settings import PREFIX, WebhookSettings, key_of

__all__ = ["WebhookReceiver", "signature"]


class WebhookReceiver(HttpReceiver):
    """Posts to one URL."""

    human = False

    def __init__(self, settings: WebhookSettings) -> None:
        self._key = key_of(settings.secret) if settings.secret else None
        given = {name: value.get_secret_value() for name, value in settings.headers.items()}
        signing = settings.secret.get_secret_value() if settings.secret else ""
        hidden = [piece for value in given.values() for piece in outside_templates(value)]
        secrets = [*hidden, signing, signing.removeprefix(PREFIX)]
        super().__init__(settings, settings.attempt(secrets=secrets), headers=given)

    def render(self, message: Message) -> bytes:
        """The JSON of `core.incidents.payload`."""
        return encode(message)

    def send(self, body: bytes, message_id: str, now: float) -> Outcome:
        """One attempt."""
        return self._post(body, {**self._headers, **JSON}, message_id, now)

    def _post(self, body: bytes, headers: Mapping[str, str], message_id: str, now: float) -> Outcome:
        timestamp = str(int(now))
        own = {"webhook-id": message_id, "webhook-timestamp": timestamp}
        if self._key is not None:
            own["webhook-signature"] = signature(self._key, message_id, timestamp, body)
        once = {name.lower(): value for name, value in (*headers.items(), *own.items())}  # no header twice
        return self._attempt.post(body, once, now)


def signature(key: bytes, message_id: str, timestamp: str, body: bytes) -> str:
    """`v1,` and the base64 of HMAC-SHA256 over id, timestamp and the bytes sent, joined by dots."""
    digest = hmac.new(key, b".".join([message_id.encode(), timestamp.encode(), body]), hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode()
