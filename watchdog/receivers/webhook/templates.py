"""Checks the templates of a webhook as the configuration is read.

In: what is configured. Out: nothing, or a ValueError that says what is wrong. A body that is JSON by its content type is tried with awkward
texts: what breaks is found before the first message does.
"""

import json
from collections.abc import Iterator, Mapping

from msgspec.structs import replace
from pydantic import SecretStr

from watchdog.core.incidents.messages import Message

__all__ = ["check_body", "check_headers", "is_template"]

_AWKWARD = 'é "quoted" \\ and\nlines </b>'
"""What texts may hold: a body that joins them to its JSON as they are breaks."""


def is_template(text: str) -> bool:
    """Whether a header's value is a template."""
    return "{{" in text or "{%" in text


def check_headers(headers: Mapping[str, SecretStr]) -> None:
    """ValueError if a template is wrong; it never repeats a value."""
    from watchdog.receivers.webhook.message_template import faults_of  # noqa: PLC0415

    for name, value in headers.items():
        if is_template(value.get_secret_value()) and (faults := faults_of(value.get_secret_value(), loops=False)):
            wrong = "is not a template" if any("not a template" in fault for fault in faults) else "; ".join(faults)
            raise ValueError(f'header "{name}": {wrong}')


def check_body(body: str, headers: Mapping[str, SecretStr]) -> None:
    """ValueError if the template is wrong, or makes no JSON where the content type is JSON."""
    from watchdog.receivers.webhook.message_template import faults_of  # noqa: PLC0415

    content_type = next((value.get_secret_value() for name, value in headers.items() if name.lower() == "content-type"), "json")
    if faults := faults_of(body) or list(_faults_of_examples(body, is_json="json" in content_type.lower())):
        raise ValueError("; ".join(faults))


def _faults_of_examples(template: str, *, is_json: bool) -> Iterator[str]:
    """The first message of an example that the template cannot be made of, or of which it makes no JSON."""
    from watchdog.core.incidents.test_message import messages_for_preview  # noqa: PLC0415
    from watchdog.receivers.webhook.message_template import render  # noqa: PLC0415

    for what, message in messages_for_preview("example", "watchdog", 1.8e9):
        try:
            made = render(template, _awkward(message))
            if is_json:
                json.loads(made)
        except json.JSONDecodeError as error:
            yield (
                f'what it makes of "{what}" is no JSON (its line {error.lineno}: {error.msg}); write texts with the filter json and '
                "without quotes, such as {{ message | json }}"
            )
            return
        except (ValueError, TypeError) as error:
            yield f'it cannot be made of "{what}": {error}'
            return


def _awkward(message: Message) -> Message:
    """The message with texts as they may come, and with what may be missing."""
    strange = {"summary": _AWKWARD, "description": _AWKWARD, "runbook": _AWKWARD, "link": "", "values": {"length": None}}
    return replace(message, notices=tuple(replace(one, key={"name": _AWKWARD}, **strange) for one in message.notices))
