"""Fingerprints and ids, derived from what they name: nothing is random, so a replay creates the same ones."""

import hashlib
from collections.abc import Iterable, Mapping
from functools import lru_cache

__all__ = ["action_id", "deploy_id", "fingerprint", "group_id", "incident_id", "message_id", "server_id", "silence_id"]

_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's, five bits each, which sort in numeric order."""
_PAIRS = [first + second for first in _LETTERS for second in _LETTERS]
_DIGEST_BYTES = 10


def fingerprint(rule: str, target: str, key: Mapping[str, str]) -> str:
    """Return 16 hex digits: the same across cycles and restarts for one rule, target and key."""
    parts = [rule, target, *(f"{name}={key[name]}" for name in sorted(key))]
    return _digest(parts).hex()[:16]


def incident_id(print_: str, started_at: float) -> str:
    """Return a ULID (26 characters, sorts by time): 48 bits of milliseconds, 80 bits of a digest of what it names."""
    return _ulid(started_at, ["incident", print_, repr(started_at)])


def message_id(receiver: str, target: str, created_at: float, notices: Iterable[str]) -> str:
    """Return a ULID for one message. It is used as `webhook-id`, so it contains no dot."""
    return _ulid(created_at, ["message", receiver, target, repr(created_at), *notices])


def group_id(first: str, labels: Iterable[tuple[str, str]]) -> str:
    """Return 16 hex digits for a group: the incident that began it, and the labels that its members have in common."""
    return _digest(["group", first, *(f"{name}={value}" for name, value in labels)]).hex()[:16]


def server_id(kind: str, address: Iterable[str]) -> str:
    """Return what identifies a server, without what its address says: a path can be a secret."""
    return _digest(["server", kind, *address]).hex()[:16]


def silence_id(starts_at: float, matchers: str) -> str:
    """Return a ULID for one silence."""
    return _ulid(starts_at, ["silence", matchers, repr(starts_at)])


def deploy_id(starts_at: float, version: str) -> str:
    """Return a ULID for one deploy."""
    return _ulid(starts_at, ["deploy", version, repr(starts_at)])


def action_id(at: float, kind: str, what: str) -> str:
    """Return a ULID for one action on a cluster."""
    return _ulid(at, ["action", kind, what, repr(at)])


def _digest(parts: Iterable[str]) -> bytes:
    text = "\x1f".join([part.replace("\x1f", " ") for part in parts])
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def _ulid(at: float, parts: Iterable[str]) -> str:
    return _time_letters(at) + _in_letters(int.from_bytes(_digest(parts)[:_DIGEST_BYTES], "big"), _DIGEST_BYTES * 8)


@lru_cache(maxsize=16)
def _time_letters(at: float) -> str:
    """Return the first ten letters, which all ids of one cycle share."""
    return _in_letters(max(int(at * 1000), 0) & (1 << 48) - 1, 50)


def _in_letters(number: int, bits: int) -> str:
    return "".join([_PAIRS[number >> shift & 1023] for shift in range(bits - 10, -1, -10)])
