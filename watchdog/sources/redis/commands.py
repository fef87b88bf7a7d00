"""Redis commands and their replies: encodes a query as a command, and decodes raw RESP into a reply type or a gap.

Only read commands are sent: PING, INFO, LLEN, LINDEX, HLEN, ZRANGE, SMEMBERS, SCAN, GET, SELECT to reach results, and for redbeat HGETALL
and PTTL. Never KEYS, which blocks the server for everyone.
"""

import math
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, cast

import msgspec
from msgspec import Raw, Struct

from watchdog.core.decoding import ready
from watchdog.core.model.gaps import Gap
from watchdog.core.model.queries import (
    CountFlushes,
    HashSize,
    ListLengths,
    LowestScore,
    OfKeys,
    OldestMessage,
    Ping,
    PingResults,
    Query,
    ReadResultsServer,
    ReadServer,
    ScanKeys,
    SetMembers,
    StoredResult,
    TaskMeta,
)
from watchdog.core.model.replies import KeysFound, MessageHead
from watchdog.core.model.schedules.queries import KeyLife, RedbeatEntries, ScoredMembers
from watchdog.core.text.names import LONGEST_NAME
from watchdog.sources.periodic.redbeat import redbeat_entry
from watchdog.sources.redis.server import redis_server
from watchdog.sources.redis.task_meta import stored_result, task_meta

__all__ = ["SCAN_STEP", "command", "packed", "packed_words", "reader_of", "reply"]

SCAN_STEP = 1000
"""Keys that one SCAN visits: 1.5 ms of Redis' time (measured, 6.2), during which it serves nobody else."""


_OF_A_KEY: dict[type[Query], str] = {
    ListLengths: "LLEN",
    HashSize: "HLEN",
    SetMembers: "SMEMBERS",
    RedbeatEntries: "HGETALL",
    KeyLife: "PTTL",
}


def command(query: Query) -> tuple[str, ...]:
    """The words of the command (about many keys: of the first one); empty for a query that is not for Redis."""
    match query:
        case Ping():
            return ("PING",)
        case ReadServer():
            return ("INFO",)  # without sections: several at once need Redis 7
        case CountFlushes():
            return ("INFO", "commandstats")
        case TaskMeta(key):  # and StoredResult
            return ("GET", key)
        case HashSize(key) | KeyLife(key) | OfKeys((key, *_)):
            return (_OF_A_KEY[type(query)], key)
        case OldestMessage(key):
            return ("LINDEX", key, "-1")
        case LowestScore(key):
            return ("ZRANGE", key, "0", "0", "WITHSCORES")
        case ScoredMembers(key, limit):
            return ("ZRANGE", key, "0", str(limit - 1))
        case ScanKeys(cursor, pattern, budget):
            return ("SCAN", str(cursor), "MATCH", pattern, "COUNT", str(min(max(budget, 1), SCAN_STEP)))
    return ()


def packed(query: Query) -> bytes:
    """The command in RESP; about many keys: one for each."""
    if isinstance(query, OfKeys):
        return b"".join([packed_words(_OF_A_KEY[type(query)], key) for key in query.keys])
    return packed_words(*command(query))


def packed_words(*words: str) -> bytes:
    """One command in RESP, from its words."""
    raw = [word.encode("utf-8", "surrogateescape") for word in words]
    return b"*%d\r\n" % len(raw) + b"".join(b"$%d\r\n%b\r\n" % (len(word), word) for word in raw)


def reply(query: Query, raw: object) -> object:
    """The reply type of that query (see `core.model.queries`; about a key: what it holds), or a gap if the answer has another type."""
    answer = reader_of(query)(raw)
    if answer is None:
        words = command(query)
        return Gap(f"redis: expected {_EXPECTED.get(type(query), 'an answer')} to {' '.join(words[:2])}, found {_kind(raw)}")
    return answer


def reader_of(query: Query) -> Callable[[Any], object]:
    """Return what reads the raw answer to such a query: None if it has another type."""
    return _READ.get(type(query), lambda _: None)


def _count(raw: object) -> int | None:
    return raw if isinstance(raw, int) else None


class _Message(Struct):
    headers: dict[str, Raw] = {}


_FLUSHED = re.compile(rb"^cmdstat_flush(?:all|db):calls=(\d+)", re.MULTILINE)


def _flushes(raw: object) -> int | None:
    """The number of flush commands. A command that never ran has no line; PING, which was sent before, has one."""
    return sum(map(int, _FLUSHED.findall(raw))) if isinstance(raw, bytes) and b"cmdstat_" in raw else None


