"""Types that msgspec decodes into, made ready before threads share them.

When msgspec first meets a class, it publishes what it has worked out of it before the types of the fields are filled in. A second thread
that decodes the class at that moment crashes the process (signal 11, seen with msgspec 0.22.0 and Python 3.11.7): two cycles that read
their memory at once after a reload did.

In: a type. Out: the same type, once msgspec has worked it out, with all that it consists of; one thread does that at a time.
"""

import threading
from typing import TypeVar

import msgspec

__all__ = ["ready"]

T = TypeVar("T")

_TURN = threading.Lock()
_READY: set[object] = set()


def ready(kind: T) -> T:
    """The type, which any thread may decode into or convert to from now on. Call it wherever msgspec is given one."""
    if kind not in _READY:
        with _TURN:
            msgspec.msgpack.Decoder(kind)  # works out the whole type; unlike that for JSON, it takes keys that are no strings
            _READY.add(kind)
    return kind
