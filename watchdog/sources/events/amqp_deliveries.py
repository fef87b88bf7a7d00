"""What an AMQP broker delivers, read from the socket: the routing key and the body of each message. All other frames go to py-amqp.

In: a socket of a connection that py-amqp opened. Out: calls. py-amqp itself takes ten times as long for a message (docs/performance.md): it
reads each frame in several calls of the system, and decodes properties that nobody looks at.
"""

from collections.abc import Callable
from struct import Struct
from typing import Protocol

__all__ = ["LONGEST_BODY", "Deliveries", "Frame", "messages_waiting"]

LONGEST_BODY = 16 * 1024 * 1024
"""A larger body is not kept: it counts as empty, and so as no event."""
LARGEST_FRAME = 1024 * 1024
"""py-amqp agrees on 128 KiB at most with the broker."""
AT_ONCE = 64 * 1024
METHOD, HEADER, BODY = 1, 2, 3
DELIVER = b"\x00\x3c\x00\x3c"
"""How the payload of `basic.deliver` begins: class 60, method 60."""
DECLARED = b"\x00\x32\x00\x0b"
"""How that of `queue.declare-ok` begins: class 50, method 11."""
END = 0xCE
_FRAME = Struct(">BHI")
_SIZE = Struct(">Q")
_COUNT = Struct(">I")
_AROUND = _FRAME.size + 1
"""Bytes of a frame besides its payload."""

Frame = tuple[int, int, bytes]


class Receiving(Protocol):
    """A socket, or one with TLS."""

    def recv(self, most: int, /) -> bytes:
        """What has come, at least a byte; nothing at the end."""
        ...


class Deliveries:
    """`hears` is called with the routing key and the body of each message, `other` with each frame that belongs to none."""

    def __init__(self, hears: Callable[[bytes, bytes], None], other: Callable[[Frame], object]) -> None:
        self._hears, self._other = hears, other
        self._channel: int | None = None
        self._key, self._left, self._parts = b"", 0, [b""]
        self._keeps = True

    def read(self, sock: Receiving) -> None:
        """Read what has come, and on to the end of the message that is under way, no further: py-amqp may be the next who reads."""
        buffer, at = _received(sock, AT_ONCE), 0
        while at < len(buffer) or self._channel is not None:
            while missing := _missing(buffer, at):
                buffer, at = buffer[at:] + _received(sock, missing), 0
            kind, channel, size = _FRAME.unpack_from(buffer, at)
            begin, end = at + _FRAME.size, at + _FRAME.size + size
            if buffer[end] != END:
                raise ValueError("expected the end of a frame of AMQP, found another byte")
            self._takes(kind, channel, buffer[begin:end])
            at = end + 1

    def _takes(self, kind: int, channel: int, payload: bytes) -> None:
        if kind == METHOD and payload.startswith(DELIVER):
            self._channel, self._key, self._parts = channel, _routing_key(payload), []
        elif channel != self._channel or kind not in (HEADER, BODY):
            self._other((kind, channel, payload))
        elif kind == HEADER:
            (self._left,) = _SIZE.unpack_from(payload, 4)
            self._keeps = self._left <= LONGEST_BODY
            self._ends()
        else:
            self._left -= len(payload)
            if self._keeps:
                self._parts.append(payload)
            self._ends()

    def _ends(self) -> None:
        """Hand the message over, if it is whole."""
        if self._left <= 0:
            self._channel = None
            self._hears(self._key, b"".join(self._parts))


def messages_waiting(frame: Frame) -> int | None:
    """How many messages wait in a queue, if this frame says so: it answers the declaration of the queue."""
    kind, _, payload = frame
    if kind != METHOD or not payload.startswith(DECLARED):
        return None
    waiting: int = _COUNT.unpack_from(payload, len(DECLARED) + 1 + payload[len(DECLARED)])[0]
    return waiting


def _received(sock: Receiving, most: int) -> bytes:
    some = sock.recv(most)
    if not some:
        raise ConnectionResetError("the broker closed the connection")
    return some


def _missing(buffer: bytes, at: int) -> int:
    """How many bytes are not there yet of the frame that begins at `at`, or of what every frame has."""
    there = len(buffer) - at
    if there < _AROUND:
        return _AROUND - there
    size: int = _FRAME.unpack_from(buffer, at)[2]
    if size > LARGEST_FRAME:
        raise ValueError("expected a frame of AMQP, found one without an end")
    return max(size + _AROUND - there, 0)


def _routing_key(payload: bytes) -> bytes:
    """The last argument of `basic.deliver`, after the consumer's tag, a number, a bit, and the name of the exchange."""
    at = len(DELIVER)
    at += 1 + payload[at] + 9
    at += 1 + payload[at]
    return payload[at + 1 : at + 1 + payload[at]]
