"""A task message as it waits in a queue (on Redis: in a list): of which task it is, and the same message addressed to another queue.

The address is in the message too. Workers use it when they put a message back (a lost worker, a shutdown) and when a task retries itself: a
message that was only carried from one list to another would return to its old queue.
"""

import base64
import binascii
import json
from typing import Any

__all__ = ["readdressed", "task_named", "task_of"]


def task_of(message: bytes) -> str | None:
    """The name of its task; None if it cannot be told."""
    found = _decoded(message)
    if found is None:
        return None
    headers = found.get("headers")
    name = headers.get("task") if isinstance(headers, dict) else None
    return name if isinstance(name, str) else _task_in_body(found)


def task_named(headers: object, body: bytes) -> str | None:
    """The name of the task of a message whose headers and body stand apart, as on AMQP; None if it cannot be told."""
    name = headers.get("task") if isinstance(headers, dict) else None
    return name if isinstance(name, str) else _task_in_body({"body": body.decode(errors="replace")})


def readdressed(message: bytes, queue: str) -> bytes:
    """The message for that queue, by the default exchange; as it is, if it is no message that kombu would read."""
    found = _decoded(message)
    properties = found.get("properties") if found is not None else None
    info = properties.get("delivery_info") if isinstance(properties, dict) else None
    if not isinstance(info, dict):
        return message
    info["exchange"], info["routing_key"] = "", queue
    return json.dumps(found).encode()


def _decoded(message: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(message)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _task_in_body(message: dict[str, Any]) -> str | None:
    """The name in the body: there it is in messages of protocol 1."""
    body, properties = message.get("body"), message.get("properties")
    encoded = isinstance(properties, dict) and properties.get("body_encoding") == "base64"
    try:
        content = json.loads(base64.b64decode(body) if encoded and isinstance(body, str) else body or "null")
    except (ValueError, TypeError, RecursionError, binascii.Error):
        return None
    name = content.get("task") if isinstance(content, dict) else None
    return name if isinstance(name, str) else None
