"""Events as kombu publishes them on Redis: a JSON envelope around a body in base64.

In: bytes. Out: the fields that watchdog reads, or None.

A channel is named `{global_keyprefix}/{db}.celeryev/{kind of event}` (kombu's default `fanout_prefix` and `fanout_patterns`), so that Redis
sends only the kinds that were asked for.
"""

import re
from base64 import b64decode

import msgspec
from msgspec import Struct

from watchdog.core.text.names import LONGEST_NAME

__all__ = ["WorkerEvent", "pattern_of", "worker_event"]

LONGEST_FIELD = 100
"""Characters of a version or an operating system's name."""


class _Properties(Struct, gc=False):
    body_encoding: str | None = None


class _Envelope(Struct, gc=False):
    body: str
    properties: _Properties


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


_GLOB = re.compile(r"[*?^\[\]\\]")
_ENVELOPE = msgspec.json.Decoder(_Envelope)
_WORKER = msgspec.json.Decoder(WorkerEvent)


def worker_event(raw: object) -> WorkerEvent | None:
    """Return the event in a message; None if it is none that can be read."""
    if not isinstance(raw, bytes):
        return None
    try:
        envelope = _ENVELOPE.decode(raw)
        body = b64decode(envelope.body) if envelope.properties.body_encoding == "base64" else envelope.body.encode()
        event = _WORKER.decode(body)
    except (ValueError, RecursionError):  # msgspec's, base64's and UTF-8's errors are ValueErrors
        return None
    texts = (event.sw_ver or "", event.sw_sys or "")
    fits = 0 < len(event.hostname) <= LONGEST_NAME and all(len(text) <= LONGEST_FIELD for text in texts)
    return event if fits else None


def pattern_of(prefix: str, db: int, kind: str) -> str:
    """Return the pattern of the channels of one kind of events, such as `worker`; what Redis reads as a glob is escaped in the prefix."""
    literally = _GLOB.sub(r"\\\g<0>", prefix)
    return f"{literally}/{db}.celeryev/{kind}.*"