def _message_head(raw: object) -> MessageHead | None:
    """The head of a task message; (None, None) for one that is not JSON or lacks these headers."""
    if raw is None:
        return MessageHead(None, None, nothing=True)
    if not isinstance(raw, bytes):
        return None
    headers = _json(raw, _Message)
    if headers is None:
        return MessageHead(None, None)
    fields = headers.headers
    published = _time(fields.get("published_at"))
    return MessageHead(
        id=_text(fields.get("id")),
        published_at=_time(fields.get("enqueued_at")) if published is None else published,
        task=_name(fields.get("shadow")) or _name(fields.get("task")),
        origin=_name(fields.get("origin")),
        eta_at=_iso_time(fields.get("eta")),
    )


def _lowest_score(raw: object) -> float | None:
    """The score of `[member, score]`; infinity for an empty set."""
    if not isinstance(raw, list) or len(raw) not in {0, 2}:
        return None
    return _number(raw[1]) if raw else math.inf


def _in_order(raw: object) -> tuple[str, ...] | None:
    return tuple(_names(raw)) if isinstance(raw, list) else None


def _life_s(raw: object) -> float | None:
    """Seconds: 0 for a key that does not exist (-2), infinity for one that never ends (-1)."""
    if not isinstance(raw, int):
        return None
    return math.inf if raw == -1 else max(raw, 0) / 1000


def _members(raw: object) -> frozenset[str] | None:
    return frozenset(_names(raw)) if isinstance(raw, list | set) else None


def _keys_found(raw: object) -> KeysFound | None:
    if not isinstance(raw, list) or len(raw) != 2 or not isinstance(raw[1], list):
        return None
    return KeysFound(int(raw[0]), tuple(_names(raw[1]))) if isinstance(raw[0], bytes) and raw[0].isdigit() else None


def _names(raw: "list[Any] | set[Any]") -> list[str]:
    """The names in raw bytes, without those not in UTF-8 or too long: Celery creates none, and a changed spelling would look empty."""
    names = []
    for name in raw:
        try:
            names.append(name.decode())
        except (UnicodeDecodeError, AttributeError):
            continue
    return [name for name in names if len(name) <= LONGEST_NAME]


def _time(raw: Raw | None) -> float | None:
    """Epoch seconds, from a number or a number in a string."""
    if raw is None:
        return None
    value = _json(raw, float | str)
    return _number(value.encode("utf-8", "replace")) if isinstance(value, str) else value


def _name(raw: Raw | None) -> str | None:
    """A header that contains a name; None if it is empty, or too long for a name."""
    text = _text(raw)
    return text if text and len(text) <= LONGEST_NAME else None


def _iso_time(raw: Raw | None) -> float | None:
    """Epoch seconds of an ISO 8601 time, as Celery writes `eta`; without a time zone it is UTC."""
    try:
        at = datetime.fromisoformat(_text(raw) or "")
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def _text(raw: Raw | None) -> str | None:
    return None if raw is None else _json(raw, str)


def _json(raw: bytes | Raw, kind: Any) -> Any:
    try:
        return msgspec.json.decode(raw, type=ready(kind))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _number(raw: object) -> float | None:
    try:
        value = float(cast("bytes", raw))
    except (TypeError, ValueError):
        return None
    return None if math.isnan(value) else value


def _kind(raw: object) -> str:
    """The type received, in plain words."""
    names: dict[type, str] = {bytes: "a text", int: "a number", list: "a list", type(None): "nothing"}
    return names.get(type(raw), "something else")


_READ: dict[type[Query], Callable[[Any], object]] = {
    Ping: lambda raw: True if raw == b"PONG" else None,
    PingResults: lambda raw: True if raw == b"PONG" else None,
    ReadServer: redis_server,
    ReadResultsServer: redis_server,
    CountFlushes: _flushes,
    ListLengths: _count,
    OldestMessage: _message_head,
    HashSize: _count,
    LowestScore: _lowest_score,
    SetMembers: _members,
    ScanKeys: _keys_found,
    ScoredMembers: _in_order,
    KeyLife: _life_s,
    RedbeatEntries: redbeat_entry,
    TaskMeta: task_meta,
    StoredResult: stored_result,
}

_EXPECTED: dict[type[Query], str] = {
    Ping: "PONG",
    PingResults: "PONG",
    ReadServer: "the text of the server's state",
    ReadResultsServer: "the text of the server's state",
    CountFlushes: "the counts of its commands",
    ListLengths: "a number",
    OldestMessage: "a message or nothing",
    HashSize: "a number",
    LowestScore: "a member and its score",
    SetMembers: "a set of names",
    ScanKeys: "a cursor and keys",
    ScoredMembers: "a list of names",
    KeyLife: "a number",
    RedbeatEntries: "the fields of a hash",
    TaskMeta: "a task's state as JSON",
    StoredResult: "a task's state and result as JSON",
}
