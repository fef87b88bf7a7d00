"""Points in time as machines read them. In: epoch seconds. Out: `2026-11-22T09:15:00Z`."""

import math
from datetime import UTC, datetime
from functools import lru_cache

__all__ = ["iso"]


@lru_cache(maxsize=1024)
def iso(at: float) -> str:
    """Format epoch seconds as `2026-11-22T09:15:00Z`."""
    return datetime.fromtimestamp(math.floor(at), UTC).isoformat().removesuffix("+00:00") + "Z"
