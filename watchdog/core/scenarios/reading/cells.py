"""Cells as scenarios write them: plain values, durations, ramps and gaps.

In: a TOML value, the column it is for. Out: what it means, or a sentence that says what was expected and what was found.
"""

import re
from collections.abc import Mapping

from watchdog.core.model.rows import Cell, Column, Kind
from watchdog.core.rules.faults import found
from watchdog.core.scenarios.scenario import Gap, Plain, Ramp, Written
from watchdog.core.text.durations import parse_duration
from watchdog.core.text.suggestions import did_you_mean

__all__ = ["CellError", "read_cell"]

_NUMBER = r"[\d.]+(?:\s*(?:ms|[smhdw])\s*[\d.]*)*"
_RAMP = re.compile(rf"(?P<start>-?{_NUMBER})?\s*(?P<sign>[+-])\s*(?P<step>{_NUMBER})\s*/\s*(?P<per>\S.*)", re.ASCII)
_LARGEST = 1e300
_GAP_KEYS = ("gap", "at_least")
_EXPECTED = {
    Kind.NUMBER: 'a number, a duration such as "5m", or a ramp such as "40 + 10/1m"',
    Kind.TEXT: "a text",
    Kind.BOOLEAN: "true or false",
}


class CellError(ValueError):
    """A cell that says nothing of its column; the text is a sentence."""


def read_cell(value: object, column: Column) -> Written:
    """Return what a TOML value means in this column. CellError if it cannot stand there."""
    if isinstance(value, dict):
        return _gap(value, column)
    if column.kind is Kind.NUMBER and isinstance(value, str):
        return _ramp(value) or _duration(value, column)
    return _plain(value, column)


def _gap(value: Mapping[str, object], column: Column) -> Gap:
    for key in value:
        if key not in _GAP_KEYS:
            raise CellError(f'unknown key "{key}"{did_you_mean(key, _GAP_KEYS)}; write {{ gap = "why it is unknown" }}')
    reason = value.get("gap")
    if not isinstance(reason, str) or not reason.strip():
        raise CellError(f'expected {{ gap = "why it is unknown" }}, found {found(reason) if "gap" in value else "no gap"}')
    proved: Cell = _number_or_plain(value["at_least"], column) if "at_least" in value else None
    return Gap(reason, proved)


def _number_or_plain(value: object, column: Column) -> Plain:
    return _duration(value, column) if column.kind is Kind.NUMBER and isinstance(value, str) else _plain(value, column)


def _plain(value: object, column: Column) -> Plain:
    if column.kind is Kind.BOOLEAN and isinstance(value, bool):
        return value
    if column.kind is Kind.NUMBER and isinstance(value, int | float) and not isinstance(value, bool):
        if value != value or (abs(value) > _LARGEST and value not in (float("inf"), float("-inf"))):  # noqa: PLR0124 - NaN is no number
            raise CellError(f"expected a number that can be compared, found {found(value)}")
        return float(value)
    if column.kind is Kind.TEXT and isinstance(value, str):
        if column.allowed and value not in column.allowed:
            known = did_you_mean(value, column.allowed) or f"; there are {', '.join(column.allowed)}"
            raise CellError(f'{column.name} is never "{value}"{known}')
        return value
    raise CellError(f'expected {_EXPECTED[column.kind]}, or {{ gap = "…" }}, found {found(value)}')


def _duration(text: str, column: Column) -> float:
    """Return the seconds of a duration, which may be negative."""
    try:
        seconds = parse_duration(text.strip().removeprefix("-"))
    except ValueError:
        raise CellError(f"expected {_EXPECTED[column.kind]}, found {found(text)}") from None
    return -seconds if text.strip().startswith("-") else seconds


def _ramp(text: str) -> Ramp | None:
    """Return `40 + 10/1m` as a ramp; None if the text is none."""
    parts = _RAMP.fullmatch(text.strip())
    if parts is None:
        return None
    try:
        start = None if parts["start"] is None else _amount(parts["start"])
        step, per_s = _amount(parts["step"]), parse_duration(parts["per"])
    except ValueError:
        return None
    if per_s <= 0:
        raise CellError(f'expected a ramp over some time, such as "+10/1m", found "{text}"')
    return Ramp(start, -step if parts["sign"] == "-" else step, per_s)


def _amount(text: str) -> float:
    """Return a number, or the seconds of a duration."""
    stripped = text.strip()
    sign = -1.0 if stripped.startswith("-") else 1.0
    stripped = stripped.removeprefix("-")
    try:
        return sign * float(stripped)
    except ValueError:
        return sign * parse_duration(stripped)
