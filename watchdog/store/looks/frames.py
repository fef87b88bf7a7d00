"""The rows of every look in the database: one frame for each look, in the table `history`, until they are too old.

Bodies are MessagePack by msgspec, compressed. A frame that can no longer be decoded is left out with a log line, and so are those that
follow it, up to the next whole one: what is missing is a gap in what can be replayed, never a quiet time.
"""

import zlib
from collections.abc import Iterator
from math import inf, nextafter

import msgspec
import structlog

from watchdog.core.decoding import ready
from watchdog.core.history.frames import Frame
from watchdog.store.looks.history import PUT
from watchdog.store.sql import Connection, Database

__all__ = ["FRAMES", "read", "write"]

_log = structlog.get_logger("watchdog.store")

FRAMES = 2
"""The value of `folded` beside those of `history`: it is neither a look's figures nor a bucket of them."""
FASTEST = 1
AT_ONCE = 500
"""So many frames are read together."""


def write(connection: Connection, target: str, frame: Frame, keep_s: float, before_at: float | None) -> None:
    """Write one frame, and delete what is kept long enough. `before_at`: when the cycle before was, for clocks that are wrong once."""
    body = zlib.compress(msgspec.msgpack.encode(frame), FASTEST)
    connection.execute(PUT, (target, FRAMES, frame.at, body))
    if frame.whole:
        earlier, later = min(frame.at, before_at or frame.at), max(frame.at, before_at or frame.at)
        connection.execute(
            "DELETE FROM history WHERE target = ? AND folded = ? AND (at < ? OR at > ?)", (target, FRAMES, earlier - keep_s, later)
        )


def read(file: Database, target: str, since: float, until: float) -> Iterator[Frame]:
    """The frames from `since` to `until`, oldest first."""
    after = nextafter(since, -inf)
    while True:
        with file.speaking():
            some = _some(file.connection(), target, after, until)
        yield from some
        if not some:
            return
        after = some[-1].at


def _some(connection: Connection, target: str, after: float, until: float) -> tuple[Frame, ...]:
    rows = connection.execute(
        "SELECT at, body FROM history WHERE target = ? AND folded = ? AND at > ? AND at <= ? ORDER BY at LIMIT ?",
        (target, FRAMES, after, until, AT_ONCE),
    )
    return tuple([_decoded(row["body"], target, row["at"]) for row in rows.fetchall()])


def _decoded(body: bytes, target: str, at: float) -> Frame:
    try:
        return msgspec.msgpack.decode(zlib.decompress(body), type=ready(Frame))
    except (msgspec.MsgspecError, zlib.error, ValueError) as error:
        _log.warning("frame_dropped", target=target, reason=str(error))
        return Frame(at, 0.0, whole=False, damaged=True)
