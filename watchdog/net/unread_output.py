"""Writing to standard output or error without waiting for ever: their reader may be slow, or stuck, and then a pipe is full.

A pipe, a socket or a terminal that can be written to takes one piece at once (POSIX: PIPE_BUF), so no more is written at a time. A file
always can. What another process writes into the same pipe at that very moment may still make a piece wait.

In: a stream, a text, how long to wait. Out: whether all of it was written.
"""

import select
import threading
import time
from typing import TextIO

__all__ = ["PIECE_BYTES", "written"]

PIECE_BYTES = select.PIPE_BUF
_ONE_AT_A_TIME = threading.Lock()
"""Standard output and error are often the same pipe: between looking and writing, no other thread may fill it."""


def written(stream: TextIO, text: str, wait_s: float) -> bool:
    """Write the text; False if that takes longer than `wait_s` seconds, with at most a part of it written.

    OSError, ValueError (it is closed) as by `write`. A stream without a descriptor never waits. One that masks what it prints (`masked`)
    gets the whole text before: a secret may lie across two pieces.
    """
    text = getattr(stream, "masked", str)(text)
    deadline = time.monotonic() + wait_s
    if not _ONE_AT_A_TIME.acquire(timeout=max(wait_s, 0.0)):
        return False
    try:
        for piece in _pieces(text):
            if not _writable(stream, deadline - time.monotonic()):
                return False
            stream.write(piece)
            stream.flush()
        return True
    finally:
        _ONE_AT_A_TIME.release()


def _pieces(text: str) -> list[str]:
    """The text in parts of so few characters that each is at most a piece, however it is encoded."""
    width = PIECE_BYTES if text.isascii() else PIECE_BYTES // len("\\U0010ffff")
    return [text[start : start + width] for start in range(0, len(text), width)]


def _writable(stream: TextIO, wait_s: float) -> bool:
    try:
        descriptor = stream.fileno()
    except (OSError, ValueError, AttributeError):  # a stream in memory, or closed: `write` says which
        return True
    poll = select.poll()
    poll.register(descriptor, select.POLLOUT)
    return bool(poll.poll(max(wait_s, 0.0) * 1000))
