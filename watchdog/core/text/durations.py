"""Durations as people write them: `30s`, `1h30m`, `250ms`. Parses TOML values to seconds, and formats seconds."""

import math
import re

__all__ = ["format_duration", "parse_duration"]

_SECONDS = {"w": 604800.0, "d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_PART = re.compile(r"(\d+(?:\.\d*)?|\.\d+)\s*(ms|[smhdw])\s*", re.ASCII)
_BARE_NUMBER = re.compile(r"\d+(?:\.\d+)?", re.ASCII)
_LONGEST_S = 36525 * 86400.0  # a century; more is a typing error, and would overflow dates
_EXPECTED = 'a duration such as "30s", "5m" or "1h30m"'


def parse_duration(text: str | int | float) -> float:
    """Return the seconds of one or more numbers (decimals allowed), each with ms, s, m, h, d or w.

    A number without a unit is not a duration, except 0. ValueError says what was expected and what was found.
    """
    if isinstance(text, str):
        return _parse_text(text)
    if text == 0 and not isinstance(text, bool):
        return 0.0
    raise ValueError(_wrong(text))


def _parse_text(text: str) -> float:
    stripped = text.strip()
    if stripped == "0":
        return 0.0
    total, at = 0.0, 0
    while part := _PART.match(stripped, at):
        total += float(part[1]) * _SECONDS[part[2]]
        at = part.end()
    if not stripped or at < len(stripped):
        raise ValueError(_wrong(text))
    if total > _LONGEST_S:
        raise ValueError(f'expected a duration of at most 100 years, found "{_shortened(stripped)}"')
    return total


def _wrong(found: object) -> str:
    """Describe what was expected, what was found, and what a bare number may have meant."""
    if isinstance(found, bool):
        return f"expected {_EXPECTED}, found {str(found).lower()}"
    if isinstance(found, str):
        meant = f'; did you mean "{found.strip()}s"?' if _BARE_NUMBER.fullmatch(found.strip()) else ""
        return f'expected {_EXPECTED}, found "{_shortened(found)}"{meant}'
    meant = f'; did you mean "{found}s"?' if isinstance(found, int | float) and 0 < found <= _LONGEST_S else ""
    return f"expected {_EXPECTED}, found {_shortened(str(found))}{meant}"


def _shortened(text: str) -> str:
    return text if len(text) <= 40 else text[:37] + "…"


def format_duration(seconds: float) -> str:
    """Format for people: the two largest units (`1m30s`, `1d5m`), three digits below a minute. Infinity is `forever`."""
    if math.isnan(seconds):
        return "unknown"
    if seconds < 0:
        return "-" + format_duration(-seconds)
    if math.isinf(seconds):
        return "forever"
    short = float(f"{seconds:.3g}")
    if short < 1:
        return f"{short * 1000:g}ms" if short >= 1e-6 else "0s"
    return f"{short:g}s" if short < 60 else _two_units(round(seconds))


def _two_units(whole: int) -> str:
    if whole % 604800 == 0:
        return f"{whole // 604800}w"
    parts = []
    for unit in ("d", "h", "m", "s"):
        count, whole = divmod(whole, int(_SECONDS[unit]))
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts[:2])
