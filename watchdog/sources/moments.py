"""Moments as Celery writes them in its events. In: an ISO date and time, or epoch seconds. Out: epoch seconds."""

from datetime import UTC, datetime

__all__ = ["moment"]


def moment(told: object) -> float | None:
    """Return it as epoch seconds; None if it is neither. Without a time zone it is UTC, as Celery sends it."""
    if isinstance(told, int | float) and not isinstance(told, bool):
        return float(told)
    try:
        at = datetime.fromisoformat(told) if isinstance(told, str) else None
    except ValueError:
        return None
    return None if at is None else (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
