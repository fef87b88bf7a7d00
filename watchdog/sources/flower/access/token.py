"""A token, and how long it may be used.

In: the text that a command, file or token endpoint gave. Out: a `Token`, or a sentence on what is wrong with the text, without the text.
"""

import re
from base64 import urlsafe_b64decode

import msgspec
from msgspec import Struct

from watchdog.core.decoding import ready
from watchdog.core.text.secrets import Unprinted

__all__ = ["LONGEST_TOKEN", "Obtained", "Token", "expiry_of", "fault_of"]

LONGEST_TOKEN = 16_000
"""Characters. Servers refuse longer headers, most of them headers of half this length."""
_IN_A_HEADER = re.compile(r"[\x21-\x7e]+")
_IN_A_COOKIE = re.compile(r"[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]+")
"""What RFC 6265 allows: no quotes, commas, semicolons and backslashes."""


class Obtained(Unprinted, frozen=True):
    """What a source of tokens gave. `lifetime_s`: how long it said that the token holds."""

    text: str
    lifetime_s: float | None = None


class Token(Unprinted, frozen=True):
    """A token that can be sent. Times are those of a monotonic clock; from `renew_at` on a new one is needed."""

    text: str
    obtained_at: float
    renew_at: float


class _Claims(Struct):
    exp: float


def fault_of(text: str, *, cookie: bool) -> str:
    """Why the text cannot be sent; empty if it can."""
    if not text:
        return "expected a token, found nothing"
    if len(text) > LONGEST_TOKEN:
        return f"expected a token of at most {LONGEST_TOKEN} characters, found {len(text)}"
    words = len(text.split())
    if words > 1:
        return f"expected a token alone, found {words} words"
    if not (_IN_A_COOKIE if cookie else _IN_A_HEADER).fullmatch(text):
        return f"expected a token, found a character that cannot stand in a {'cookie' if cookie else 'header'}"
    return ""


def expiry_of(text: str) -> float | None:
    """When a JWT expires (epoch seconds), by its claim `exp`; None for other tokens. Whoever is sent it checks the signature."""
    parts = text.split(".")
    if len(parts) != 3:
        return None
    try:
        return msgspec.json.decode(urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)), type=ready(_Claims)).exp
    except (ValueError, RecursionError):  # of base64 and of msgspec
        return None
