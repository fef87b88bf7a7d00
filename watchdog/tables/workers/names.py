"""Parse worker names: the host, and the kind, so that a renamed pod is known as a replacement."""

import re
from fnmatch import fnmatchcase
from functools import lru_cache

__all__ = ["host_of", "kind_of"]

_UUID = re.compile(r"(?<![0-9a-z])[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?![0-9a-z])")
_REPLICA = re.compile(r"-[0-9a-f]{6,10}-[bcdfghjklmnpqrstvwxz2456789]{5}$")
"""Kubernetes: `-<replica set hash>-<pod suffix>` (its alphabet has no vowels and look-alikes)."""
_POD = re.compile(r"-[bcdfghjklmnpqrstvwxz2456789]{5}$")
_HASH = re.compile(r"(?<![0-9a-z])(?=[0-9a-f]*[0-9])(?=[0-9a-f]*[a-f])[0-9a-f]{7,64}(?![0-9a-z])")
_DIGITS = re.compile(r"[0-9]+")
_STARS = re.compile(r"\*(?:[-.]?\*)+")


def host_of(name: str) -> str:
    """Return what follows the first @; empty without one."""
    return name.partition("@")[2]


@lru_cache(maxsize=10_000)
def kind_of(name: str, patterns: tuple[str, ...] = ()) -> str:
    """Return the first of these globs that the name matches; else the name with runs of digits, hashes and pod suffixes folded to `*`,
    before and after the @.

    `celery@web-7d9f8b6c5-x2x9z` and `celery@web-12` are both `celery@web-*`.
    """
    for pattern in patterns:
        if fnmatchcase(name, pattern):
            return pattern
    before, at, after = name.partition("@")
    return _fold(before) + at + _fold(after)


def _fold(part: str) -> str:
    first, dot, rest = _UUID.sub("*", part).partition(".")
    first = _POD.sub("-*", _REPLICA.sub("-*", first))
    return _STARS.sub("*", _DIGITS.sub("*", _HASH.sub("*", first + dot + rest)))
