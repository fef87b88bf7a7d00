"""History in the database: a row for each look, folded into a row for each five minutes; and what the last look saw.

Bodies are MessagePack by msgspec, compressed. A bucket is folded from its looks when the first look after it is written, in the same
transaction. A clock that is wrong for one look costs nothing: a row is deleted as too old, or as one from the future, only if two looks in
a row agree. Readers leave out what is later than now.
"""

import zlib
from collections.abc import Container, Iterator, Mapping
from itertools import chain
from typing import TypeVar

import msgspec
import structlog
from msgspec import Struct

from watchdog.core.decoding import ready
from watchdog.core.history.folding import fold
from watchdog.core.history.recent import MINUTE_S, SPAN_S
from watchdog.core.history.series import Keeping, Kept, Part, Slice
from watchdog.core.model.last_look import LastLook
from watchdog.store.sql import Connection

__all__ = ["BUCKET_S", "PUT", "Looked", "last_looks", "slices", "write"]

_log = structlog.get_logger("watchdog.store")
T = TypeVar("T")

BUCKET_S = 300.0
LOOKS, BUCKETS = 0, 1
"""Values of `folded`: a single look, or a bucket of looks."""
PUT = "INSERT INTO history VALUES (?, ?, ?, ?) ON CONFLICT (target, folded, at) DO UPDATE SET body = excluded.body"
FASTEST = 1
"""The compression level: higher ones save a tenth of the size for twice the time."""


_LAST_OF_MINUTES = """
    SELECT body FROM history WHERE target = :target AND folded = :folded AND at IN (
        SELECT max(at) FROM history WHERE target = :target AND folded = :folded AND at > :since AND at <= :now
        GROUP BY cast((:now - at) / :minute AS INTEGER)
    ) ORDER BY at"""


class Looked(Struct, frozen=True):
    """What one cycle adds: its slice, what it saw, and when the cycle before it was (epoch seconds; None: it is the first)."""

    target: str
    slice: Slice
    look: LastLook
    before_at: float | None


class _Undecoded(Struct, frozen=True):
    """A slice whose parts are still MessagePack."""

    at: float
    parts: Mapping[str, msgspec.Raw]


