"""A gap: a query without a usable answer, and why.

A gap is a value all the way from the socket to the exit code; it is never an exception, a zero or a None.
"""

from msgspec import Struct


class Gap(Struct, frozen=True):
    """No usable answer. `reason` is a sentence for people: what was asked, what came back, what to do; never a secret."""

    reason: str


NONE_LISTED = (
    "flower: expected the length of some queue from /api/queues/length, found none: "
    "on RabbitMQ it needs its management API (start Flower with --broker-api=URL), and it names none before it has inspected a worker"
)
"""The reason of the gap if `QueueLengths` returns no queue at all."""

UNCOUNTABLE = "Flower does not know the length of a queue in the broker that it was started with"
"""The reason of the gap if Flower knows no way to count messages in its broker, which stays so until it is started with another."""
