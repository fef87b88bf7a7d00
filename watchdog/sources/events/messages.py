"""Events of workers. In: the bytes of a message, in kombu's envelope or without one. Out: the fields that watchdog reads, or None."""

import msgspec
from msgspec import Struct

from watchdog.core.decoding import ready
from watchdog.core.text.names import LONGEST_NAME
from watchdog.sources.events.envelope import body_of

__all__ = ["WorkerEvent", "worker_event", "worker_event_in"]

LONGEST_FIELD = 100
"""Characters of a version or an operating system's name."""


class WorkerEvent(Struct, gc=False):
    """`worker-online`, `worker-heartbeat` or `worker-offline`, as its worker sent it. `timestamp`: seconds by the worker's clock."""

    hostname: str
    type: str
    pid: int | None = None
    timestamp: float | None = None
    freq: float | None = None
    active: int | None = None
    processed: int | None = None
    loadavg: tuple[float, float, float] | None = None
    sw_ver: str | None = None
    sw_sys: str | None = None


_WORKER = msgspec.json.Decoder(ready(WorkerEvent))


def worker_event(raw: object) -> WorkerEvent | None:
    """Return the event in a message of Redis; None if it is none that can be read."""
    body = body_of(raw)
    return None if body is None else worker_event_in(body)


def worker_event_in(body: bytes) -> WorkerEvent | None:
    """Return the event in a body; None if it is none that can be read."""
    try:
        event = _WORKER.decode(body)
    except (ValueError, RecursionError):
        return None
    texts = (event.sw_ver or "", event.sw_sys or "")
    fits = 0 < len(event.hostname) <= LONGEST_NAME and all(len(text) <= LONGEST_FIELD for text in texts)
    return event if fits else None
