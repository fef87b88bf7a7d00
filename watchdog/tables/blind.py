"""`blind`: one row per cause that keeps rules from judging what they could judge before, as found by the previous cycle.

The causes come from `core/judging/blindness.py`.
"""

from watchdog.core.judging.blindness import BLIND, Blindness, Cause
from watchdog.core.model.rows import Column, Kind, Look, Reading, Row, Table

__all__ = ["TABLE"]

N, T = Kind.NUMBER, Kind.TEXT
COLUMNS = (
    Column("cause", T, "the reason, its numbers written as #"),
    Column("reason", T, "the reason as it is now"),
    Column("rules", T, "the rules that it keeps from judging, joined by a comma"),
    Column("hidden", N, "how many rows they cannot judge", "rows", 0.0),
    Column("blind_s", N, "since the first of them lost its verdict", "s", 0.0),
)
FIRST = "only `watchdog run` knows what could be judged before; check reports unknown verdicts itself"


def read(look: Look) -> Reading:
    """Return a row for every cause found by the previous cycle."""
    known = look.memory
    if not isinstance(known, Blindness) or not known.looked:
        return Reading(idle={c.name: FIRST for c in COLUMNS})
    return Reading(tuple(_row(cause, found, look.now) for cause, found in known.causes.items()), memory=known)


def _row(cause: str, found: Cause, now: float) -> Row:
    return Row(
        {
            "cause": cause,
            "reason": found.reason,
            "rules": ", ".join(found.rules),
            "hidden": float(found.hidden),
            "blind_s": max(now - found.since, 0.0),
        }
    )


TABLE = Table(BLIND, "a cause that keeps rules from judging what they could before", ("cause",), COLUMNS, lambda _: (), read,
              memory=Blindness)  # fmt: skip
