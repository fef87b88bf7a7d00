"""Reads raw RESP 2 replies: numbers, texts, lists of these, null, and errors as values.

In: a function that receives some bytes, and one that creates an exception from an error's text. Out: the replies in order. Written because
a large site has thousands of replies in a cycle: redis-py 8.1's reader takes 2.8 to 4 µs a reply, its pipeline 16 µs a command (measured).
Whatever the other side sends, only redis-py's InvalidResponse or ConnectionError is raised, or what receiving raises.
"""

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import InvalidResponse

__all__ = ["ReplyReader"]

PIECE_BYTES = 65536
DEEPEST = 32
"""The nesting limit of lists; the replies to watchdog's commands are nested two deep at most."""
NUMBERS = re.compile(rb"(?::-?[0-9]{1,18}\r\n)++")
"""Numbers one after another, such as the lengths of a thousand lists: most of what a large site replies."""

PUSHED = re.compile(rb"\*4\r\n\$8\r\npmessage\r\n\$\d{1,4}\r\n([^\r\n]*)\r\n\$\d{1,4}\r\n([^\r\n]*)\r\n\$(\d{1,9})\r\n")
"""A message of a channel up to its text: read at once, it costs a fifth (measured)."""


class Read(NamedTuple):
    """Some replies, and the bytes that they were read from."""

    raw: bytes = b""
    replies: Sequence[object] = ()


class _IncompleteError(Exception):
    """A reply goes on beyond what was received."""


class ReplyReader:
    """The replies of one connection. Bytes received beyond the last reply are kept for the next one."""

    def __init__(self, receive: Callable[[int], bytes], as_error: Callable[[str], Exception]) -> None:
        self._receive, self._as_error = receive, as_error
        self._received = bytearray()
        self._at = 0
        self._only_received = False

    @property
    def is_ahead(self) -> bool:
        """Whether more was received than was requested: then replies can no longer be matched to commands."""
        return self._at < len(self._received)

    def read(self, count: int) -> list[object]:
        """Read `count` replies. An error is a value, at any depth; an error about the connection (LOADING, NOAUTH) is raised."""
        self._drop_what_was_read()
        replies: list[object] = []
        while len(replies) < count:
            run = NUMBERS.match(self._received, self._at)
            if run is None:
                replies.append(self._reply(0))
            else:
                numbers = run[0].translate(None, b":").split()[: count - len(replies)]
                replies += map(int, numbers)
                self._at += sum(map(len, numbers)) + len(b":\r\n") * len(numbers)
        return replies

    def read_again(self, count: int, before: Read) -> Read:
        """Read `count` replies; returns `before` itself, the answer to the same commands, if they are the same again."""
        self._drop_what_was_read()
        if before.raw and self._repeats(before.raw):
            self._at = len(before.raw)
            return before
        replies = self.read(count)
        return Read(bytes(memoryview(self._received)[: self._at]), replies)

    def read_pushed(self) -> list[object]:
        """Receive once, and read all replies that are complete by then. What was received of the next one is kept."""
        self._drop_what_was_read()
        self._more()
        replies: list[object] = []
        self._only_received = True
        try:
            while self._at < len(self._received):
                begins = self._at
                try:
                    replies.append(self._message() or self._reply(0))
                except _IncompleteError:
                    self._at = begins
                    break
        finally:
            self._only_received = False
        return replies

    def _message(self) -> list[object] | None:
        """The message of a channel that comes next; None if it is something else."""
        found = PUSHED.match(self._received, self._at)
        if found is None:
            return None
        self._at = found.end()
        return [b"pmessage", bytes(found[1]), bytes(found[2]), self._text(int(found[3]))]

    def _repeats(self, raw: bytes) -> bool:
        """Whether the next replies are these bytes. Complete replies never begin other ones: as long as they are alike, more will come."""
        while len(self._received) < len(raw) and raw.startswith(self._received):
            self._more()
        return self._received.startswith(raw)

    def _drop_what_was_read(self) -> None:
        del self._received[: self._at]
        self._at = 0

    def _reply(self, depth: int) -> object:
        line = self._line()
        kind, rest = line[:1], line[1:]
        if kind == b"$":
            return self._text(_number(rest))
        if kind == b"*":
            return self._list(_number(rest), depth)
        if kind == b":":
            return _number(rest)
        if kind == b"+":
            return bytes(rest)
        if kind != b"-":
            raise InvalidResponse(f"expected a reply, found {bytes(line[:40])!r}")
        error = self._as_error(rest.decode("utf-8", "replace"))
        if isinstance(error, RedisConnectionError):
            raise error
        return error

    def _list(self, length: int, depth: int) -> list[object] | None:
        if length == -1:
            return None
        if length < 0 or depth == DEEPEST:
            raise InvalidResponse(f"expected a list of replies, found a length of {length} at depth {depth}")
        return [self._reply(depth + 1) for _ in range(length)]

    def _text(self, length: int) -> bytes | None:
        if length == -1:
            return None
        if length < 0:
            raise InvalidResponse(f"expected a text, found a length of {length}")
        begins, ends = self._at, self._at + length
        while len(self._received) < ends + 2:
            self._more()
        if self._received[ends : ends + 2] != b"\r\n":
            raise InvalidResponse(f"expected a text of {length} bytes to end there")
        self._at = ends + 2
        return bytes(memoryview(self._received)[begins:ends])

    def _line(self) -> bytearray:
        searched = begins = self._at
        while (end := self._received.find(b"\r\n", searched)) < 0:
            searched = max(len(self._received) - 1, begins)
            self._more()
        self._at = end + 2
        return self._received[begins:end]

    def _more(self) -> None:
        if self._only_received:
            raise _IncompleteError
        piece = self._receive(PIECE_BYTES)
        if not piece:
            raise RedisConnectionError("Connection closed by server.")
        self._received += piece


def _number(digits: bytearray) -> int:
    """A number; Python refuses more than 4,300 digits."""
    try:
        return int(digits)
    except ValueError:
        raise InvalidResponse(f"expected a number, found {bytes(digits[:40])!r}") from None
