"""Decodes Flower's `/api/queues/length`. In: the bytes of the answer. Out: queue -> messages waiting, or a gap."""

from typing import Annotated

import msgspec
from msgspec import Struct

from watchdog.core.decoding import ready
from watchdog.core.model.gaps import NONE_LISTED, Gap
from watchdog.core.text.names import short_named
from watchdog.sources.flower.json import UNREADABLE, decoded

__all__ = ["queue_lengths"]

_Count = Annotated[int, msgspec.Meta(ge=0)]


class _Queue(Struct):
    name: str
    messages: _Count | None = None
    messages_ready: _Count | None = None
    """RabbitMQ's figures, as forwarded by Flower: there `messages` includes unacknowledged ones."""


class _Queues(Struct):
    active_queues: list[_Queue]


def queue_lengths(body: bytes) -> dict[str, int] | Gap:
    """`/api/queues/length`: queue -> messages waiting; accepts Flower's list, or an object of queue -> number.

    Queues without a number are left out. An empty answer is a gap: on RabbitMQ, Flower lists nothing while it cannot reach the management
    API (measured with 3.10 and all three Flowers).
    """
    try:
        listed = msgspec.json.decode(body, type=ready(_Queues)).active_queues
        counts = {queue.name: queue.messages if queue.messages_ready is None else queue.messages_ready for queue in listed}
    except UNREADABLE:
        expected = '{"active_queues": [{"name", "messages"}]} with numbers'
        loose = decoded(body, dict[str, _Count], "/api/queues/length", expected)
        if isinstance(loose, Gap):
            return loose
        counts = dict(loose)
    counts = short_named(counts)
    return {name: count for name, count in counts.items() if count is not None} or Gap(NONE_LISTED)
