"""Names from sources: of queues, workers and tasks.

AMQP allows 255 bytes for a queue, and a worker's name is part of its mailbox's; Celery and Flower create no longer ones. A name of a
megabyte would be copied into every row, message and log line, so names beyond `LONGEST_NAME` are left out, like those that are not UTF-8.
"""

from collections.abc import Mapping
from typing import TypeVar

__all__ = ["LONGEST_NAME", "short_named"]

V = TypeVar("V")

LONGEST_NAME = 500
"""Characters."""


def short_named(found: Mapping[str, V]) -> dict[str, V]:
    """Return the entries with a name of valid length."""
    return {name: value for name, value in found.items() if len(name) <= LONGEST_NAME}
