"""Names as sources find them: of queues, workers and tasks.

AMQP allows a queue 255 bytes, and a worker's name is part of its mailbox's; Celery and Flower make none that is longer. A name of a
megabyte would be carried into every row, message and log line, so names beyond `LONGEST_NAME` are left out, as those that are no UTF-8 are.
"""

from collections.abc import Mapping
from typing import TypeVar

__all__ = ["LONGEST_NAME", "short_named"]

V = TypeVar("V")

LONGEST_NAME = 500
"""Characters."""


def short_named(found: Mapping[str, V]) -> dict[str, V]:
    """What has a name that can be one."""
    return {name: value for name, value in found.items() if len(name) <= LONGEST_NAME}
