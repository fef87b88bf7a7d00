"""What a service says in a JSON body: objects, and how long it wants to be left alone.

In: the beginning of an answer, from outside. Out: plain values; whatever cannot be read is as if it were not there.
"""

import json

__all__ = ["json_object", "retry_after_in"]

_LONGEST_TOLD_S = 1e9


def json_object(text: str) -> dict[str, object]:
    """The JSON object in a text; empty if there is none."""
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def retry_after_in(said: dict[str, object]) -> float | None:
    """Seconds from `{"retry_after": 1}`, which Slack and services like it send in place of the header."""
    seconds = said.get("retry_after")
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        return None
    return float(seconds) if 0 <= seconds <= _LONGEST_TOLD_S else None
