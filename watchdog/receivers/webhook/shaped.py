"""A webhook in the form that its server wants: its body, or some of its headers, are templates.

What is stored of a message is its body, and the values that the templates of headers read: the headers themselves may hold secrets, and
are made as they are sent. What is wrong with a template is said when the configuration is read (`templates`).
"""

import json
from collections.abc import Mapping

from watchdog.core.incidents.messages import Message
from watchdog.core.incidents.outcome import Outcome
from watchdog.core.incidents.payload import encode
from watchdog.core.text.sanitize import sanitize
from watchdog.receivers.http.receiver import JSON, json_bytes
from watchdog.receivers.webhook.receiver import WebhookReceiver
from watchdog.receivers.webhook.settings import WebhookSettings
from watchdog.receivers.webhook.templates import is_template

__all__ = ["ShapedWebhook", "webhook_receiver"]

_LONGEST_HEADER = 1_000


def webhook_receiver(settings: WebhookSettings) -> WebhookReceiver:
    """A receiver for a webhook, with templates or without."""
    return ShapedWebhook(settings) if settings.is_shaped else WebhookReceiver(settings)


class ShapedWebhook(WebhookReceiver):
    """Posts to one URL what its templates make of a message."""

    def __init__(self, settings: WebhookSettings) -> None:
        super().__init__(settings)
        self._body = settings.body
        given = {**JSON, **{name.lower(): value for name, value in self._headers.items()}} if settings.body else {**self._headers, **JSON}
        self._templates = {name: value for name, value in given.items() if is_template(value)}
        self._fixed = {name: value for name, value in given.items() if name not in self._templates}

    def render(self, message: Message) -> bytes:
        """The text of the body, and the values that headers are made of."""
        from watchdog.receivers.webhook.message_template import names_in, render, values_of  # noqa: PLC0415 - imports jinja2, which is slow

        read = {name for text in self._templates.values() for name in names_in(text)}
        values = {name: value for name, value in values_of(message).items() if name in read}
        return json_bytes({"values": values, "body": encode(message).decode() if self._body is None else render(self._body, message)})

    def send(self, body: bytes, message_id: str, now: float) -> Outcome:
        """One attempt."""
        made = json.loads(body)
        return self._post(made["body"].encode(), {**self._fixed, **self._made(made["values"])}, message_id, now)

    def shown(self, body: bytes) -> tuple[Mapping[str, str], str]:
        """For people: the headers, of which only those made of templates are shown, and the body."""
        made = json.loads(body)
        hidden = {name: value if name in JSON else "***" for name, value in self._fixed.items()}
        return {**hidden, **self._made(made["values"])}, made["body"]

    def _made(self, values: Mapping[str, str]) -> dict[str, str]:
        from watchdog.receivers.webhook.message_template import render_values  # noqa: PLC0415

        return {name: _header(render_values(text, values)) for name, text in self._templates.items()}


def _header(text: str) -> str:
    """A value that HTTP takes: one line of ASCII."""
    line = sanitize(" ".join(text.split()))[:_LONGEST_HEADER]
    return line.encode("ascii", "backslashreplace").decode()
