"""Decodes Flower's JSON. In: bytes or a value, and the expected type. Out: that type, None, or a gap that says what was found."""

from collections.abc import Callable
from typing import TypeVar

import msgspec
from msgspec import Raw

from watchdog.core.decoding import ready
from watchdog.core.model.gaps import Gap

__all__ = ["UNREADABLE", "as_kind", "decoded", "kind_found", "maybe"]

T = TypeVar("T")

UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What msgspec raises for arbitrary bytes (`ValidationError`, a subclass of `DecodeError`, for JSON of another type)."""


def decoded(body: bytes, kind: Callable[..., T], path: str, expected: str) -> T | Gap:
    """The whole answer as that type, or a gap that says what was found instead."""
    try:
        answer: T = msgspec.json.decode(body, type=ready(kind))
    except msgspec.ValidationError:
        return Gap(f"flower: expected {expected} from {path}, found {kind_found(body)}")
    except UNREADABLE:
        return Gap(_not_json(body, path))
    return answer


def maybe(raw: Raw, kind: type[T]) -> T | None:
    """A part of an answer as that type; None if it is another."""
    try:
        return msgspec.json.decode(raw, type=ready(kind))
    except UNREADABLE:
        return None


def as_kind(value: object, kind: type[T]) -> T | None:
    """The value as that type (a number in a string counts); None if it is another, or absent."""
    try:
        return msgspec.convert(value, ready(kind), strict=False)
    except msgspec.ValidationError:
        return None


def kind_found(body: bytes) -> str:
    """The JSON type of a text, in plain words."""
    first = body[:256].lstrip()[:1]
    names = {b"{": "an object of another shape", b"[": "a list", b'"': "a text", b"n": "null", b"t": "true", b"f": "false"}
    return names.get(first, "a number")


def _not_json(body: bytes, path: str) -> str:
    start = body[:256].lstrip()
    if not start:
        return f"flower: expected JSON from {path}, found an empty answer"
    if start.startswith(b"<"):
        return f"flower: expected JSON from {path}, found an HTML page: is this Flower's own address, or a login page in front of it?"
    if start[:1] in b"{[":
        return f"flower: expected JSON from {path}, found JSON that breaks off or is damaged after {len(body)} bytes"
    return f"flower: expected JSON from {path}, found something else: is this Flower's address?"
