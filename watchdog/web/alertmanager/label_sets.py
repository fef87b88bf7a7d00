"""Sets of labels as Alertmanager names, identifies and sorts them, and points in time as it writes them.

In: labels. Out: the fingerprint that Prometheus and Alertmanager compute of them, and their order.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cmp_to_key, lru_cache

from watchdog.core.text.sanitize import one_line

__all__ = ["fingerprint", "in_alert_order", "in_group_order", "instant", "label_here", "label_there"]

_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_HERE, _THERE = "rule", "alertname"
"""The only label of an incident that alerts have under another name."""

_FNV_OFFSET, _FNV_PRIME, _64_BITS = 14695981039346656037, 1099511628211, (1 << 64) - 1
_LEADING = ("job", "instance")
"""Labels by which alerts of a group are sorted before all others."""
_FIRST_S, _LAST_S = -62135596800.0, 253402300799.0  # of the years 1 and 9999


def label_there(name: str) -> str:
    """What a label of incidents is called in alerts."""
    return _THERE if name == _HERE else name


def label_here(name: str) -> str:
    """What a label of alerts is called in incidents. ValueError for a name that no alert has."""
    if not _LABEL.fullmatch(name):
        raise ValueError(f'invalid label name "{one_line(name)}"')
    if name == _HERE:
        raise ValueError(f'no alert has a label "{_HERE}"; it is called "{_THERE}"')
    return _HERE if name == _THERE else name


@lru_cache(maxsize=20_000)
def fingerprint(labels: tuple[tuple[str, str], ...]) -> str:
    """16 hex digits: FNV-1a of the names and values, sorted by name, each followed by a byte that no text contains."""
    digest = _FNV_OFFSET
    for byte in b"".join(text.encode() + b"\xff" for label in labels for text in label):
        digest = (digest ^ byte) * _FNV_PRIME & _64_BITS
    return f"{digest:016x}"


def instant(at: float) -> str:
    """`2026-11-22T09:15:00.000Z` of epoch seconds."""
    seconds, thousandths = divmod(round(min(max(at, _FIRST_S), _LAST_S) * 1000), 1000)
    return f"{datetime.fromtimestamp(seconds, UTC).isoformat().removesuffix('+00:00')}.{thousandths:03}Z"


def _by_labels(one: Mapping[str, str], other: Mapping[str, str]) -> int:
    """Fewer labels first; then by the first name, in alphabetical order, that only one has, or whose values differ."""
    if len(one) != len(other):
        return len(one) - len(other)
    for name in sorted({*one, *other}):
        if name not in one or name not in other:
            return -1 if name not in one else 1
        if one[name] != other[name]:
            return -1 if one[name] < other[name] else 1
    return 0


def _as_in_group(one: Mapping[str, str], other: Mapping[str, str]) -> int:
    for name in _LEADING:
        if (name in one) != (name in other):
            return -1 if name in one else 1
        if name in one and one[name] != other[name]:
            return -1 if one[name] < other[name] else 1
    return _by_labels(one, other)


in_alert_order = cmp_to_key(_as_in_group)
"""Sorts the alerts of a group by their labels."""
in_group_order = cmp_to_key(_by_labels)
"""Sorts groups by their labels."""
