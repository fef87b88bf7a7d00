"""The envelope of an event as kombu publishes it on Redis. In: the bytes of a message. Out: the bytes of its body, JSON; or None.

A channel is named `{global_keyprefix}/{db}.celeryev/{kind of event}` (kombu's default `fanout_prefix` and `fanout_patterns`), so that Redis
sends only the kinds that were asked for.
"""

import re
from base64 import b64decode

import msgspec
from msgspec import Struct

from watchdog.core.decoding import ready

__all__ = ["body_of", "pattern_of"]


class _Properties(Struct, gc=False):
    body_encoding: str | None = None


class _Envelope(Struct, gc=False):
    body: str
    properties: _Properties


_GLOB = re.compile(r"[*?^\[\]\\]")
_ENVELOPE = msgspec.json.Decoder(ready(_Envelope))


def body_of(raw: object) -> bytes | None:
    """Return the body of a message; None if it is in no such envelope."""
    if not isinstance(raw, bytes):
        return None
    try:
        envelope = _ENVELOPE.decode(raw)
        return b64decode(envelope.body) if envelope.properties.body_encoding == "base64" else envelope.body.encode()
    except (ValueError, RecursionError):  # msgspec's, base64's and UTF-8's errors are ValueErrors
        return None


def pattern_of(prefix: str, db: int, kind: str) -> str:
    """Return the pattern of the channels of one kind of events, such as `worker`; what Redis reads as a glob is escaped in the prefix."""
    literally = _GLOB.sub(r"\\\g<0>", prefix)
    return f"{literally}/{db}.celeryev/{kind}.*"