def write(connection: Connection, looked: Looked, keeping: Keeping) -> None:
    """Write one look; fold the bucket that ended with it, if one did; delete what is kept long enough."""
    target, now = looked.target, looked.slice.at
    body, look = _packed(target, looked.slice), _packed(target, looked.look)
    if look is not None:
        connection.execute(
            "INSERT INTO looks VALUES (?, ?, ?) ON CONFLICT (target) DO UPDATE SET at = excluded.at, body = excluded.body",
            (target, now, look),
        )
    latest = connection.execute("SELECT max(at) AS at FROM history WHERE target = ? AND folded = ? AND at < ?", (target, LOOKS, now))
    before = latest.fetchone()["at"]
    if body is not None:
        connection.execute(PUT, (target, LOOKS, now, body))
    earlier, later = min(now, looked.before_at or now), max(now, looked.before_at or now)
    current = now // BUCKET_S * BUCKET_S
    if before is not None and before < current:
        _close(connection, target, before // BUCKET_S * BUCKET_S, keeping.kept)
        _delete(connection, target, BUCKETS, earlier - keeping.buckets_s, later)
    _delete(connection, target, LOOKS, min(earlier - keeping.looks_s, current), later)


def _close(connection: Connection, target: str, begin: float, kept: Mapping[str, Kept]) -> None:
    """Fold the looks of the bucket that begins at `begin`, one after the other: all at once are 20 MB at 1,000 workers and queues."""
    looks = _read(connection, target, LOOKS, begin, begin + BUCKET_S, kept)
    first = next(looks, None)
    body = None if first is None else _packed(target, fold(chain((first,), looks), kept))
    if body is not None:
        connection.execute(PUT, (target, BUCKETS, begin, body))


def _delete(connection: Connection, target: str, folded: int, before: float, after: float) -> None:
    connection.execute("DELETE FROM history WHERE target = ? AND folded = ? AND (at < ? OR at > ?)", (target, folded, before, after))


def slices(
    connection: Connection, target: str, since: float, now: float, tables: Container[str] | None = None, *, finest: bool = False
) -> tuple[Slice, ...]:
    """The history of a target since `since`, oldest first: buckets, then the looks after the last one.

    `tables`: those that are wanted (None: all); the others are not decoded. `finest`: single looks alone.
    """
    buckets = () if finest else tuple(_read(connection, target, BUCKETS, since, now, tables))
    found = connection.execute(
        "SELECT max(at) AS at FROM history WHERE target = ? AND folded = ? AND at <= ?", (target, BUCKETS, now)
    ).fetchone()["at"]
    after = since if finest or found is None else max(found + BUCKET_S, since)
    return (*buckets, *_read(connection, target, LOOKS, after, now, tables, inclusive=True))


def _read(
    connection: Connection,
    target: str,
    folded: int,
    since: float,
    until: float,
    tables: Container[str] | None = None,
    *,
    inclusive: bool = False,
) -> Iterator[Slice]:
    return (_decoded(found, target, tables) for found in _undecoded(connection, target, folded, since, until, inclusive=inclusive))


def _undecoded(
    connection: Connection, target: str, folded: int, since: float, until: float, *, inclusive: bool = False
) -> Iterator[_Undecoded]:
    bound = "<=" if inclusive else "<"
    rows = connection.execute(
        f"SELECT body FROM history WHERE target = ? AND folded = ? AND at >= ? AND at {bound} ? ORDER BY at",  # noqa: S608 - one of two
        (target, folded, since, until),
    ).fetchall()
    yield from (found for row in rows if (found := _unpacked(row["body"], _Undecoded, target)) is not None)


def minutes(connection: Connection, target: str, now: float, tables: Container[str]) -> tuple[Slice, ...]:
    """The last look of each of the last 30 minutes, oldest first; only these are decoded."""
    given = {"target": target, "folded": LOOKS, "since": now - SPAN_S, "now": now, "minute": MINUTE_S}
    rows = connection.execute(_LAST_OF_MINUTES, given).fetchall()
    looks = (_unpacked(row["body"], _Undecoded, target) for row in rows)
    return tuple(_decoded(look, target, tables) for look in looks if look is not None)


def _decoded(found: _Undecoded, target: str, tables: Container[str] | None) -> Slice:
    parts = {name: _part(part, target) for name, part in found.parts.items() if tables is None or name in tables}
    return Slice(found.at, {name: part for name, part in parts.items() if part is not None})


def _part(body: msgspec.Raw, target: str) -> Part | None:
    try:
        return msgspec.msgpack.decode(body, type=ready(Part))
    except (msgspec.MsgspecError, ValueError) as error:
        _log.warning("history_dropped", target=target, reason=str(error))
        return None


def last_looks(connection: Connection) -> dict[str, LastLook]:
    """Target -> what its last cycle saw."""
    rows = connection.execute("SELECT target, body FROM looks")
    return {row["target"]: look for row in rows if (look := _unpacked(row["body"], LastLook, row["target"])) is not None}


def _packed(target: str, value: object) -> bytes | None:
    try:
        return zlib.compress(msgspec.msgpack.encode(value), FASTEST)
    except (TypeError, ValueError) as error:
        _log.warning("history_not_kept", target=target, reason=str(error))
        return None


def _unpacked(body: bytes, kind: type[T], target: str) -> T | None:
    try:
        return msgspec.msgpack.decode(zlib.decompress(body), type=ready(kind))
    except (msgspec.MsgspecError, zlib.error, ValueError) as error:
        _log.warning("history_dropped", target=target, reason=str(error))
        return None
